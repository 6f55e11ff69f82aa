import t from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { isLogError } from '../../src/errors.js'
import { sha256 as fast } from '../../src/keys/sha256.js'
import { buildConsistencyProof } from '../../src/merkle/consistency-proof.js'
import { LONG_BUNDLES } from '../../src/merkle/entry-bundle.js'
import { buildInclusionProof, verifyInclusion } from '../../src/merkle/inclusion-proof.js'
import { hashTileSlots, rootHashAtSize } from '../../src/merkle/tile-hashes.js'
import {
  type FetchResource,
  type TileReader,
  openTileReader
} from '../../src/merkle/tile-reader.js'
import { formatTilePath, parseTilePath, tilesForConsistency } from '../../src/merkle/tiles.js'
import { seededRandom } from '../helpers/random.js'
import { refusal, refusalText } from '../helpers/refusals.js'
import { at, sha256 } from '../helpers/rfc6962.js'
import { type StaticLog, damagedTiles, staticLogs, staticPath } from '../helpers/static-log.js'
import { VAST_SIZES, vastTree } from '../helpers/vast-tree.js'

const logs = staticLogs()
const { reference } = logs

/** Those at which tiles become partial, full, one of a kind; and some in between. */
const ODD_SIZES = [1, 2, 255, 256, 257, 511, 767, 1000, 65535, 65536, 65537, 70000]
const FORMATS = ['entries', 'entries-v1'] as const

function open(
  log: StaticLog,
  fetchResource: FetchResource = log.fetchResource,
  directory: (typeof FORMATS)[number] = 'entries'
): Promise<TileReader> {
  const bundles = directory === 'entries' ? {} : { bundles: LONG_BUNDLES }
  return openTileReader({ treeHead: log.treeHead, fetchResource, sha256: fast, ...bundles })
}

function tilePaths(log: StaticLog): string[] {
  return [...log.resources.keys()].filter((path) => /^tile\/\d/.test(path))
}

function bundlePaths(log: StaticLog, directory: string): string[] {
  return [...log.resources.keys()].filter((path) => path.startsWith(`tile/${directory}/`))
}

/**
 * What becomes of forged tiles: `accepted`, or the code of the refusal. A tile at the right edge is part of what a tree is
 * opened with; any other is asked for.
 */
async function forger(
  log: StaticLog
): Promise<(path: string, forged: Uint8Array) => Promise<string>> {
  const changes = new Map<string, Uint8Array>()
  const fetchResource = log.forged(changes)
  const reader = await open(log, fetchResource)
  return async (path, forged) => {
    const { level, tileIndex, width } = parseTilePath(path)
    changes.set(path, forged)
    try {
      // What was found good is remembered, as those above the leaves are.
      const asking = level === 0 && width === 256 ? reader : await open(log, fetchResource)
      await asking.tile(level, tileIndex)
      return 'accepted'
    } catch (err) {
      if (isLogError(err)) return err.code
      throw err
    } finally {
      changes.clear()
    }
  }
}

function flipBit(bytes: Uint8Array, index: number, bit: number): Uint8Array {
  const flipped = bytes.slice()
  flipped[index] = (flipped[index] ?? 0) ^ (1 << bit)
  return flipped
}

t.test('resources are those of the vectors', (t) => {
  const { resources } = logs.at(70000)
  const hashes = {
    'tile/0/000': 'b9704a8bfbee2c61185ceb38904a49f3f703c81e194b5b2ccdc254c2bdaaa62b',
    'tile/0/273.p/112': '4d21244557c976993a9a89bf928a46b5a876585228df279878239fd84489e5a5',
    'tile/1/000': 'ea7b038bc73489c89c31a27ac355aaca65a4ed73f0dd7484e68deb29d30f10a2',
    'tile/1/001.p/17': 'adfaca2731630fe7944a4b98a0f98ef3e98685eafda09e6f81070218fb759ce4',
    'tile/entries/000': '94693d5c6d6a0355ec07bac8214516c1ce6a5100b0588f226fd95f26571157d7'
  }
  for (const [path, hash] of Object.entries(hashes)) {
    t.equal(encodeHex(sha256(resources.get(path) ?? new Uint8Array(0))), hash, path)
  }
  t.same(
    encodeHex(resources.get('tile/2/000.p/1') ?? new Uint8Array(0)),
    'f025d06ed804859fd274a1bdacadd6e48ea87634aa91e1edb20143f9498cd02b'
  )
  t.end()
})

