import t from 'tap'
import { isLogError } from '../../src/errors.js'
import { sha256 } from '../../src/keys/sha256.js'
import { buildConsistencyProof } from '../../src/merkle/consistency-proof.js'
import { rootHashAtSize } from '../../src/merkle/tile-hashes.js'
import {
  type TileRef,
  formatTilePath,
  formatTilePosition,
  hasTile,
  isTreeSize,
  levelWidth,
  locateSubtree,
  parseTilePath,
  parseTilePosition,
  rightEdge,
  tileKey,
  tileWidth,
  tilesForConsistency,
  tilesOfTree
} from '../../src/merkle/tiles.js'
import { seededRandom } from '../helpers/random.js'
import { referenceTree } from '../helpers/rfc6962.js'
import { SIZES, decimalLeafHashes, tileTree } from '../helpers/tile-tree.js'
import { VAST_SIZES } from '../helpers/vast-tree.js'

t.test('tree sizes are counts within safe integers', (t) => {
  for (const size of [0, 1, 2 ** 32, 2 ** 53 - 1]) t.ok(isTreeSize(size), String(size))
  for (const size of [-1, 0.5, 2 ** 53, NaN, Infinity, -Infinity]) {
    t.notOk(isTreeSize(size), String(size))
  }
  t.end()
})

t.test('widths by example (C2SP tlog-tiles)', (t) => {
  const cases = [
    // treeSize, level, tileIndex, width
    [0, 0, 0, 0],
    [1, 0, 0, 1],
    [255, 0, 0, 255],
    [256, 0, 0, 256],
    [256, 0, 1, 0],
    [256, 1, 0, 1],
    [257, 0, 1, 1],
    [70000, 0, 272, 256],
    [70000, 0, 273, 112],
    [70000, 0, 274, 0],
    [70000, 1, 0, 256],
    [70000, 1, 1, 17],
    [70000, 2, 0, 1],
    [70000, 3, 0, 0],
    [2 ** 32 - 1, 0, 2 ** 24 - 1, 255],
    [2 ** 32, 0, 2 ** 24 - 1, 256],
    [2 ** 32, 4, 0, 1],
    [2 ** 32 + 1, 0, 2 ** 24, 1],
    [2 ** 40, 5, 0, 1],
    [2 ** 53 - 1, 6, 0, 31],
    [2 ** 53 - 1, 0, 2 ** 45 - 1, 255],
    [1, 0, 2 ** 53 - 1, 0]
  ] as const
  for (const [treeSize, level, tileIndex, width] of cases) {
    t.equal(tileWidth(level, tileIndex, treeSize), width, `${treeSize}: ${level}/${tileIndex}`)
  }
  t.end()
})

t.test('level widths equal exact arithmetic at every size and level', (t) => {
  for (const size of [...SIZES.map(BigInt), ...VAST_SIZES]) {
    for (let level = 0; level <= 8; level++) {
      t.equal(levelWidth(level, Number(size)), Number(size / 256n ** BigInt(level)))
    }
  }
  t.end()
})

t.test('tiles of a tree, and which of them are partial', (t) => {
  t.same([...tilesOfTree(0)], [])
  t.same(rightEdge(0), [])
  t.same([...tilesOfTree(1)], [{ level: 0, tileIndex: 0, width: 1 }])
  t.same(
    [...tilesOfTree(256)],
    [
      { level: 0, tileIndex: 0, width: 256 },
      { level: 1, tileIndex: 0, width: 1 }
    ]
  )
  t.same(rightEdge(256), [{ level: 1, tileIndex: 0, width: 1 }])
  t.same(rightEdge(70000), [
    { level: 0, tileIndex: 273, width: 112 },
    { level: 1, tileIndex: 1, width: 17 },
    { level: 2, tileIndex: 0, width: 1 }
  ])
  t.same(rightEdge(2 ** 40), [{ level: 5, tileIndex: 0, width: 1 }])
  for (const size of SIZES) {
    const tiles = [...tilesOfTree(size)]
    const leaves = tiles
      .filter(({ level }) => level === 0)
      .reduce((sum, { width }) => sum + width, 0)
    t.equal(leaves, size, `level 0 of ${size} holds every leaf hash`)
    t.same(
      tiles.filter(({ width }) => width < 256),
      rightEdge(size),
      `the partial tiles of ${size} are its right edge`
    )
  }
  t.end()
})

t.test('a subtree is within one tile', (t) => {
  const cases = [
    // height, index -> level, tileIndex, firstSlot, slots
    [0, 0, 0, 0, 0, 1],
    [0, 255, 0, 0, 255, 1],
    [0, 256, 0, 1, 0, 1],
    [1, 127, 0, 0, 254, 2],
    [7, 3, 0, 1, 128, 128],
    [8, 0, 1, 0, 0, 1],
    [8, 257, 1, 1, 1, 1],
    [9, 2 ** 31, 1, 2 ** 24, 0, 2],
    [0, 2 ** 32 + 1, 0, 2 ** 24, 1, 1],
    [0, 2 ** 53 - 2, 0, 2 ** 45 - 1, 254, 1],
    [40, 0, 5, 0, 0, 1],
    [52, 0, 6, 0, 0, 16]
  ] as const
  for (const [height, index, level, tileIndex, firstSlot, slots] of cases) {
    t.same(locateSubtree({ height, index }), { level, tileIndex, firstSlot, slots })
  }
  t.end()
})

