import t from 'tap'
import { hashedrekord } from '../../../src/entries/hashedrekord/index.js'
import { computedVector } from '../../helpers/vectors.js'

t.test('one object for server, workers and command line', async (t) => {
  const vector = computedVector('hashedrekord-ecdsa-p256-sha256')
  t.match(hashedrekord, { kind: 'hashedrekord', version: '0.0.1' })
  const parsed = hashedrekord.parse(vector.proposedEntry.spec)
  hashedrekord.assertInsertable(parsed)
  const verified = await hashedrekord.verify(parsed, { maxAttestationBytes: 0 })
  t.equal(Buffer.from(verified.leafValue).toString(), vector.canonicalBody)
  const { spec } = JSON.parse(vector.canonicalBody) as { spec: unknown }
  t.same(await hashedrekord.storedSearchKeys(spec), vector.indexKeys)
  t.equal(hashedrekord.attestationKey(spec), undefined)
})