t.test('reads every tile and entry of honest logs', async (t) => {
  for (const size of ODD_SIZES) {
    const log = logs.at(size)
    for (const directory of FORMATS) {
      log.reads.length = 0
      const reader = await open(log, log.fetchResource, directory)
      const problems: string[] = []
      for (const path of tilePaths(log)) {
        const { level, tileIndex } = parseTilePath(path)
        const tile = (await reader.tile(level, tileIndex)) ?? new Uint8Array(0)
        if (!Buffer.from(tile).equals(log.resources.get(path) ?? tile)) problems.push(path)
      }
      let leafIndex = 0
      for (let index = 0; index * 256 < size; index++) {
        const run = await reader.entryBundle(index)
        if (run.leafIndex !== leafIndex) problems.push(`bundle ${index} at ${run.leafIndex}`)
        const width = run.leafValues.length
        const numbers = Array.from({ length: width }, (_, i) => leafIndex + i)
        const entries = run.leafValues.map((leafValue) => Buffer.from(leafValue).toString())
        if (entries.join() !== numbers.join()) problems.push(`entries from ${leafIndex}`)
        const tile = log.resources.get(staticPath('0', index, width)) ?? new Uint8Array(0)
        if (!Buffer.from(tile).equals(run.leafHashes)) problems.push(`hashes from ${leafIndex}`)
        leafIndex += width
      }
      t.strictSame(problems, [])
      t.equal(leafIndex, size, `all entries of ${size} in ${directory}`)
      t.ok(
        log.reads.every((path) => log.resources.has(path)),
        'asks for nothing that is not there'
      )
    }
  }
})

t.test('with the built-in SHA-256, and standard bundles', async (t) => {
  const { treeHead, fetchResource } = logs.at(257)
  const reader = await openTileReader({ treeHead, fetchResource })
  t.same(reader.treeHead, treeHead)
  t.same((await reader.entryBundle(1)).leafValues, [encodeUtf8('256')])
})

t.test('the empty tree', async (t) => {
  const treeHead = { treeSize: 0, rootHash: sha256() }
  const fetchResource: FetchResource = async (path) => {
    throw new Error(`asked for ${path}`)
  }
  const reader = await openTileReader({ treeHead, fetchResource })
  t.equal(await reader.tile(0, 0), undefined)
  t.equal(await refusalText(() => reader.entryBundle(0)), 'invalid_request: no bundle 0 at size 0')
  t.equal(
    await refusalText(() =>
      openTileReader({ treeHead: { treeSize: 0, rootHash: new Uint8Array(2) }, fetchResource })
    ),
    `integrity: no tiles lead to root ${encodeHex(sha256())} at size 0, want 0000`
  )
})

t.test('impossible sizes, tiles and bundles', async (t) => {
  const { fetchResource, treeHead } = logs.at(1000)
  for (const treeSize of [-1, 0.5, NaN, 2 ** 53]) {
    t.equal(
      await refusalText(() =>
        openTileReader({ treeHead: { ...treeHead, treeSize }, fetchResource })
      ),
      `invalid_request: no tree size: ${treeSize}`
    )
  }
  const reader = await openTileReader({ treeHead, fetchResource })
  for (const [level, tileIndex] of [
    [0, 4],
    [1, 1],
    [2, 0],
    [64, 0],
    [0, -1],
    [-1, 0],
    [0.5, 0],
    [0, 1.5],
    [NaN, 0],
    [0, NaN],
    [1e9, 0],
    [0, 2 ** 53]
  ] as const) {
    t.equal(await reader.tile(level, tileIndex), undefined, `tile ${level}/${tileIndex}`)
  }
  for (const index of [4, -1, 1.5, NaN, 2 ** 53]) {
    t.equal(
      await refusalText(() => reader.entryBundle(index)),
      `invalid_request: no bundle ${index} at size 1000`
    )
  }
})

