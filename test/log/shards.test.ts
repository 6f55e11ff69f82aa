import { readFileSync } from 'node:fs'
import t from 'tap'
import { findShard, locateLogIndex, logIndexOf, totalSize } from '../../src/log/shards.js'

interface Cases {
  readonly inactive: readonly { readonly treeID: number; readonly treeLength: number }[]
  readonly active: number
  readonly resolve: readonly {
    readonly virtual: number
    readonly treeID: number
    readonly index: number
  }[]
}

const cases = JSON.parse(
  readFileSync('test/vectors/rekor/inline/virtual_index_cases.json', 'utf8')
) as Cases // our own vector file

const shards = [...cases.inactive, { treeID: cases.active, treeLength: 0 }].map(
  ({ treeID }, i, all) => ({
    treeId: String(treeID),
    offset: all.slice(0, i).reduce((sum, { treeLength }) => sum + treeLength, 0)
  })
)

t.test('log indexes of a log with four shards', async (t) => {
  t.ok(cases.resolve.length > 0)
  for (const { virtual, treeID, index } of cases.resolve) {
    const place = { treeId: String(treeID), leafIndex: index }
    t.strictSame(locateLogIndex(shards, virtual), place, `log index ${virtual}`)
    t.equal(logIndexOf(shards, place), virtual)
  }
  for (const [logIndex, treeId, leafIndex] of [
    [0, '1', 0],
    [16, '1', 16],
    [17, '2', 0],
    [18, '3', 0],
    [117, '3', 99],
    [118, '4', 0],
    [2 ** 40, '4', 2 ** 40 - 118]
  ] as const) {
    t.strictSame(locateLogIndex(shards, logIndex), { treeId, leafIndex }, `log index ${logIndex}`)
  }
  t.equal(totalSize(shards, 5), 123)
  t.equal(totalSize([], 0), 0)
})

t.test('an empty shard holds no index', async (t) => {
  const withEmpty = [
    { treeId: '1', offset: 0 },
    { treeId: '2', offset: 3 },
    { treeId: '3', offset: 3 }
  ]
  t.strictSame(locateLogIndex(withEmpty, 3), { treeId: '3', leafIndex: 0 })
  t.strictSame(locateLogIndex(withEmpty, 2), { treeId: '1', leafIndex: 2 })
})

t.test('refuses what is no log index, and trees of other logs', async (t) => {
  for (const bad of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    t.throws(() => locateLogIndex(shards, bad), { code: 'invalid_request' }, String(bad))
  }
  t.throws(() => locateLogIndex([], 0), { code: 'invalid_request' })
  t.throws(() => findShard(shards, '5'), { code: 'not_found' })
  t.equal(findShard(shards, '3').offset, 18)
})
