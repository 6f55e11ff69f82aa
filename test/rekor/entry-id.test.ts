import t from 'tap'
import {
  formatEntryId,
  formatHexTreeId,
  isInt64,
  parseEntryId,
  parseHexTreeId,
  parseUuid
} from '../../src/rekor/entry-id.js'
import { rekorVectorText } from '../helpers/vectors.js'

const cases = JSON.parse(rekorVectorText('inline/entry_id_cases.json')) as {
  readonly validTreeIDs: readonly string[]
  readonly validUUID: string
  readonly padded: Readonly<Record<string, string>>
  readonly tooLongTreeIDs: readonly string[]
  readonly decimal: Readonly<Record<string, string>>
  readonly invalidTreeIDs: readonly (string | { readonly id: string; readonly error: string })[]
  readonly invalidUUIDs: readonly string[]
}
const UUID = 'ab'.repeat(32)
const REFUSED = { name: 'LogError', code: 'invalid_request' }

t.test('tree IDs of the recorded cases', async (t) => {
  for (const id of cases.validTreeIDs) {
    const padded = id.padStart(16, '0').toLowerCase()
    t.equal(formatHexTreeId(parseHexTreeId(id)), padded)
    t.equal(parseEntryId(padded + UUID).treeId, parseHexTreeId(id))
  }
  for (const [id, padded] of Object.entries(cases.padded)) {
    t.equal(formatHexTreeId(parseHexTreeId(id)), padded)
  }
  for (const [id, decimal] of Object.entries(cases.decimal)) t.equal(parseHexTreeId(id), decimal)
  for (const id of cases.tooLongTreeIDs) {
    t.throws(() => parseHexTreeId(id), REFUSED, id)
    t.throws(() => parseEntryId(id + UUID), REFUSED, id)
  }
  for (const invalid of cases.invalidTreeIDs) {
    const { id, error } = typeof invalid === 'string' ? { id: invalid, error: '' } : invalid
    t.throws(() => parseHexTreeId(id), { ...REFUSED, ...(error && { message: error }) }, id)
    t.throws(() => parseEntryId(id + UUID), REFUSED, id)
  }
})

t.test('UUIDs of the recorded cases', async (t) => {
  t.equal(Buffer.from(parseUuid(cases.validUUID)).toString('hex'), cases.validUUID)
  for (const uuid of cases.invalidUUIDs) t.throws(() => parseUuid(uuid), REFUSED, uuid)
})

t.test('the largest tree ID', async (t) => {
  const largest = (2n ** 63n - 1n).toString()
  t.equal(parseHexTreeId('7fffffffffffffff'), largest)
  t.equal(formatHexTreeId(largest), '7fffffffffffffff')
  t.throws(() => parseHexTreeId('8000000000000000'), {
    ...REFUSED,
    message: '8000000000000000 is not a valid TreeID'
  })
  t.ok(isInt64(largest))
  t.ok(isInt64('0'))
  for (const text of ['9223372036854775808', '', '-1', '1e3', '9'.repeat(100)]) {
    t.notOk(isInt64(text), text)
  }
})

t.test('an entry ID and a bare UUID, of either case', async (t) => {
  const leafHash = new Uint8Array(32).fill(0xab)
  const entryId = `00000000000000ff${UUID}`
  t.equal(formatEntryId('255', leafHash), entryId)
  t.same(parseEntryId(entryId.toUpperCase()), { treeId: '255', leafHash })
  t.same(parseEntryId(UUID.toUpperCase()), { treeId: undefined, leafHash })
  for (const text of ['', 'ab', UUID.slice(1), `${UUID}0`, `${entryId}0`, `${UUID.slice(1)}g`]) {
    t.throws(() => parseEntryId(text), REFUSED, text)
  }
})