t.test('another root, or the root of another size', async (t) => {
  const log = logs.at(1000)
  const want = encodeHex(reference.mth(0, 999))
  t.equal(
    await refusalText(() =>
      open({ ...log, treeHead: { treeSize: 1000, rootHash: reference.mth(0, 999) } })
    ),
    `integrity: tile/0/003.p/232, tile/1/000.p/3 lead to root ${encodeHex(log.treeHead.rootHash)} at size 1000, want ${want}`
  )
  const short = { treeSize: 1000, rootHash: log.treeHead.rootHash.slice(1) }
  t.equal((await refusal(() => open({ ...log, treeHead: short }))).code, 'integrity')
})

t.test('every hash of every tile counts', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (const size of ODD_SIZES) {
    const log = logs.at(size)
    const accepted: string[] = []
    let forgeries = 0
    const forge = await forger(log)
    for (const path of tilePaths(log)) {
      const tile = log.resources.get(path) ?? new Uint8Array(0)
      const slots = tile.length / 32
      const { level, width } = parseTilePath(path)
      // Of the large trees every hash of the upper and the partial tiles, and one of each full tile of leaves.
      const some = size > 1000 && level === 0 && width === 256
      for (let slot = some ? random.below(slots) : 0; slot < slots; slot += some ? 256 : 1) {
        const forged = flipBit(tile, slot * 32 + random.below(32), random.below(8))
        forgeries++
        if ((await forge(path, forged)) !== 'integrity') {
          accepted.push(`${path} slot ${slot}`)
        }
      }
    }
    t.strictSame(accepted, [], `${forgeries} forged hashes at size ${size}`)
  }
})

t.test('tiles of other width, order or place', async (t) => {
  for (const size of ODD_SIZES) {
    const log = logs.at(size)
    const accepted: string[] = []
    let forgeries = 0
    const forge = await forger(log)
    for (const [i, path] of tilePaths(log).entries()) {
      const { level, width } = parseTilePath(path)
      const all = damagedTiles(log, path)
      const some = size > 1000 && level === 0 && width === 256
      for (const [name, forged] of some ? [at(all, i % all.length)] : all) {
        forgeries++
        if ((await forge(path, forged)) !== 'integrity') {
          accepted.push(`${path} ${name}`)
        }
      }
    }
    t.strictSame(accepted, [], `${forgeries} forged tiles at size ${size}`)
  }
})

t.test('a forged tile hides behind no other: everything below it is refused too', async (t) => {
  const log = logs.at(70000)
  const tile = log.resources.get('tile/1/000') ?? new Uint8Array(0)
  const below = log.resources.get('tile/0/002') ?? new Uint8Array(0)
  const forgedBelow = flipBit(below, 0, 0)
  // A whole forged branch, as consistent as it can be.
  const slots = { level: 0, tileIndex: 2, firstSlot: 0, slots: 256 }
  const forgedRoot = hashTileSlots(forgedBelow, slots, sha256)
  const forgedTile = tile.slice()
  forgedTile.set(forgedRoot, 2 * 32)
  const reader = await open(
    log,
    log.forged(
      new Map([
        ['tile/1/000', forgedTile],
        ['tile/0/002', forgedBelow]
      ])
    )
  )
  for (const index of [0, 2, 255]) {
    const { code, details } = await refusal(() => reader.tile(0, index))
    t.strictSame([code, details], ['integrity', { path: 'tile/1/000' }], `tile ${index}`)
    t.equal((await refusal(() => reader.entryBundle(index))).code, 'integrity')
  }
  t.ok(await reader.tile(0, 256), 'what leads elsewhere is not concerned')
  await t.rejects(buildConsistencyProof(767, 70000, reader.tile, sha256), { code: 'integrity' })
})

