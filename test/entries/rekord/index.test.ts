import t from 'tap'
import { rekord } from '../../../src/entries/rekord/index.js'
import { findEntryType } from '../../../src/entries/registry.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector, rekorVectorText } from '../../helpers/vectors.js'

const proposed = computedVector('rekord-pgp')
const committedSpec = (name: string) =>
  (JSON.parse(computedVector(name).canonicalBody) as { spec: unknown }).spec

t.equal(findEntryType('rekord', '0.0.1'), rekord)

t.test('what may be submitted', async (t) => {
  t.doesNotThrow(() => rekord.assertInsertable(rekord.parse(proposed.proposedEntry.spec)))
  const refused = 'invalid_request: entry not insertable into log: missing data content'
  t.equal(
    await refusalText(() => rekord.assertInsertable(rekord.parse(committedSpec('rekord-pgp')))),
    refused
  )
  const old = JSON.parse(rekorVectorText('rekord/proposed_with_data_url.json')) as { spec: unknown }
  t.equal(
    await refusalText(() => rekord.assertInsertable(rekord.parse(old.spec))),
    refused,
    'URL for the data'
  )
})

t.test('a verified entry', async (t) => {
  const parsed = rekord.parse(proposed.proposedEntry.spec)
  const { leafValue } = await rekord.verify(parsed, { maxAttestationBytes: 0 })
  t.equal(Buffer.from(leafValue).toString(), proposed.canonicalBody)
  t.equal(rekord.attestationKey(parsed), undefined)
})

t.test('search keys of stored leaves', async (t) => {
  for (const name of [
    'rekord-pgp',
    'rekord-x509',
    'rekord-minisign',
    'rekord-signify',
    'rekord-ssh'
  ]) {
    const { indexKeys } = computedVector(name)
    // The comment of an ssh key is not in the leaf.
    const expected =
      name === 'rekord-ssh' ? indexKeys.filter((key) => !key.includes('@')) : indexKeys
    t.same(await rekord.storedSearchKeys(committedSpec(name)), expected, name)
  }
  t.same(await rekord.storedSearchKeys(proposed.proposedEntry.spec), [], 'not a committed form')
})
