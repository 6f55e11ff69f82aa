import type Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'
import type { Tile } from '../../merkle/tree.js'
import type { Attestation } from '../log-store.js'
import type {
  AuditedLeaf,
  AuditedLeafHash,
  AuditedPlace,
  AuditedSearchRow,
  AuditedSubmission,
  StoreAudit
} from '../store-audit.js'
import { toBytes } from './bytes.js'
import { translateErrors } from './errors.js'
import { PLACES, firstIdOf, leafIdOf, leafIndexOf, tilePlaceOf, treeKeyOf } from './row-id.js'

/** Rows of a page. Tiles are up to 8 KiB each, attestations up to megabytes. */
const LEAVES_PER_PAGE = 512
const HASHES_PER_PAGE = 4096
const TILES_PER_PAGE = 64
const ATTESTATIONS_PER_PAGE = 8

/** Engine problems that are told: one is enough to stop, a few more may show a pattern. */
const MAX_PROBLEMS = 5

/** Sorts before every hash. */
const BEFORE_ALL = new Uint8Array(0)

export function createStoreAudit(connection: Sqlite.Database): StoreAudit {
  const statements = prepareAuditStatements(connection)

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

  return {
    engineProblems: async () =>
      run(() => statements.quickCheck.all().filter((line) => line !== 'ok')),
    strayTrees: async () => run(() => statements.strayTrees.all()),
    promiseCount: async (treeId) => {
      const key = treeKey(treeId)
      return run(() => statements.promiseCount.get(firstIdOf(key), firstIdOf(key + 1)) ?? 0)
    },
    leaves: (treeId) => {
      const key = treeKey(treeId)
      return pages(
        (last?: LeafAuditRow) =>
          statements.leaves.all(
            last === undefined ? firstIdOf(key) : last.leaf_id + 1,
            firstIdOf(key + 1),
            LEAVES_PER_PAGE
          ),
        auditedLeafOfRow
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
    leafHashes: () =>
      pages(
        (last?: LeafHashRow) =>
          statements.leafHashes.all(
            last?.leaf_hash ?? BEFORE_ALL,
            last?.leaf_id ?? 0,
            HASHES_PER_PAGE
          ),
        (row): AuditedLeafHash => ({
          ...placeOf(row.leaf_id),
          leafHash: toBytes(row.leaf_hash)
        })
      ),
    submissions: () =>
      pages(
        (last?: SubmissionRow) =>
          statements.submissions.all(
            last?.submission_hash ?? BEFORE_ALL,
            last?.tree_key ?? 0,
            HASHES_PER_PAGE
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
    searchRows: () =>
      pages(
        (last?: SearchRow) =>
          statements.searchRows.all(
            last?.key_hash ?? BEFORE_ALL,
            last?.leaf_id ?? 0,
            HASHES_PER_PAGE
          ),
        (row): AuditedSearchRow => ({ ...placeOf(row.leaf_id), keyHash: toBytes(row.key_hash) })
      ),
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

interface LeafHashRow {
  readonly leaf_hash: Uint8Array
  readonly leaf_id: number
}

interface SubmissionRow {
  readonly submission_hash: Uint8Array
  readonly tree_key: number
  readonly leaf_id: number
}

interface SearchRow {
  readonly key_hash: Uint8Array
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
    // Read from the index, which is what leaves are found with; the table was checked by itself.
    leafHashes: connection.prepare<
      [leafHash: Uint8Array, leafId: number, limit: number],
      LeafHashRow
    >(
      `select leaf_hash, leaf_id from leaf indexed by leaf_by_hash
       where (leaf_hash, leaf_id) > (?, ?) order by leaf_hash limit ?`
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
    searchRows: connection.prepare<[keyHash: Uint8Array, leafId: number, limit: number], SearchRow>(
      `select key_hash, leaf_id from search_key
       where (key_hash, leaf_id) > (?, ?) order by key_hash, leaf_id limit ?`
    ),
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