t.test('a tree has the beginnings of its tiles too, and nothing wider', (t) => {
  const cases = [
    // treeSize, level, tileIndex, width, has
    [0, 0, 0, 1, false],
    [1, 0, 0, 1, true],
    [1, 0, 0, 2, false],
    [255, 0, 0, 255, true],
    [255, 0, 0, 256, false],
    [256, 0, 0, 256, true],
    [256, 0, 0, 100, true],
    [256, 0, 1, 1, false],
    [256, 1, 0, 1, true],
    [256, 1, 0, 2, false],
    [70000, 0, 273, 112, true],
    [70000, 0, 273, 113, false],
    [70000, 0, 273, 256, false],
    [70000, 0, 274, 1, false],
    [70000, 1, 1, 17, true],
    [70000, 2, 0, 1, true],
    [70000, 3, 0, 1, false],
    [2 ** 53 - 1, 63, 0, 1, false],
    [1, 0, 2 ** 53 - 1, 1, false]
  ] as const
  for (const [treeSize, level, tileIndex, width, has] of cases) {
    const ref = { level, tileIndex, width }
    t.equal(hasTile(ref, treeSize), has, `${treeSize}: ${formatTilePath(ref)}`)
  }
  t.end()
})

t.test('tiles that show how a tree grew, by example', (t) => {
  const cases = [
    [0, 0, []],
    [0, 70000, ['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1']],
    [70000, 70000, ['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1']],
    [1, 2, ['tile/0/000.p/2']],
    [255, 256, ['tile/0/000', 'tile/1/000.p/1']],
    [256, 257, ['tile/0/001.p/1', 'tile/1/000.p/1']],
    [511, 1000, ['tile/0/001', 'tile/0/003.p/232', 'tile/1/000.p/3']],
    [
      767,
      70000,
      ['tile/0/002', 'tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17', 'tile/2/000.p/1']
    ],
    [65536, 65537, ['tile/0/256.p/1', 'tile/2/000.p/1']],
    [
      2 ** 40 - 1,
      2 ** 40,
      [
        'tile/0/x004/x294/x967/295',
        'tile/1/x016/x777/215',
        'tile/2/x065/535',
        'tile/3/255',
        'tile/4/000',
        'tile/5/000.p/1'
      ]
    ]
  ] as const
  for (const [firstSize, secondSize, paths] of cases) {
    const refs = tilesForConsistency(firstSize, secondSize)
    t.strictSame(refs.map(formatTilePath), paths, `${firstSize} to ${secondSize}`)
  }
  t.end()
})

t.test(
  'nothing else is needed for roots and proof, and every full one has one above',
  async (t) => {
    const leafHashes = decimalLeafHashes(70000)
    const tree = tileTree()
    tree.add(leafHashes)
    const reference = referenceTree(leafHashes)
    const random = seededRandom()
    t.comment(`seed ${random.seed}`)
    const problems: string[] = []
    const pairs: (readonly [number, number])[] = SIZES.flatMap((second) =>
      SIZES.filter((first) => first > 0 && first <= second).map((first) => [first, second] as const)
    )
    for (let i = 0; i < 100; i++) {
      const second = 1 + random.below(random.pick([300, 1000, 70000]))
      pairs.push([1 + random.below(second), second])
    }
    for (const [firstSize, secondSize] of pairs) {
      const refs = tilesForConsistency(firstSize, secondSize)
      const planned = new Map(refs.map((ref) => [tileKey(ref), ref]))
      const fetchTile = async (level: number, tileIndex: number): Promise<Uint8Array> => {
        const ref = planned.get(tileKey({ level, tileIndex }))
        if (ref === undefined) throw new Error(`tile ${level}/${tileIndex} was not planned`)
        return tree.readTile(level, tileIndex).subarray(0, ref.width * 32)
      }
      const got = {
        first: await rootHashAtSize(firstSize, fetchTile, sha256),
        second: await rootHashAtSize(secondSize, fetchTile, sha256),
        proof: await buildConsistencyProof(firstSize, secondSize, fetchTile, sha256)
      }
      const want = {
        first: reference.mth(0, firstSize),
        second: reference.mth(0, secondSize),
        proof: reference.proof(firstSize, secondSize)
      }
      const name = `${firstSize} to ${secondSize}`
      if (JSON.stringify(got) !== JSON.stringify(want)) problems.push(name)
      for (const { level, tileIndex, width } of refs) {
        if (width !== tileWidth(level, tileIndex, secondSize)) problems.push(`${name}: width`)
        const above = tileKey({ level: level + 1, tileIndex: Math.floor(tileIndex / 256) })
        if (width === 256 && !planned.has(above)) problems.push(`${name}: no ${above}`)
      }
    }
    t.strictSame(problems, [])
  }
)