t.test('tiles of one level in place of another', async (t) => {
  for (const size of ODD_SIZES.filter((size) => size >= 256)) {
    const log = logs.at(size)
    const forge = await forger(log)
    const last = Math.floor((size - 1) / 256)
    const paths = tilePaths(log).filter((path) => {
      const { level, tileIndex } = parseTilePath(path)
      return level > 0 || [0, 1, 255, 256, last].includes(tileIndex)
    })
    const accepted: string[] = []
    let forgeries = 0
    for (const path of paths) {
      const tile = log.resources.get(path) ?? new Uint8Array(0)
      for (const other of paths) {
        const bytes = log.resources.get(other) ?? new Uint8Array(0)
        const swaps = parseTilePath(other).level !== parseTilePath(path).level
        if (!swaps || bytes.length < tile.length) continue
        forgeries++
        const code = await forge(path, bytes.slice(0, tile.length))
        if (code !== 'integrity') accepted.push(`${other} as ${path}`)
      }
    }
    t.strictSame(accepted, [], `${forgeries} swapped at size ${size}`)
    t.ok(forgeries > 0)
  }
})

t.test('every entry of every bundle counts', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (const size of ODD_SIZES) {
    const log = logs.at(size)
    const changes = new Map<string, Uint8Array>()
    const accepted: string[] = []
    let forgeries = 0
    for (const directory of FORMATS) {
      const lengthBytes = directory === 'entries' ? 2 : 4
      const reader = await open(log, log.forged(changes), directory)
      for (const [index, path] of bundlePaths(log, directory).entries()) {
        const bundle = log.resources.get(path) ?? new Uint8Array(0)
        const few = size > 1000 || directory === 'entries-v1'
        const skip = few ? random.below(256) : 0
        for (let offset = 0, entry = 0; offset < bundle.length; entry++) {
          const length = bundle[offset + lengthBytes - 1] ?? 0
          offset += lengthBytes + length
          if (few && entry % 256 !== skip % Math.min(256, size - index * 256)) continue
          changes.set(path, flipBit(bundle, offset - 1, random.below(8)))
          forgeries++
          const { code, details } = await refusal(() => reader.entryBundle(index))
          if (code !== 'integrity' || details['path'] !== path) accepted.push(`${path} ${entry}`)
        }
        changes.clear()
      }
    }
    t.strictSame(accepted, [], `${forgeries} forged entries at size ${size}`)
  }
})

t.test('bundles that hide, add, repeat or move entries', async (t) => {
  for (const size of ODD_SIZES) {
    const log = logs.at(size)
    const index = Math.floor((size - 1) / 256)
    const path = at(bundlePaths(log, 'entries'), index)
    const bundle = log.resources.get(path) ?? new Uint8Array(0)
    const first = 2 + (bundle[1] ?? 0)
    const forgeries: Record<string, Uint8Array> = {
      empty: new Uint8Array(0),
      'the first entry hidden': bundle.slice(first),
      'the first entry emptied': Uint8Array.of(0, 0, ...bundle.subarray(first)),
      'the last byte cut off': bundle.slice(0, -1),
      'a byte too many': Uint8Array.of(...bundle, 0),
      'an entry too many': Uint8Array.of(...bundle, 0, 1, 65),
      'the first entry repeated': Uint8Array.of(...bundle.subarray(0, first), ...bundle),
      'the tile': log.resources.get(path.replace('entries', '0')) ?? new Uint8Array(0),
      'the other format': log.resources.get(path.replace('entries', 'entries-v1')) ?? bundle
    }
    if (size % 256 > 1) {
      forgeries['the first entry moved to the end'] = Uint8Array.of(
        ...bundle.subarray(first),
        ...bundle.subarray(0, first)
      )
    }
    if (index > 0) {
      forgeries['another bundle'] = log.resources.get('tile/entries/000') ?? bundle
    }
    const accepted: string[] = []
    for (const [name, forged] of Object.entries(forgeries)) {
      const reader = await open(log, log.forged(new Map([[path, forged]])))
      const { code, details } = await refusal(() => reader.entryBundle(index))
      if (code !== 'integrity' || details['path'] !== path) accepted.push(name)
    }
    t.strictSame(accepted, [], `size ${size}`)
  }
})

