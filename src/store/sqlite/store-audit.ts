import type Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'
import type { Tile } from '../../merkle/tree.js'
import type { Attestation } from '../log-store.js'
import type {
  AuditedHashes,
  AuditedLeaf,
  AuditedPlace,
  AuditedSubmission,
  HashRange,
  StoreAudit
} from '../store-audit.js'
import { toBytes } from './bytes.js'
import { translateErrors } from './errors.js'
import { preparePackedPages } from './packed-pages.js'
import { PLACES, firstIdOf, leafIdOf, leafIndexOf, tilePlaceOf, treeKeyOf } from './row-id.js'
import { takeSnapshot } from './snapshot.js'

/** Rows of a page. Tiles are up to 8 KiB each, attestations up to megabytes. */
const LEAVES_PER_PAGE = 512
const SUBMISSIONS_PER_PAGE = 4096
const TILES_PER_PAGE = 64
const ATTESTATIONS_PER_PAGE = 8

/** Engine problems that are told: one is enough to stop, a few more may show a pattern. */
const MAX_PROBLEMS = 5

/** Sorts before every hash. */
const BEFORE_ALL = new Uint8Array(0)

export function createStoreAudit(connection: Sqlite.Database): StoreAudit {
  const statements = prepareAuditStatements(connection)
  const packed = preparePackedPages(connection)

  function run<T>(action: () => T): T {
    return translateErrors(`${connection.name}: cannot read`, action)
  }

  /** Pages of rows, each beginning after the last row of the one before. */
  async function* pages<Row, Item>(
    readAfter: (last: Row | undefined) => readonly Row[],
    toItem: (row: Row) => Item
  ): AsyncGenerator<readonly Item[]> {
    for (let last: Row | undefined; ;) {
      const rows = run(() => readAfter(last))
      if (rows.length === 0) return
      last = rows.at(-1)
      yield rows.map(toItem)
    }
  }

  function treeKey(treeId: string): number {
    const key = statements.treeKey.get(treeId)
    if (key === undefined) throw new LogError('not_found', `there is no tree ${treeId}`)
    return key
  }

  const treeIds = new Map<number, string | undefined>()
  function placeOf(leafId: number): AuditedPlace {
    const key = treeKeyOf(leafId)
    if (!treeIds.has(key)) treeIds.set(key, statements.treeId.get(key))
    return { treeId: treeIds.get(key), leafIndex: leafIndexOf(leafId) }
  }

  /** Packed where all rows of a page are plain, which takes a sixth of the time; else row by row. */
  async function* leafPages(first: number, end: number): AsyncGenerator<readonly AuditedLeaf[]> {
    for (let next = first; ;) {
      const page =
        run(() => packed.leaves(next, end, LEAVES_PER_PAGE)) ??
        run(() => statements.leaves.all(next, end, LEAVES_PER_PAGE)).map(auditedLeafOfRow)
      const last = page.at(-1)
      if (last === undefined) return
      next = firstIdOf(treeKeyOf(next)) + last.leafIndex + 1
      yield page
    }
  }

  async function* hashPages(
    { readAfter, hashBytes }: ReturnType<typeof preparePackedPages>['leafHashes'],
    range?: HashRange
  ): AsyncGenerator<AuditedHashes> {
    const treeIdsOfPage: (string | undefined)[] = []
    const numbers = new Map<number, number>()
    const numberOf = (key: number): number => {
      const known = numbers.get(key)
      if (known !== undefined) return known
      numbers.set(key, treeIdsOfPage.length)
      return treeIdsOfPage.push(placeOf(firstIdOf(key)).treeId) - 1
    }
    let after = {
      hash: range === undefined ? BEFORE_ALL : new Uint8Array([range.first]),
      leafId: 0
    }
    const end = range === undefined || range.last === 0xff ? undefined : range.last + 1
    for (;;) {
      const { hashes, leafIds } = run(() => readAfter(after, end))
      const count = leafIds.length
      if (count === 0) return
      const lastLeafId = leafIds[count - 1] as number
      after = { hash: hashes.slice(-hashBytes), leafId: lastLeafId }
      const trees = new Uint16Array(count)
      let key = -1
      let number = 0
      for (let i = 0; i < count; i++) {
        const leafId = leafIds[i] as number
        const ownKey = treeKeyOf(leafId)
        if (ownKey !== key) {
          key = ownKey
          number = numberOf(key)
        }
        trees[i] = number
        leafIds[i] = leafIndexOf(leafId)
      }
      yield { count, treeIds: treeIdsOfPage, trees, leafIndexes: leafIds, hashes, hashBytes }
    }
  }

  return {
    takeSnapshot: async () => run(() => takeSnapshot(connection)),
    engineProblems: async () =>
      run(() => statements.quickCheck.all().filter((line) => line !== 'ok')),
    strayTrees: async () => run(() => statements.strayTrees.all()),
    promiseCount: async (treeId) => {
      const key = treeKey(treeId)
      return run(() => statements.promiseCount.get(firstIdOf(key), firstIdOf(key + 1)) ?? 0)
    },
    leaves: (treeId, span = { start: 0 }) => {
      const key = treeKey(treeId)
      return leafPages(
        firstIdOf(key) + span.start,
        span.end === undefined ? firstIdOf(key + 1) : firstIdOf(key) + span.end
      )
    },
    tiles: (treeId) => {
      const key = treeKey(treeId)
      return pages(
        (last?: TileRow) =>
          statements.tiles.all(
            last === undefined ? firstIdOf(key) : last.tile_id + 1,
            firstIdOf(key + 1),
            TILES_PER_PAGE
          ),
        tileOfRow
      )
    },
    leafHashes: (range) => hashPages(packed.leafHashes, range),
    submissions: () =>
      pages(
        (last?: SubmissionRow) =>
          statements.submissions.all(
            last?.submission_hash ?? BEFORE_ALL,
            last?.tree_key ?? 0,
            SUBMISSIONS_PER_PAGE
          ),
        (row): AuditedSubmission => ({
          ...placeOf(row.leaf_id),
          submissionHash: toBytes(row.submission_hash)
        })
      ),
    extraDataCount: async (treeId) => {
      const key = treeKey(treeId)
      return run(() => statements.extraDataCount.get(firstIdOf(key), firstIdOf(key + 1)) ?? 0)
    },
    searchRows: (range) => hashPages(packed.searchRows, range),
    hasSearchRow: async (treeId, leafIndex, keyHash) =>
      run(
        () => statements.searchRow.get(keyHash, leafIdOf(treeKey(treeId), leafIndex)) !== undefined
      ),
    attestations: () =>
      pages(
        (last?: AttestationRow) =>
          statements.attestations.all(last?.attestation_id ?? 0, ATTESTATIONS_PER_PAGE),
        (row): Attestation => ({ key: row.attestation_key, value: toBytes(row.value) })
      )
  }
}

