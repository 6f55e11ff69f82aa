import t from 'tap'
import { alpine } from '../../../src/entries/alpine/index.js'
import { findEntryType } from '../../../src/entries/registry.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

const vector = computedVector('alpine')
const proposed = alpine.parse(vector.proposedEntry.spec)
const { spec: committedSpec } = JSON.parse(vector.canonicalBody) as { spec: unknown }

t.equal(findEntryType('alpine', '0.0.1'), alpine)

t.test('what may be submitted', async (t) => {
  t.doesNotThrow(() => alpine.assertInsertable(proposed))
  t.equal(
    await refusalText(() => alpine.assertInsertable(alpine.parse(committedSpec))),
    'invalid_request: entry not insertable into log: missing package content'
  )
})

t.test('a verified entry', async (t) => {
  const { leafValue, searchKeys, attestation } = await alpine.verify(proposed, {
    maxAttestationBytes: 0
  })
  t.equal(Buffer.from(leafValue).toString(), vector.canonicalBody)
  t.same(searchKeys, vector.indexKeys)
  t.equal(attestation, undefined)
  t.equal(alpine.attestationKey(vector.proposedEntry.spec), undefined)
})

t.test('search keys of stored leaves', async (t) => {
  t.same(await alpine.storedSearchKeys(committedSpec), vector.indexKeys)
  t.same(await alpine.storedSearchKeys(vector.proposedEntry.spec), [], 'not a committed form')
})
