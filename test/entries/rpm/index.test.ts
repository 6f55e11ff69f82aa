import t from 'tap'
import { rpm } from '../../../src/entries/rpm/index.js'
import { findEntryType } from '../../../src/entries/registry.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

const { proposedEntry, canonicalBody, indexKeys } = computedVector('rpm')
const { spec: committed } = JSON.parse(canonicalBody) as { spec: unknown }

t.equal(findEntryType('rpm', '0.0.1'), rpm)

t.test('what may be submitted', async (t) => {
  t.doesNotThrow(() => rpm.assertInsertable(rpm.parse(proposedEntry.spec)))
  t.equal(
    await refusalText(() => rpm.assertInsertable(rpm.parse(committed))),
    'invalid_request: entry not insertable into log: missing package content'
  )
})

t.test('a verified entry', async (t) => {
  const parsed = rpm.parse(proposedEntry.spec)
  const { leafValue } = await rpm.verify(parsed, { maxAttestationBytes: 0 })
  t.equal(Buffer.from(leafValue).toString(), canonicalBody)
  t.equal(rpm.attestationKey(parsed), undefined)
})

t.test('search keys of stored leaves', async (t) => {
  t.same(await rpm.storedSearchKeys(committed), indexKeys)
  t.same(await rpm.storedSearchKeys(proposedEntry.spec), [], 'not a committed form')
})
