import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeUtf8, encodeUtf8 } from '../../src/encoding/text.js'
import { isLogError } from '../../src/errors.js'
import { badThing } from '../../src/log/check-error.js'
import { type CheckReport, checkLog } from '../../src/log/check-log.js'
import { type CheckRunner, createLocalRunner } from '../../src/log/check-runner.js'
import type { LeafChecks } from '../../src/log/leaf-checks.js'
import { START_OF_TREE, guessWalk, isSameWalk } from '../../src/log/tree-walk.js'
import { hashLeaf } from '../../src/merkle/hash.js'
import { integrateFast } from '../../src/store/integrate-fast.js'
import type { Database, StoredLeaf } from '../../src/store/log-store.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { execute, flip, leafId, tileId } from '../helpers/damage.js'
import { seededRandom } from '../helpers/random.js'
import {
  createTestLog,
  openTestLog,
  tempFolder,
  testChecks,
  testLeaf,
  testLeaves
} from '../helpers/test-log.js'

const LEAVES = 1100
/** As many as the store gives at once. */
const RANGE = 512
const BORDERS = [512, 1024]

/** What was found good before: the same logs are checked many times. */
const good = new Set<string>()

function once(what: readonly unknown[], verify: () => void | Promise<void>): void | Promise<void> {
  const name = JSON.stringify(what)
  if (good.has(name)) return
  const verified = verify()
  if (verified === undefined) good.add(name)
  else return verified.then(() => void good.add(name))
}

/** Checks that know by what the leaves of the test log are found; of even ones at once, of every seventh nothing. */
function derivingChecks(): LeafChecks {
  const checks = testChecks()
  const derive = ({ leafValue, leafIndex }: StoredLeaf) => {
    const searchKeys = leafIndex % 7 === 0 ? [] : [`key of ${decodeUtf8(leafValue)}`]
    return { searchKeys, attestationKey: undefined }
  }
  return {
    verifyCheckpoint: (tree, checkpoint) =>
      once([tree.publicKey, tree.origin, checkpoint.note], () =>
        checks.verifyCheckpoint(tree, checkpoint)
      ),
    verifyPromise: (tree, leaf) => {
      const { leafIndex, integratedTimeSeconds, leafValue, inclusionPromise } = leaf
      const signed = [tree.publicKey, tree.offset, leafIndex, integratedTimeSeconds]
      return once([...signed, leafValue, inclusionPromise], () => checks.verifyPromise(tree, leaf))
    },
    deriveFromLeaf: ({ treeId }, leaf, { extraData }) => {
      if (extraData === undefined) return derive(leaf)
      throw badThing('extraData', { treeId, index: leaf.leafIndex }, 'there is extra data')
    },
    derivePlain: (leaf) => (leaf.leafIndex % 2 === 0 ? derive(leaf) : undefined)
  }
}

/** The local runner as if it were threads: several ranges under way at once. Counts what it is asked for. */
function severalAtOnce(database: Database, checks: LeafChecks) {
  const local = createLocalRunner(database, { rekor: checks, ct: checks })
  const starts: number[] = []
  const runner: CheckRunner = {
    ...local,
    lanes: 4,
    checkLeaves: (range, digests, onLeaves) => {
      starts.push(range.walk.treeSize)
      return local.checkLeaves(range, digests, onLeaves)
    }
  }
  return { runner, starts }
}

type Found = CheckReport | { readonly message: string; readonly details: unknown }

async function check(folder: string, inRanges: boolean): Promise<Found> {
  const database = await openDatabase({ path: join(folder, 'log.sqlite'), mode: 'read' })
  const checks = derivingChecks()
  try {
    return await checkLog({
      database,
      checks: { rekor: checks, ct: checks },
      ...(inRanges
        ? { runner: severalAtOnce(database, checks).runner, rangeLeaves: RANGE }
        : { rangeLeaves: Number.MAX_SAFE_INTEGER })
    })
  } catch (err) {
    if (!isLogError(err, 'integrity')) throw err
    return { message: err.message, details: err.details }
  } finally {
    await database.close()
  }
}

type Damage = readonly [name: string, damage: (folder: string) => void]

/** All that can happen to one leaf. */
function damagesAt(leaf: number): readonly Damage[] {
  const row = `leaf_id = ${leafId(leaf)}`
  const tile = `tile_id = ${tileId(0, Math.floor(leaf / 256))}`
  const at = (name: string, damage: (folder: string) => void): Damage => [`${name} ${leaf}`, damage]
  const run = (sql: string) => (folder: string) => execute(folder, sql)
  return [
    at('bytes', (folder) => flip(folder, 'leaf', 'leaf_value', row, 2)),
    at('hash', (folder) => flip(folder, 'leaf', 'leaf_hash', row, 5)),
    at('digest', (folder) => flip(folder, 'leaf', 'search_digest', row, 3)),
    at('time', run(`update leaf set integrated_time = integrated_time - 5 where ${row}`)),
    at('later time', run(`update leaf set integrated_time = integrated_time + 5 where ${row}`)),
    at('missing', run(`delete from leaf where ${row}`)),
    at('promise', (folder) => flip(folder, 'inclusion_promise', 'promise', row, 12)),
    at('missing promise', run(`delete from inclusion_promise where ${row}`)),
    at('missing search row', run(`delete from search_key where ${row}`)),
    at(
      'search row of the same fold',
      run(
        `update search_key set key_hash = substr(key_hash, 9, 8) || substr(key_hash, 1, 8) where ${row}`
      )
    ),
    at(
      'search row added',
      run(`insert into search_key values (x'${'01'.repeat(9)}${'02'.repeat(7)}', ${leafId(leaf)})`)
    ),
    at('extra data', run(`insert into extra_data values (${leafId(leaf)}, zeroblob(3))`)),
    at('tile', (folder) => flip(folder, 'tile', 'hashes', tile, 32 * (leaf % 256) + 1)),
    at('missing tile', run(`delete from tile where ${tile}`)),
    at(
      'checkpoint',
      run(
        `update checkpoint set root_hash = zeroblob(32)
         where tree_size = (select min(tree_size) from checkpoint where tree_size > ${leaf})`
      )
    )
  ]
}

