import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { decodeUtf8, encodeUtf8 } from '../../../src/encoding/text.js'
import {
  intotoV002LeafValue,
  intotoV002SearchKeys
} from '../../../src/entries/intoto-v002/canonical.js'
import type { IntotoV002 } from '../../../src/entries/intoto-v002/parse.js'
import { keyHash } from '../../../src/entries/leaf.js'
import { parseX509Key } from '../../../src/x509/x509-format.js'
import { envelopeSigner } from '../../helpers/envelopes.js'
import { refusalText } from '../../helpers/refusals.js'

const { pem } = envelopeSigner()
const publicKey = encodeUtf8(`not normalised\n${decodeUtf8(pem)}`)
const entry: IntotoV002 = {
  payloadType: 't',
  payloadText: 'not in the leaf',
  signatures: [
    { keyid: '', sig: encodeUtf8('s'), publicKey },
    { keyid: 'k', sig: encodeUtf8('r'), publicKey: pem }
  ],
  hash: { algorithm: 'sha256', value: 'EE' },
  payloadHash: { algorithm: 'sha256', value: 'PP' }
}

t.test('body: signatures as sent, no empty key id, no payload', (t) => {
  t.equal(
    decodeUtf8(intotoV002LeafValue(entry)),
    '{"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{"envelope":{"payloadType":"t","signatures":[' +
      `{"publicKey":"${encodeBase64(publicKey)}","sig":"cw=="},` +
      `{"keyid":"k","publicKey":"${encodeBase64(pem)}","sig":"cg=="}]},` +
      '"hash":{"algorithm":"sha256","value":"EE"},"payloadHash":{"algorithm":"sha256","value":"PP"}}}}'
  )
  t.end()
})

t.test('hashes are required', async (t) => {
  t.equal(
    await refusalText(() => intotoV002LeafValue({ ...entry, hash: undefined })),
    'invalid_request: missing envelope digest'
  )
  t.equal(
    await refusalText(() => intotoV002LeafValue({ ...entry, payloadHash: undefined })),
    'invalid_request: missing payload digest'
  )
})

t.test('search keys: the normalised key, the payload, not the envelope', (t) => {
  const key = `sha256:${keyHash(parseX509Key(pem))}`
  t.same(intotoV002SearchKeys(entry, ['sha1:AA']), [key, 'sha256:pp', 'sha1:aa'])
  t.same(intotoV002SearchKeys({ ...entry, payloadHash: undefined }), [key])
  t.end()
})
