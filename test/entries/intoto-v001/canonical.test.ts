import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { decodeUtf8 } from '../../../src/encoding/text.js'
import { intotoLeafValue, intotoSearchKeys } from '../../../src/entries/intoto-v001/canonical.js'
import type { CommittedIntoto } from '../../../src/entries/intoto-v001/parse.js'
import { keyHash } from '../../../src/entries/leaf.js'
import { parseX509Key } from '../../../src/x509/x509-format.js'
import { envelopeSigner } from '../../helpers/envelopes.js'

const key = parseX509Key(envelopeSigner().pem)
const entry: CommittedIntoto = {
  form: 'committed',
  key,
  hash: { algorithm: 'sha256', value: 'EE' },
  payloadHash: { algorithm: 'sha256', value: 'PP' }
}

t.test('body', (t) => {
  const body = (content: string) =>
    `{"apiVersion":"0.0.1","kind":"intoto","spec":{"content":{${content}},"publicKey":"${encodeBase64(key.canonical)}"}}`
  const hash = '"hash":{"algorithm":"sha256","value":"EE"}'
  t.equal(
    decodeUtf8(intotoLeafValue(entry)),
    body(`${hash},"payloadHash":{"algorithm":"sha256","value":"PP"}`)
  )
  t.equal(
    decodeUtf8(intotoLeafValue({ ...entry, payloadHash: undefined })),
    body(hash),
    'old entries'
  )
  t.end()
})

t.test('search keys', (t) => {
  const own = ['sha256:ee', `sha256:${keyHash(key)}`]
  t.same(intotoSearchKeys(entry, ['sha256:SS']), [...own, 'sha256:pp', 'sha256:ss'])
  t.same(intotoSearchKeys({ ...entry, payloadHash: undefined }), own)
  t.same(intotoSearchKeys({ ...entry, key: { ...key, subjects: ['A@B.c'] } }), [
    ...own,
    'a@b.c',
    'sha256:pp'
  ])
  t.end()
})