t.test('what is wrong is said', async (t) => {
  const log = logs.at(1000)
  const short = await open(log, log.forged(new Map([['tile/0/001', new Uint8Array(8191)]])))
  t.equal(
    await refusalText(() => short.tile(0, 1)),
    'integrity: tile/0/001 has 8191 bytes, want 8192'
  )
  const zeros = new Uint8Array(8192)
  const slots = { level: 0, tileIndex: 1, firstSlot: 0, slots: 256 }
  const zerosRoot = hashTileSlots(zeros, slots)
  const forged = await open(log, log.forged(new Map([['tile/0/001', zeros]])))
  t.equal(
    await refusalText(() => forged.tile(0, 1)),
    `integrity: tile/0/001 has root ${encodeHex(zerosRoot)}, the tile above says ${encodeHex(reference.mth(256, 512))}`
  )
  const entry = Uint8Array.of(0, 1, 65)
  const { fetchResource, treeHead } = logs.at(1)
  const one = await openTileReader({
    treeHead,
    fetchResource: async (path, max) =>
      path === 'tile/entries/000.p/1' ? entry : fetchResource(path, max)
  })
  t.equal(
    await refusalText(() => one.entryBundle(0)),
    `integrity: tile/entries/000.p/1 entry 0 has leaf hash ${encodeHex(sha256(Uint8Array.of(0, 65)))}, the tree has ${encodeHex(treeHead.rootHash)}`
  )
})

t.test('a log that withholds something', async (t) => {
  const log = logs.at(1000)
  for (const path of ['tile/0/003.p/232', 'tile/1/000.p/3']) {
    const { code, details } = await refusal(() =>
      open(log, log.forged(new Map([[path, undefined]])))
    )
    t.strictSame([code, details], ['not_found', { path }])
  }
  const withheld = new Map([
    ['tile/0/001', undefined],
    ['tile/entries/002', undefined],
    ['tile/entries/003.p/232', undefined]
  ])
  const reader = await open(log, log.forged(withheld))
  t.equal(
    await refusalText(() => reader.entryBundle(1)),
    'not_found: tile/0/001 is part of the tree and not served'
  )
  t.equal(
    await refusalText(() => reader.entryBundle(2)),
    'not_found: tile/entries/002 is part of the tree and not served'
  )
  t.equal(
    await refusalText(() => reader.entryBundle(3)),
    'not_found: tile/entries/003.p/232 is part of the tree and not served'
  )
  withheld.clear()
  t.equal((await reader.entryBundle(1)).leafIndex, 256, 'when it is there again, it is read')
})

t.test('errors of the way to the log pass through, and are not remembered', async (t) => {
  const log = logs.at(1000)
  const failure = new Error('no route')
  await t.rejects(
    open(log, async () => {
      throw failure
    }),
    failure
  )
  let broken = true
  const reader = await open(log, async (path, maxBytes) => {
    if (broken && path === 'tile/0/000') throw failure
    return log.fetchResource(path, maxBytes)
  })
  await t.rejects(reader.tile(0, 0), failure)
  broken = false
  t.equal((await reader.tile(0, 0))?.length, 8192)
})

t.test('where only full tiles and bundles are left, the beginning of them is read', async (t) => {
  const whole = logs.at(70000)
  for (const size of [1, 257, 767, 1000, 65537]) {
    const { treeHead } = logs.at(size)
    // As the large tree has them, but what was partial at this size is full or wider now.
    const later: FetchResource = async (path) => whole.resources.get(path)
    if (size === 65537) {
      // The tile of level 2 is partial for both; the one of level 0 is full.
      t.ok(whole.resources.has('tile/2/000.p/1'))
    }
    const reader = await openTileReader({ treeHead, fetchResource: later, sha256 })
    const last = Math.floor((size - 1) / 256)
    const run = await reader.entryBundle(last)
    t.equal(run.leafIndex + run.leafValues.length, size, 'no entry beyond the tree')
    t.equal(run.leafHashes.length, run.leafValues.length * 32)
    t.equal((await reader.tile(0, last))?.length, run.leafHashes.length, 'no hash beyond the tree')
    t.same(await rootHashAtSize(size, reader.tile, sha256), treeHead.rootHash)
  }
})