/** Not of one leaf. */
const OTHER_DAMAGES: readonly Damage[] = [
  ...[1, 2, 3].map((slot): Damage => [
    `hash ${slot} of the tile above`,
    (folder) => flip(folder, 'tile', 'hashes', `tile_id = ${tileId(1, 0)}`, 32 * slot + 7)
  ]),
  [
    'no tile above',
    (folder) => execute(folder, `delete from tile where tile_id = ${tileId(1, 0)}`)
  ],
  ['root', (folder) => flip(folder, 'tree', 'root_hash', 'tree_key = 1', 0)],
  ['size', (folder) => execute(folder, `update tree set tree_size = 1024 where tree_key = 1`)],
  [
    'larger size',
    (folder) => execute(folder, `update tree set tree_size = 2048 where tree_key = 1`)
  ]
]

async function createLog(t: Parameters<typeof createTestLog>[0]): Promise<string> {
  const { folder, database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key)
  await Promise.all(testLeaves(LEAVES).map((leaf) => log.add(leaf)))
  await log.close()
  await database.close()
  return folder
}

t.test('ranges find what one pass finds', async (t) => {
  const whole = await createLog(t)
  t.match(await check(whole, true), { searchRows: LEAVES, trees: [{ treeSize: LEAVES }] })
  t.strictSame(await check(whole, true), await check(whole, false))

  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const all = [...BORDERS, 511].flatMap(damagesAt).concat(OTHER_DAMAGES)
  const cases = all.map((damage) => [damage])
  // Of two things the same one is named.
  for (let i = 0; i < 10; i++) {
    const first = random.pick(all)
    cases.push([first, random.pick(all.filter((damage) => damage !== first))]) // twice the same would undo it
  }
  const folder = tempFolder(t)
  for (const damages of cases) {
    const name = damages.map(([name]) => name).join(', ')
    cpSync(join(whole, 'log.sqlite'), join(folder, 'log.sqlite'))
    try {
      for (const [, damage] of damages) damage(folder)
    } catch {
      continue // the second one finds no row any more
    }
    const want = await check(folder, false)
    t.ok('message' in want, `${name}: ${'message' in want ? want.message : 'found good'}`)
    t.strictSame(await check(folder, true), want, name)
  }
})

t.test('each leaf of a good log is checked once', async (t) => {
  const { database, store } = await createTestLog(t)
  // A whole tile above the first level, and one hash of the next.
  const leaves = Array.from({ length: 66_000 }, (_, i) => {
    const leafValue = encodeUtf8(`leaf ${i}`)
    const leafHash = hashLeaf(leafValue)
    return { leafHash, leafValue, integratedTimeSeconds: i, searchKeys: [] }
  })
  await store.append(leaves, integrateFast)
  const checks = testChecks()
  const { runner, starts } = severalAtOnce(database, checks)
  await checkLog({ database, checks: { rekor: checks, ct: checks }, runner, rangeLeaves: 8192 })
  t.strictSame(
    starts,
    Array.from({ length: 9 }, (_, i) => 8192 * i)
  )
})

t.test('a walk is the same or not', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key)
  await Promise.all(testLeaves(600).map((leaf) => log.add(leaf)))
  await log.add(testLeaf('one more'))
  await log.close()
  const walk = await guessWalk(store, 512)
  t.not(walk, undefined)
  if (walk === undefined) return
  const [range] = walk.range
  const [level0, level1] = walk.tiles
  if (range === undefined || level0 === undefined || level1 === undefined) {
    t.fail('short')
    return
  }
  const other = level1.hashes.map((byte, i) => (i === 63 ? byte ^ 1 : byte))
  const beyond = level1.hashes.map((byte, i) => (i === 64 ? byte ^ 1 : byte))
  t.ok(isSameWalk(walk, walk))
  t.ok(isSameWalk(walk, { ...walk, tiles: [{ ...level0, hashes: other }, level1] }), 'full tile')
  t.ok(isSameWalk(walk, { ...walk, tiles: [level0, { ...level1, hashes: beyond }] }), 'not filled')
  t.notOk(isSameWalk(walk, START_OF_TREE))
  t.notOk(isSameWalk(walk, { ...walk, lastTimeSeconds: 0 }))
  t.notOk(isSameWalk(walk, { ...walk, range: [] }))
  t.notOk(isSameWalk(walk, { ...walk, range: [other.subarray(0, 32)] }))
  t.notOk(isSameWalk(walk, { ...walk, tiles: [level0] }))
  t.notOk(isSameWalk(walk, { ...walk, tiles: [level0, { ...level1, hashes: other }] }))
  t.notOk(isSameWalk(walk, { ...walk, tiles: [level0, { ...level1, width: 3 }] }))
  t.notOk(isSameWalk(walk, { ...walk, tiles: [level0, { ...level1, tileIndex: 1 }] }))
  t.equal(await guessWalk(store, 1024), undefined, 'beyond the end')
  await database.close()
})