interface LeafAuditRow {
  readonly leaf_id: number
  readonly leaf_hash: Uint8Array
  readonly integrated_time: number
  readonly search_digest: Uint8Array
  readonly attestation_id: number | null
  readonly attestation_key: string | null
  readonly leaf_value: Uint8Array
  readonly promise: Uint8Array | null
  readonly extra_data: Uint8Array | null
}

function auditedLeafOfRow(row: LeafAuditRow): AuditedLeaf {
  return {
    leafIndex: leafIndexOf(row.leaf_id),
    leafHash: toBytes(row.leaf_hash),
    leafValue: toBytes(row.leaf_value),
    integratedTimeSeconds: row.integrated_time,
    searchDigest: toBytes(row.search_digest),
    ...(row.attestation_id === null
      ? {}
      : {
          attestation: row.attestation_key === null ? 'missing' : { key: row.attestation_key }
        }),
    ...(row.promise === null ? {} : { inclusionPromise: toBytes(row.promise) }),
    ...(row.extra_data === null ? {} : { extraData: toBytes(row.extra_data) })
  }
}

interface TileRow {
  readonly tile_id: number
  readonly hashes: Uint8Array
}

function tileOfRow(row: TileRow): Tile {
  return { ...tilePlaceOf(row.tile_id), hashes: toBytes(row.hashes) }
}