t.test('a full tile in place of a partial one has to be full and begin like it', async (t) => {
  const log = logs.at(1000)
  const partial = log.resources.get('tile/0/003.p/232') ?? new Uint8Array(0)
  const full = new Uint8Array(8192).fill(1)
  full.set(partial)
  const serve = (tile: Uint8Array): FetchResource =>
    log.forged(
      new Map([
        ['tile/0/003.p/232', undefined],
        ['tile/0/003', tile]
      ])
    )
  const reader = await open(log, serve(full))
  t.same(await reader.tile(0, 3), partial, 'nobody can say what comes later, and nobody gets it')
  const cases = {
    'a byte short': full.slice(1),
    'the partial tile under the wrong name': partial,
    'too wide': Uint8Array.of(...full, ...full),
    'another beginning': flipBit(full, 231 * 32, 0)
  }
  for (const [name, tile] of Object.entries(cases)) {
    t.equal((await refusal(() => open(log, serve(tile)))).code, 'integrity', name)
  }

  const bundle = log.resources.get('tile/entries/003.p/232') ?? new Uint8Array(0)
  const changes = new Map([['tile/entries/003.p/232', undefined as Uint8Array | undefined]])
  const entries = await open(log, log.forged(changes))
  changes.set('tile/entries/003', Uint8Array.of(...bundle, ...new Uint8Array(2 * 24)))
  t.equal((await entries.entryBundle(3)).leafValues.length, 232)
  changes.set('tile/entries/003', bundle)
  t.equal(
    await refusalText(() => entries.entryBundle(3)),
    'integrity: tile/entries/003 entry bundle: ends within entry 232 of 256'
  )
})

t.test('asks for no more bytes than can be right', async (t) => {
  const log = logs.at(1000)
  const asked = new Map<string, number>()
  const fetchResource: FetchResource = async (path, maxBytes) => {
    asked.set(path, maxBytes)
    return log.resources.get(path)
  }
  await (await open(log, fetchResource)).entryBundle(3)
  await (await open(log, fetchResource, 'entries-v1')).entryBundle(0)
  t.strictSame(Object.fromEntries(asked), {
    'tile/0/003.p/232': 232 * 32,
    'tile/1/000.p/3': 96,
    'tile/entries/003.p/232': 232 * 65537,
    'tile/entries-v1/000': 256 * (4 + 2 ** 20),
    'tile/0/000': 8192
  })
})

t.test('reads what a proof needs once, and nothing else', async (t) => {
  for (const size of ODD_SIZES) {
    const log = logs.at(size)
    for (const older of ODD_SIZES.filter((older) => older <= size)) {
      log.reads.length = 0
      const reader = await open(log)
      t.same(await rootHashAtSize(older, reader.tile, sha256), reference.mth(0, older))
      t.same(
        await buildConsistencyProof(older, size, reader.tile, sha256),
        reference.proof(older, size)
      )
      const planned = tilesForConsistency(older, size).map(formatTilePath)
      t.strictSame([...log.reads].sort(), [...planned].sort(), `${older} to ${size}`)
    }
  }
})

t.test('proofs of inclusion come out of it', async (t) => {
  const log = logs.at(70000)
  const reader = await open(log)
  for (const leafIndex of [0, 255, 256, 65535, 65536, 69999]) {
    const proof = await buildInclusionProof(leafIndex, 70000, reader.tile, sha256)
    verifyInclusion(reference.mth(leafIndex, leafIndex + 1), leafIndex, log.treeHead, proof, sha256)
    t.same(proof, reference.path(leafIndex, 70000), `${leafIndex}`)
  }
})

t.test('tiles above are read once, however many below them are read', async (t) => {
  const log = logs.at(70000)
  const reader = await open(log)
  await Promise.all(Array.from({ length: 100 }, (_, i) => reader.tile(0, i % 10)))
  t.equal(log.reads.length, 3 + 10 + 1, 'at the same time')
  log.reads.length = 0
  for (let index = 0; index < 274; index++) await reader.entryBundle(index)
  t.equal(log.reads.filter((path) => path === 'tile/1/000').length, 0)
  t.equal(new Set(log.reads).size, log.reads.length, 'one after the other')
  log.reads.length = 0
  await reader.tile(0, 0)
  t.strictSame(log.reads, ['tile/0/000'], 'not all of them are kept')
})

