import t from 'tap'
import { hashLeaf, hashNode } from '../../src/merkle/hash.js'
import { planInclusionProof } from '../../src/merkle/inclusion-proof.js'
import { createSubtreeMemory } from '../../src/merkle/subtree-memory.js'
import { hashLeafRanges, hashTileSlots, rootHashAtSize } from '../../src/merkle/tile-hashes.js'
import { seededRandom } from '../helpers/random.js'
import { sha256 } from '../helpers/rfc6962.js'
import { LARGEST_SIZE, SIZES, largestTree, readBound } from '../helpers/tile-tree.js'
import { VAST_SIZES, vastTree } from '../helpers/vast-tree.js'

const { tree, reference } = largestTree()

t.test('root at every earlier size, from the tiles of the grown tree', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const sizes = [...SIZES, ...Array.from({ length: 20 }, () => random.below(LARGEST_SIZE + 1))]
  for (const size of sizes) {
    tree.reads.length = 0
    t.same(await rootHashAtSize(size, tree.fetchTile, sha256), reference.mth(0, size), `${size}`)
    t.equal(new Set(tree.reads).size, tree.reads.length, 'no tile is read twice')
    t.ok(tree.reads.length <= readBound(size) / 2, `${tree.reads.length} tiles: one a level`)
  }
  t.same(
    await rootHashAtSize(257, tree.fetchTile),
    reference.mth(0, 257),
    'with the built-in SHA-256'
  )
})

t.test('the empty root is a copy', async (t) => {
  const root = await rootHashAtSize(0, tree.fetchTile)
  root.fill(0)
  t.same(await rootHashAtSize(0, tree.fetchTile), sha256())
})

t.test('roots of vast trees', async (t) => {
  for (const size of VAST_SIZES) {
    const vast = vastTree(size, new Map([[size - 1n, sha256()]]))
    const fetchTile = async (level: number, tileIndex: number): Promise<Uint8Array | undefined> =>
      vast.tile(level, tileIndex)
    t.same(await rootHashAtSize(Number(size), fetchTile, sha256), vast.mth(0n, size), String(size))
  }
})

t.test('several ranges at once share their tiles', async (t) => {
  tree.reads.length = 0
  const ranges = [
    { start: 0, end: 1 },
    { start: 2, end: 4 },
    { start: 4, end: 7 },
    { start: 0, end: 256 },
    { start: 65536, end: 70000 }
  ]
  t.same(
    await hashLeafRanges(ranges, tree.fetchTile),
    ranges.map(({ start, end }) => reference.mth(start, end))
  )
  t.same([...tree.reads].sort(), ['0/0', '0/273', '1/0', '1/1'])
  t.same(await hashLeafRanges([], tree.fetchTile), [])
})

t.test('what is remembered is not read again, and is the same', async (t) => {
  const memory = createSubtreeMemory(4096)
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (let round = 0; round < 200; round++) {
    const treeSize = 1 + random.below(LARGEST_SIZE)
    const leafIndex = random.below(treeSize)
    const ranges = planInclusionProof(leafIndex, treeSize)
    const fresh = await hashLeafRanges(ranges, tree.fetchTile, sha256)
    t.same(await hashLeafRanges(ranges, tree.fetchTile, sha256, memory), fresh, 'the first time')
    tree.reads.length = 0
    t.same(await hashLeafRanges(ranges, tree.fetchTile, sha256, memory), fresh, 'and the second')
    t.equal(tree.reads.length, 0)
  }
  const neighbours = createSubtreeMemory(4096)
  await hashLeafRanges([{ start: 512, end: 513 }], tree.fetchTile, sha256, neighbours)
  tree.reads.length = 0
  const [last] = await hashLeafRanges(
    [{ start: 767, end: 768 }],
    tree.fetchTile,
    sha256,
    neighbours
  )
  t.same(last, reference.mth(767, 768))
  t.equal(tree.reads.length, 0, 'a leaf of a tile that was read')
})

t.test('a hash function that does pieces of a tree at once is asked for them', async (t) => {
  const asked: string[] = []
  const atOnce = Object.assign((message: Uint8Array) => sha256(message), {
    tree: {
      leaf: (value: Uint8Array) => hashLeaf(value, sha256),
      node: (left: Uint8Array, right: Uint8Array) => hashNode(left, right, sha256),
      subtree(hashes: Uint8Array, first: number, count: number) {
        asked.push(`${first}+${count}`)
        const tile = { level: 0, tileIndex: 0, firstSlot: first, slots: count }
        return hashTileSlots(hashes, tile, sha256)
      },
      chain(): Uint8Array {
        throw new Error('no chain is wanted here')
      }
    }
  })
  t.same(await rootHashAtSize(5, tree.fetchTile, atOnce), reference.mth(0, 5))
  t.strictSame(asked, ['0+4'])
})

t.test('tiles that contradict the size are an integrity error', async (t) => {
  const cases = [
    ['missing', undefined, 'tile 0/0 is missing'],
    ['empty', new Uint8Array(0), 'tile 0/0 has 0 bytes, want at least 96 and a multiple of 32'],
    [
      'one hash short',
      new Uint8Array(64),
      'tile 0/0 has 64 bytes, want at least 96 and a multiple of 32'
    ],
    [
      'one byte short',
      new Uint8Array(95),
      'tile 0/0 has 95 bytes, want at least 96 and a multiple of 32'
    ],
    [
      'one byte long',
      new Uint8Array(97),
      'tile 0/0 has 97 bytes, want at least 96 and a multiple of 32'
    ]
  ] as const
  for (const [name, tile, message] of cases) {
    await t.rejects(
      rootHashAtSize(3, async () => tile),
      { name: 'LogError', code: 'integrity' },
      name
    )
    t.throws(
      () => hashTileSlots(tile, { level: 0, tileIndex: 0, firstSlot: 2, slots: 1 }),
      { name: 'LogError', code: 'integrity', message },
      name
    )
  }
})

t.test('impossible sizes', async (t) => {
  for (const size of [-1, 1.5, NaN, 2 ** 53]) {
    await t.rejects(rootHashAtSize(size, tree.fetchTile), { code: 'invalid_request' }, `${size}`)
  }
})

t.test('an error of the reader passes through', async (t) => {
  const failure = new Error('disk on fire')
  await t.rejects(
    rootHashAtSize(5, async () => {
      throw failure
    }),
    failure
  )
})

t.test('the hash of one slot is a copy of it', (t) => {
  const tile = new Uint8Array(64).fill(1)
  const hash = hashTileSlots(tile, { level: 0, tileIndex: 0, firstSlot: 1, slots: 1 })
  tile.fill(2)
  t.same(hash, new Uint8Array(32).fill(1))
  t.end()
})