interface SubmissionRow {
  readonly submission_hash: Uint8Array
  readonly tree_key: number
  readonly leaf_id: number
}

interface AttestationRow {
  readonly attestation_id: number
  readonly attestation_key: string
  readonly value: Uint8Array
}

function prepareAuditStatements(connection: Sqlite.Database) {
  return {
    treeKey: connection
      .prepare<[treeId: string], number>('select tree_key from tree where tree_id = ?')
      .pluck(),
    treeId: connection
      .prepare<[treeKey: number], string>('select tree_id from tree where tree_key = ?')
      .pluck(),
    // Structure of every page, order of every key, types of every column; not what is in the values.
    quickCheck: connection.prepare<[], string>(`pragma quick_check(${MAX_PROBLEMS})`).pluck(),
    strayTrees: connection
      .prepare<[], string>(
        [
          treeKeysWithoutTree('leaf', 'leaf_id', PLACES),
          treeKeysWithoutTree('inclusion_promise', 'leaf_id', PLACES),
          treeKeysWithoutTree('tile', 'tile_id', PLACES),
          treeKeysWithoutTree('extra_data', 'leaf_id', PLACES),
          treeKeysWithoutTree('checkpoint', 'tree_key', 1)
        ].join(' union all ')
      )
      .pluck(),
    promiseCount: connection
      .prepare<[start: number, end: number], number>(
        'select count(*) from inclusion_promise where leaf_id >= ? and leaf_id < ?'
      )
      .pluck(),
    leaves: connection.prepare<[start: number, end: number, limit: number], LeafAuditRow>(
      `select leaf_id, leaf_hash, integrated_time, search_digest, leaf.attestation_id,
              attestation_key, leaf_value, promise, extra_data.value as extra_data
       from leaf left join inclusion_promise using (leaf_id) left join extra_data using (leaf_id)
            left join attestation on attestation.attestation_id = leaf.attestation_id
       where leaf_id >= ? and leaf_id < ? order by leaf_id limit ?`
    ),
    tiles: connection.prepare<[start: number, end: number, limit: number], TileRow>(
      'select tile_id, hashes from tile where tile_id >= ? and tile_id < ? order by tile_id limit ?'
    ),
    submissions: connection.prepare<
      [submissionHash: Uint8Array, treeKey: number, limit: number],
      SubmissionRow
    >(
      `select submission_hash, tree_key, leaf_id from submission
       where (submission_hash, tree_key) > (?, ?) order by submission_hash, tree_key limit ?`
    ),
    extraDataCount: connection
      .prepare<[start: number, end: number], number>(
        'select count(*) from extra_data where leaf_id >= ? and leaf_id < ?'
      )
      .pluck(),
    searchRow: connection
      .prepare<[keyHash: Uint8Array, leafId: number], number>(
        'select 1 from search_key where key_hash = ? and leaf_id = ?'
      )
      .pluck(),
    attestations: connection.prepare<[after: number, limit: number], AttestationRow>(
      `select attestation_id, attestation_key, value from attestation
       where attestation_id > ? order by attestation_id limit ?`
    )
  }
}

/**
 * Rows of a table that are numbered for a tree which is not there, told by table and number. Steps from one tree's
 * run of rows to the next, so it reads a row a tree, not all of them.
 *
 * @param divisor what the id is divided by to give the tree key
 */
function treeKeysWithoutTree(table: string, id: string, divisor: number): string {
  return `
    select '${table} of tree_key ' || tree_key from (
      with recursive run (tree_key) as (
        select (select min(${id}) / ${divisor} from ${table})
        union all
        select (select min(${id}) / ${divisor} from ${table} where ${id} >= (run.tree_key + 1) * ${divisor})
        from run where run.tree_key is not null
      )
      select tree_key from run where tree_key is not null
    ) where tree_key not in (select tree_key from tree)`
}
