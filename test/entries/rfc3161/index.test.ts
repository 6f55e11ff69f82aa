import t from 'tap'
import { rfc3161 } from '../../../src/entries/rfc3161/index.js'
import { computedVector } from '../../helpers/vectors.js'

const vector = computedVector('rfc3161')
const { spec } = JSON.parse(vector.canonicalBody) as { spec: unknown }

t.same([rfc3161.kind, rfc3161.version], ['rfc3161', '0.0.1'])

t.test('a verified entry', async (t) => {
  for (const form of [vector.proposedEntry.spec, spec]) {
    const parsed = rfc3161.parse(form)
    t.doesNotThrow(() => rfc3161.assertInsertable(parsed), 'committed and proposed are the same')
    const { leafValue } = await rfc3161.verify(parsed, { maxAttestationBytes: 0 })
    t.equal(Buffer.from(leafValue).toString(), vector.canonicalBody)
  }
})

t.test('of stored leaves', async (t) => {
  t.same(await rfc3161.storedSearchKeys(spec), vector.indexKeys)
  t.equal(rfc3161.attestationKey(spec), undefined)
})
