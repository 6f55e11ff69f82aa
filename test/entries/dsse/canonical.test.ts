import t from 'tap'
import { dsseLeafValue, dsseSearchKeys } from '../../../src/entries/dsse/canonical.js'
import type { CommittedDsse } from '../../../src/entries/dsse/parse.js'
import { parseX509Key } from '../../../src/x509/x509-format.js'
import { keyHash } from '../../../src/entries/leaf.js'
import { envelopeSigner } from '../../helpers/envelopes.js'

const [a, b] = [envelopeSigner().pem, envelopeSigner('ed25519').pem]
const hashOf = (pem: Uint8Array) => `sha256:${keyHash(parseX509Key(pem))}`
const entry: CommittedDsse = {
  form: 'committed',
  envelopeHash: { algorithm: 'sha256', value: 'EE' },
  payloadHash: { algorithm: 'sha256', value: 'PP' },
  signatures: [
    { signature: 'b', verifier: b },
    { signature: '+', verifier: a },
    { signature: 'a', verifier: a },
    { signature: 'a', verifier: b }
  ]
}

t.test('signatures sorted by their text, in bytes', (t) => {
  const body = JSON.parse(Buffer.from(dsseLeafValue(entry)).toString()) as {
    spec: { signatures: { signature: string }[] }
  }
  t.same(
    body.spec.signatures.map(({ signature }) => signature),
    ['+', 'a', 'a', 'b']
  )
  t.end()
})

t.test('keys with prefix in that order, payload, envelope, statement', (t) => {
  t.same(dsseSearchKeys(entry, ['sha256:SS']), [
    hashOf(a),
    hashOf(b),
    'sha256:pp',
    'sha256:ee',
    'sha256:ss'
  ])
  t.equal(dsseSearchKeys(entry).length, 4)
  t.end()
})