t.test('nobody changes what is remembered', async (t) => {
  const log = logs.at(70000)
  const served = new Map<string, Buffer>()
  const rootHash = Buffer.from(log.treeHead.rootHash)
  const reader = await openTileReader({
    treeHead: { treeSize: 70000, rootHash },
    fetchResource: async (path) => {
      const bytes = Buffer.from(log.resources.get(path) ?? '')
      served.set(path, bytes)
      return bytes
    },
    sha256
  })
  rootHash.fill(0)
  t.same(reader.treeHead, log.treeHead)
  for (const [level, tileIndex] of [
    [0, 5],
    [1, 0],
    [0, 273]
  ] as const) {
    const path = staticPath(String(level), tileIndex, tileIndex === 273 ? 112 : 256)
    const tile = await reader.tile(level, tileIndex)
    tile?.fill(0)
    served.get(path)?.fill(0)
    t.same(await reader.tile(level, tileIndex), log.resources.get(path), path)
  }
  const { leafHashes } = await reader.entryBundle(5)
  leafHashes.fill(0)
  t.same(await reader.tile(0, 5), log.resources.get('tile/0/005'))
})

t.test('vast trees', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (const size of VAST_SIZES) {
    const marked = BigInt(random.below(2 ** 31 - 1))
    const vast = vastTree(size, new Map([[marked, sha256()]]))
    const treeSize = Number(size)
    const fetchResource: FetchResource = async (path) => {
      const { level, tileIndex, width } = parseTilePath(path)
      return vast.tile(level, tileIndex)?.subarray(0, width * 32)
    }
    const treeHead = { treeSize, rootHash: vast.mth(0n, size) }
    const reader = await openTileReader({ treeHead, fetchResource, sha256 })
    const leaves = (await reader.tile(0, Number(marked / 256n))) ?? new Uint8Array(0)
    const slot = Number(marked % 256n)
    t.same(leaves.subarray(slot * 32, slot * 32 + 32), sha256(), `leaf ${marked} of ${size}`)
    t.same(
      await rootHashAtSize(Number(marked) + 1, reader.tile, sha256),
      vast.mth(0n, marked + 1n),
      'the root then'
    )
    const lying = vastTree(size, new Map([[marked, sha256(sha256())]]))
    const liar = openTileReader({
      treeHead,
      fetchResource: async (path) => {
        const { level, tileIndex, width } = parseTilePath(path)
        return lying.tile(level, tileIndex)?.subarray(0, width * 32)
      },
      sha256
    })
    await t.rejects(
      liar.then((reader) => reader.tile(0, Number(marked / 256n))),
      { code: 'integrity' },
      'another leaf'
    )
  }
})

t.test('fuzz: what is handed out is true, whatever is served', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const problems: string[] = []
  let given = 0
  let refused = 0
  for (let round = 0; round < 300; round++) {
    const log = logs.at(random.pick([1, 2, 255, 257, 511, 767]))
    const paths = [...log.resources.keys()]
    const fetchResource: FetchResource = async (path) => {
      if (random.below(12) > 0) return log.resources.get(path)
      const kind = random.below(4)
      const bytes = log.resources.get(random.pick(paths)) ?? new Uint8Array(0)
      if (kind === 0) return undefined
      if (kind === 1) return bytes
      if (kind === 2) return random.bytes(random.below(100))
      return flipBit(bytes, random.below(bytes.length), random.below(8))
    }
    try {
      const reader = await open(log, fetchResource)
      const index = random.below(Math.ceil(log.treeHead.treeSize / 256))
      const run = await reader.entryBundle(index)
      run.leafValues.forEach((leafValue, i) => {
        const want = String(run.leafIndex + i)
        if (Buffer.from(leafValue).toString() !== want) problems.push(`entry ${want}`)
      })
      given++
    } catch (err) {
      refused++
      if (!isLogError(err, 'integrity', 'not_found')) problems.push(String(err))
    }
  }
  t.strictSame(problems, [])
  t.ok(given > 30 && refused > 30, `${given} given, ${refused} refused`)
})
