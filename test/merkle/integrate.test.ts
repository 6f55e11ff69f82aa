import t, { type Test } from 'tap'
import { integrate } from '../../src/merkle/integrate.js'
import { tileWidth, tilesOfTree } from '../../src/merkle/tiles.js'
import type { Integrate, Tile } from '../../src/merkle/tree.js'
import { seededRandom } from '../helpers/random.js'
import { at, referenceTree, sha256 } from '../helpers/rfc6962.js'
import { SIZES, decimalLeafHashes, readBound, tileTree } from '../helpers/tile-tree.js'
import { VAST_SIZES, fillerLeafHash, vastTree } from '../helpers/vast-tree.js'

const LEAF_HASHES = decimalLeafHashes(70000)
const REFERENCE = referenceTree(LEAF_HASHES)

/** Every tile of a tree of this size is there, as wide as it should be, and holds the right subtree hashes. */
function assertTiles(t: Test, tiles: ReadonlyMap<string, Uint8Array>, treeSize: number): void {
  let count = 0
  for (const { level, tileIndex, width } of tilesOfTree(treeSize)) {
    const got = tiles.get(`${level}/${tileIndex}`)
    const leaves = 256 ** level
    const want = Array.from({ length: width }, (_, slot) => {
      const first = (tileIndex * 256 + slot) * leaves
      return REFERENCE.mth(first, first + leaves)
    })
    if (got === undefined || Buffer.compare(got, Buffer.concat(want)) !== 0) {
      t.fail(`tile ${level}/${tileIndex} at size ${treeSize} is wrong`)
    }
    count++
  }
  t.equal(tiles.size, count, `${count} tiles at size ${treeSize}, each as by the book`)
}

t.test('all leaves at once', (t) => {
  for (const size of SIZES) {
    const tree = tileTree()
    tree.add(LEAF_HASHES.slice(0, size))
    t.same(tree.head, { treeSize: size, rootHash: REFERENCE.mth(0, size) }, `root of ${size}`)
    assertTiles(t, tree.tiles, size)
    t.same(tree.reads, [], 'an empty tree has nothing to read')
  }
  t.end()
})

t.test('published roots', (t) => {
  // Leaf i is the ASCII decimal of i.
  const roots = [
    [1, 'db3426e878068d28d269b6c87172322ce5372b65756d0789001d34835f601c03'],
    [2, 'cb00989d94a569c0a678ae042b63dcd4625db96440517f37a6eb7976ea24ed4b'],
    [3, '725d5230db68f557470dc35f1d8865813acd7ebb07ad152774141decbae71327'],
    [5, 'b6748f6ed7a99de7da84fd97e1a3bac6fab8999f4a43695cab9528a2de431147'],
    [8, '3b85a9626c1ccb64c6b95ec7fa64888defe2cf12e39e77e10812ce5fcb9cb58e'],
    [255, '32f85bcaa87d7bcd05728f09e9aeba350ba6a2f733830087f0597682848be5cb'],
    [256, '828515d033c19d8c901f37eccb8aed919667703486f8d2fff1cf7040321c5db1'],
    [257, '1eda049a4351d86f76252bd7ec0b7746ad75b7fa0316ad5f541dbda458a312c4'],
    [1000, '638afa98022925bacfddadb15ef22fd0199c1ac99c2973b6158243d13fce05c2'],
    [65536, 'f025d06ed804859fd274a1bdacadd6e48ea87634aa91e1edb20143f9498cd02b'],
    [70000, '1a4cdfcb66374a0c0dcbef49acbd4976d13ee864fb3cb241fc943cad04f02f7e']
  ] as const
  const tree = tileTree()
  for (const [size, root] of roots) {
    tree.add(LEAF_HASHES.slice(tree.head.treeSize, size))
    t.equal(Buffer.from(tree.head.rootHash).toString('hex'), root, `size ${size}`)
  }
  // SHA-256 of the tiles at size 70,000.
  const tiles = [
    ['0/0', 'b9704a8bfbee2c61185ceb38904a49f3f703c81e194b5b2ccdc254c2bdaaa62b'],
    ['0/273', '4d21244557c976993a9a89bf928a46b5a876585228df279878239fd84489e5a5'],
    ['1/0', 'ea7b038bc73489c89c31a27ac355aaca65a4ed73f0dd7484e68deb29d30f10a2'],
    ['1/1', 'adfaca2731630fe7944a4b98a0f98ef3e98685eafda09e6f81070218fb759ce4']
  ] as const
  for (const [key, digest] of tiles) {
    const tile = tree.tiles.get(key) ?? new Uint8Array(0)
    t.equal(Buffer.from(sha256(tile)).toString('hex'), digest, `tile ${key}`)
  }
  t.end()
})

