import t from 'tap'
import { tuf } from '../../../src/entries/tuf/index.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

const { proposedEntry, canonicalBody, indexKeys } = computedVector('tuf-timestamp')
const { spec: committed } = JSON.parse(canonicalBody) as { spec: unknown }

t.same([tuf.kind, tuf.version], ['tuf', '0.0.1'])

t.test('a proposal and its committed form', async (t) => {
  for (const spec of [proposedEntry.spec, committed]) {
    const parsed = tuf.parse(spec)
    t.doesNotThrow(() => tuf.assertInsertable(parsed), 'either may be submitted')
    const { leafValue } = await tuf.verify(parsed, { maxAttestationBytes: 0 })
    t.equal(Buffer.from(leafValue).toString(), canonicalBody)
    t.same(await tuf.storedSearchKeys(spec), indexKeys)
    t.equal(tuf.attestationKey(spec), undefined)
    const nowMs = () => Date.parse('2022-01-01')
    t.match(
      await refusalText(() => tuf.verify(parsed, { maxAttestationBytes: 0, nowMs })),
      /expired at 2021/
    )
  }
})