t.test('no tree grows between impossible sizes', (t) => {
  for (const [first, second] of [
    [1, 0],
    [-1, 5],
    [0, NaN],
    [0.5, 1],
    [1, 2 ** 53]
  ] as const) {
    t.throws(() => tilesForConsistency(first, second), { code: 'invalid_request' })
  }
  t.end()
})

const PATHS: readonly (readonly [string, TileRef])[] = [
  ['tile/0/000', { level: 0, tileIndex: 0, width: 256 }],
  ['tile/0/000.p/1', { level: 0, tileIndex: 0, width: 1 }],
  ['tile/0/000.p/255', { level: 0, tileIndex: 0, width: 255 }],
  ['tile/1/999', { level: 1, tileIndex: 999, width: 256 }],
  ['tile/0/x001/000', { level: 0, tileIndex: 1000, width: 256 }],
  ['tile/63/x001/x234/067.p/7', { level: 63, tileIndex: 1234067, width: 7 }],
  ['tile/0/x004/x294/x967/296', { level: 0, tileIndex: 2 ** 32, width: 256 }],
  [
    'tile/0/x009/x007/x199/x254/x740/991',
    { level: 0, tileIndex: Number.MAX_SAFE_INTEGER, width: 256 }
  ]
]

t.test('tile paths, both ways', (t) => {
  for (const [path, ref] of PATHS) {
    t.equal(formatTilePath(ref), path)
    t.same(parseTilePath(path), ref)
  }
  for (const size of SIZES) {
    const paths = new Set<string>()
    for (const ref of tilesOfTree(size)) {
      const path = formatTilePath(ref)
      paths.add(path)
      t.same(parseTilePath(path), ref)
    }
    t.equal(paths.size, [...tilesOfTree(size)].length, `paths of ${size} are all different`)
  }
  t.end()
})

t.test('positions are the part of a path that bundles share', (t) => {
  const position = { tileIndex: 1234067, width: 7 }
  t.equal(formatTilePosition(position), 'x001/x234/067.p/7')
  t.strictSame(parseTilePosition('x001/x234/067.p/7'), position)
  for (const text of ['', '00', '000/', 'x000', '000.p/256', '0000', `${'x001/'.repeat(9)}000`]) {
    t.equal(parseTilePosition(text), undefined, text)
  }
  t.end()
})

const NOT_PATHS = {
  nothing: '',
  'no index': 'tile/0/',
  'no level': 'tile//000',
  'leading slash': '/tile/0/000',
  'trailing slash': 'tile/0/000/',
  'another resource': 'tile/entries/000',
  'level 64': 'tile/64/000',
  'level of three digits': 'tile/100/000',
  'no slash after the level': 'tile/0000',
  'level with leading zero': 'tile/00/000',
  'negative level': 'tile/-1/000',
  'index of two digits': 'tile/0/00',
  'index of four digits': 'tile/0/1000',
  'group without x': 'tile/0/001/000',
  'x on the last group': 'tile/0/x000',
  'leading zero group': 'tile/0/x000/001',
  'capital X': 'tile/0/X001/000',
  'index beyond 2^53': 'tile/0/x009/x007/x199/x254/x740/992',
  'index far beyond 2^53': 'tile/0/x009/x223/x372/x036/x854/x775/807',
  'width 0': 'tile/0/000.p/0',
  'width 256 spelled out': 'tile/0/000.p/256',
  'width 257': 'tile/0/000.p/257',
  'width with leading zero': 'tile/0/000.p/01',
  'empty width': 'tile/0/000.p/',
  'negative width': 'tile/0/000.p/-1',
  'dot segments': 'tile/0/../0/000',
  'newline at the end': 'tile/0/000\n',
  'full-width digits': 'tile/0/０００',
  'a million groups': `tile/0/${'x000/'.repeat(1_000_000)}000`
}

t.test('what is not a tile path is not found', (t) => {
  for (const [name, path] of Object.entries(NOT_PATHS)) {
    t.throws(() => parseTilePath(path), { name: 'LogError', code: 'not_found' }, name)
  }
  t.end()
})

t.test('fuzz: nothing but not_found, and what parses formats to itself', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const pieces = [
    'tile/',
    '0',
    '1',
    '63',
    '9',
    '/',
    'x',
    '000',
    '001',
    '999',
    '.p/',
    '255',
    '-',
    ' ',
    'é'
  ]
  let parsed = 0
  for (let i = 0; i < 20000; i++) {
    let path = random.below(2) === 0 ? '' : random.pick(PATHS)[0]
    for (let n = random.below(7); n > 0; n--) {
      const cut = random.below(path.length + 1)
      path = path.slice(0, cut) + random.pick(pieces) + path.slice(cut + random.below(3))
    }
    try {
      const ref = parseTilePath(path)
      parsed++
      if (formatTilePath(ref) !== path) t.fail(`${path} became ${formatTilePath(ref)}`)
    } catch (err) {
      if (!isLogError(err, 'not_found')) t.fail(`${path}: ${String(err)}`)
    }
  }
  t.ok(parsed > 100, `${parsed} paths parsed`)
  t.end()
})