t.test('batches of random sizes give the same tree as one', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (const [target, largestBatch] of [
    [600, 3],
    [3000, 40],
    [70000, 5000],
    [66000, 700]
  ] as const) {
    const tree = tileTree()
    while (tree.head.treeSize < target) {
      const before = tree.head.treeSize
      const size = Math.min(target, before + random.below(largestBatch + 1))
      tree.reads.length = 0
      const changed = tree.add(LEAF_HASHES.slice(before, size))
      if (Buffer.compare(tree.head.rootHash, REFERENCE.mth(0, size)) !== 0) {
        t.fail(`root of ${size} after ${before}`)
      }
      assertOnlyChanged(t, changed, before, size)
      t.ok(tree.reads.length <= readBound(before) / 2, 'reads at most one tile a level')
      t.equal(new Set(tree.reads).size, tree.reads.length, 'and none of them twice')
    }
    assertTiles(t, tree.tiles, target)
  }
  t.end()
})

/** `changed` are exactly the tiles that are wider at `size` than at `before`, in order, at full width. */
function assertOnlyChanged(t: Test, changed: readonly Tile[], before: number, size: number): void {
  const want = [...tilesOfTree(size)].filter(
    ({ level, tileIndex, width }) => tileWidth(level, tileIndex, before) < width
  )
  t.same(
    changed.map(({ level, tileIndex, hashes }) => ({
      level,
      tileIndex,
      width: hashes.length / 32
    })),
    want,
    `changed tiles from ${before} to ${size}`
  )
}

t.test('an empty batch changes nothing and recomputes the root', (t) => {
  for (const size of [0, 1, 2, 3, 255, 256, 257, 767, 1000, 65537]) {
    const tree = tileTree()
    tree.add(LEAF_HASHES.slice(0, size))
    const { treeHead, tiles } = integrate(size, tree.readTile, [])
    t.same(treeHead, { treeSize: size, rootHash: REFERENCE.mth(0, size) })
    t.same(tiles, [])
  }
  t.end()
})

t.test('vast trees grow like small ones', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (const before of VAST_SIZES.map((size) => size - 300n)) {
    const added = [random.bytes(32), ...Array.from({ length: 298 }, () => fillerLeafHash())]
    const size = before + BigInt(added.length)
    const old = vastTree(before)
    const grown = vastTree(size, new Map([[before, at(added, 0)]]))
    const { treeHead, tiles } = integrate(
      Number(before),
      (level, tileIndex) => old.tile(level, tileIndex) ?? new Uint8Array(0),
      added,
      sha256
    )
    t.same(treeHead, { treeSize: Number(size), rootHash: grown.mth(0n, size) }, `${size}`)
    for (const { level, tileIndex, hashes } of tiles) {
      t.same(hashes, grown.tile(level, tileIndex), `tile ${level}/${tileIndex} of ${size}`)
    }
    t.ok(tiles.length >= 2)
  }
  t.end()
})

t.test('the built-in SHA-256 gives the same', (t) => {
  const typed: Integrate = integrate
  const tree = tileTree()
  tree.add(LEAF_HASHES.slice(0, 300))
  const added = LEAF_HASHES.slice(300, 700)
  t.same(typed(300, tree.readTile, added), integrate(300, tree.readTile, added, sha256))
  t.end()
})

t.test('results do not share memory with what was read', (t) => {
  const tree = tileTree()
  tree.add(LEAF_HASHES.slice(0, 1))
  const { treeHead } = integrate(1, tree.readTile, [])
  treeHead.rootHash.fill(0)
  t.same(tree.tiles.get('0/0'), at(LEAF_HASHES, 0))
  const empty = integrate(0, tree.readTile, [])
  empty.treeHead.rootHash.fill(0)
  t.same(integrate(0, tree.readTile, []).treeHead.rootHash, sha256())
  t.end()
})

t.test('refuses to build on tiles that contradict the size', (t) => {
  const hash = at(LEAF_HASHES, 0)
  const cases = [
    ['tile too narrow', 3, new Uint8Array(64), 'tile 0/0 has 64 bytes, want 96'],
    ['tile too wide', 3, new Uint8Array(128), 'tile 0/0 has 128 bytes, want 96'],
    ['tile not whole hashes', 3, new Uint8Array(97), 'tile 0/0 has 97 bytes, want 96'],
    ['tile empty', 3, new Uint8Array(0), 'tile 0/0 has 0 bytes, want 96']
  ] as const
  for (const [name, size, tile, message] of cases) {
    for (const batch of [[], [hash]]) {
      t.throws(() => integrate(size, () => tile, batch), { code: 'integrity', message }, name)
    }
  }
  t.end()
})

t.test('refuses sizes and leaf hashes that cannot be', (t) => {
  const read = (): Uint8Array => new Uint8Array(0)
  const hash = at(LEAF_HASHES, 0)
  for (const size of [-1, 0.5, NaN, 2 ** 53, Number.MAX_SAFE_INTEGER]) {
    t.throws(
      () => integrate(size, read, [hash]),
      { code: 'integrity', message: `cannot add 1 leaves to ${size}` },
      `size ${size}`
    )
  }
  for (const length of [0, 31, 33]) {
    t.throws(
      () => integrate(0, read, [hash, new Uint8Array(length)]),
      { code: 'integrity', message: `leaf hash of ${length} bytes, want 32` },
      `leaf hash of ${length} bytes`
    )
  }
  t.end()
})
