import t from 'tap'
import { cose } from '../../../src/entries/cose/index.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

const vector = computedVector('cose')
const { spec } = JSON.parse(vector.canonicalBody) as {
  spec: { publicKey: string; data: { envelopeHash: object } }
}

t.same([cose.kind, cose.version], ['cose', '0.0.1'])

t.test('what may be submitted', async (t) => {
  t.doesNotThrow(() => cose.assertInsertable(cose.parse(vector.proposedEntry.spec)))
  t.equal(
    await refusalText(() => cose.assertInsertable(cose.parse(spec))),
    'invalid_request: entry not insertable into log: missing COSE Sign1 message'
  )
})

t.test('a verified entry', async (t) => {
  const parsed = cose.parse(vector.proposedEntry.spec)
  const { leafValue, attestation } = await cose.verify(parsed, { maxAttestationBytes: 1000 })
  t.equal(Buffer.from(leafValue).toString(), vector.canonicalBody)
  t.equal(cose.attestationKey(spec), attestation?.key)
})

t.test('of stored leaves', async (t) => {
  t.same(await cose.storedSearchKeys(spec), vector.indexKeys)
  t.same(await cose.storedSearchKeys(vector.proposedEntry.spec), [], 'not a committed form')
  t.equal(cose.attestationKey(spec), vector.attestation?.key)
  for (const odd of [
    undefined,
    {},
    { data: {} },
    { data: { envelopeHash: {} } },
    { data: { envelopeHash: { algorithm: 'sha256' } } }
  ]) {
    t.equal(cose.attestationKey(odd), undefined)
  }
})
