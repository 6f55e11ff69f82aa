import type Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'
import type { AuditedLeaf } from '../store-audit.js'
import { leafIndexOf } from './row-id.js'

// Reading millions of rows, what takes the time is to make an object and a buffer for each of them: 9 us for a leaf, 3 us
// for a row of an index. Here SQLite joins a page of rows to one row (group_concat keeps the bytes of a blob as they are, and
// all columns of one query are joined in the same order), which takes 1.4 and 0.4 us.

/** Rows of an index in a page: 64 KiB to 128 KiB of hashes. */
const HASHES_PER_PAGE = 4096

/** Where the next page of an index begins: after this row. */
interface IndexPosition {
  readonly hash: Uint8Array
  readonly leafId: number
}

/** Rows of an index, by hash and then by leaf. */
interface PackedIndexRows {
  /** One after the other. */
  readonly hashes: Uint8Array
  readonly leafIds: Float64Array
}

export interface PackedIndex {
  /** Of one hash. */
  readonly hashBytes: number
  /**
   * @param end first byte of the hashes that are no longer wanted
   * @throws LogError `integrity` for a row whose hash or number is of no leaf
   */
  readAfter(after: IndexPosition, end: number | undefined): PackedIndexRows
}

export interface PackedPages {
  /**
   * Leaves with these row ids, at most `limit`. Undefined where they are not all plain: without a gap, with a promise each
   * or none at all, without attestation and extra data, and every column as long as it should be.
   */
  leaves(firstId: number, endId: number, limit: number): readonly AuditedLeaf[] | undefined
  readonly leafHashes: PackedIndex
  readonly searchRows: PackedIndex
}

const LEAF_HASH_BYTES = 32
const SEARCH_DIGEST_BYTES = 8
const SEARCH_HASH_BYTES = 16

type LeafPage = [
  count: number,
  firstId: number | null,
  lastId: number | null,
  hashes: Buffer | null,
  shortestHash: number | null,
  longestHash: number | null,
  times: string | null,
  digests: Buffer | null,
  shortestDigest: number | null,
  longestDigest: number | null,
  attestations: number,
  values: Buffer | null,
  valueLengths: string | null
]

type PromisePage = [
  count: number,
  firstId: number | null,
  lastId: number | null,
  promises: Buffer | null,
  lengths: string | null
]

type IndexPage = [
  count: number,
  hashes: Buffer | null,
  shortest: number | null,
  longest: number | null,
  leafIds: Buffer | null
]

export function preparePackedPages(connection: Sqlite.Database): PackedPages {
  const leafPage = connection
    .prepare<[firstId: number, endId: number, limit: number], LeafPage>(
      `select count(*), min(leaf_id), max(leaf_id),
              cast(group_concat(leaf_hash, '') as blob), min(length(leaf_hash)), max(length(leaf_hash)),
              group_concat(integrated_time),
              cast(group_concat(search_digest, '') as blob), min(length(search_digest)), max(length(search_digest)),
              count(attestation_id), cast(group_concat(leaf_value, '') as blob), group_concat(length(leaf_value))
       from (select * from leaf where leaf_id >= ? and leaf_id < ? order by leaf_id limit ?)`
    )
    .raw()
  const promisePage = connection
    .prepare<[firstId: number, lastId: number], PromisePage>(
      `select count(*), min(leaf_id), max(leaf_id), cast(group_concat(promise, '') as blob), group_concat(length(promise))
       from (select * from inclusion_promise where leaf_id >= ? and leaf_id <= ? order by leaf_id)`
    )
    .raw()
  const extraDataCount = connection
    .prepare<[firstId: number, lastId: number], number>(
      'select count(*) from extra_data where leaf_id >= ? and leaf_id <= ?'
    )
    .pluck()
  // Bytes are summed up first: a page of unusually large leaves is read row by row, without being joined.
  const bytesOfPage = connection
    .prepare<[firstId: number, endId: number, limit: number], number | null>(
      `select sum(length(leaf_value))
       from (select leaf_value from leaf where leaf_id >= ? and leaf_id < ? order by leaf_id limit ?)`
    )
    .pluck()

  return {
    leaves(firstId, endId, limit) {
      if ((bytesOfPage.get(firstId, endId, limit) ?? 0) > MAX_PACKED_BYTES) return undefined
      const page = leafPage.get(firstId, endId, limit)
      if (page === undefined) return undefined
      const [count, first, last, hashes, shortestHash, longestHash, times] = page
      const [, , , , , , , digests, shortestDigest, longestDigest, attestations, values] = page
      if (count === 0 || first === null || last === null) return []
      const valueLengths = numbers(page[12])
      const timesSeconds = numbers(times)
      const isPlain =
        last - first + 1 === count &&
        attestations === 0 &&
        shortestHash === LEAF_HASH_BYTES &&
        longestHash === LEAF_HASH_BYTES &&
        shortestDigest === SEARCH_DIGEST_BYTES &&
        longestDigest === SEARCH_DIGEST_BYTES &&
        isAsLong(hashes, count * LEAF_HASH_BYTES) &&
        isAsLong(digests, count * SEARCH_DIGEST_BYTES) &&
        timesSeconds.length === count &&
        valueLengths.length === count &&
        isAsLong(values, sum(valueLengths)) &&
        extraDataCount.get(first, last) === 0
      if (!isPlain) return undefined
      const promised = promisePage.get(first, last)
      if (promised === undefined) return undefined
      const [promiseCount, firstPromise, lastPromise, promises] = promised
      const promiseLengths = numbers(promised[4])
      const hasPromises =
        promiseCount === count &&
        firstPromise === first &&
        lastPromise === last &&
        promiseLengths.length === count &&
        isAsLong(promises, sum(promiseLengths))
      if (promiseCount > 0 && !hasPromises) return undefined
      return unpackLeaves(leafIndexOf(first), {
        hashes,
        timesSeconds,
        digests,
        values,
        valueLengths,
        ...(hasPromises ? { promises, promiseLengths } : {})
      })
    },
    // Read from the index, which is what leaves are found with; the table was checked by itself.
    leafHashes: prepareIndex(connection, {
      table: 'leaf indexed by leaf_by_hash',
      hash: 'leaf_hash',
      order: 'leaf_hash', // then by tree, which is by row id
      hashBytes: LEAF_HASH_BYTES
    }),
    searchRows: prepareIndex(connection, {
      table: 'search_key',
      hash: 'key_hash',
      order: 'key_hash, leaf_id',
      hashBytes: SEARCH_HASH_BYTES
    })
  }
}

/** Of leaf values in one page. Usual pages of 512 leaves have 300 KiB to 1 MiB. */
const MAX_PACKED_BYTES = 32 * 1024 * 1024

interface PackedColumns {
  readonly hashes: Buffer
  readonly timesSeconds: readonly number[]
  readonly digests: Buffer
  readonly values: Buffer
  readonly valueLengths: readonly number[]
  readonly promises?: Buffer
  readonly promiseLengths?: readonly number[]
}

/** Views into the page, one for each leaf. */
function unpackLeaves(firstIndex: number, columns: PackedColumns): readonly AuditedLeaf[] {
  const { timesSeconds, valueLengths, promiseLengths } = columns
  const hashes = view(columns.hashes)
  const digests = view(columns.digests)
  const values = view(columns.values)
  const promises = columns.promises === undefined ? undefined : view(columns.promises)
  const leaves: AuditedLeaf[] = []
  let value = 0
  let promise = 0
  for (const [i, integratedTimeSeconds] of timesSeconds.entries()) {
    const nextValue = value + (valueLengths[i] ?? 0)
    const nextPromise = promise + (promiseLengths?.[i] ?? 0)
    const leaf = {
      leafIndex: firstIndex + i,
      leafHash: hashes.subarray(i * LEAF_HASH_BYTES, (i + 1) * LEAF_HASH_BYTES),
      leafValue: values.subarray(value, nextValue),
      integratedTimeSeconds,
      searchDigest: digests.subarray(i * SEARCH_DIGEST_BYTES, (i + 1) * SEARCH_DIGEST_BYTES)
    }
    leaves.push(
      promises === undefined
        ? leaf
        : { ...leaf, inclusionPromise: promises.subarray(promise, nextPromise) }
    )
    value = nextValue
    promise = nextPromise
  }
  return leaves
}

interface IndexColumns {
  readonly table: string
  /** Its column, by which the table is read in order. */
  readonly hash: string
  readonly order: string
  readonly hashBytes: number
}

function prepareIndex(
  connection: Sqlite.Database,
  { table, hash, order, hashBytes }: IndexColumns
): PackedIndex {
  const page = connection
    .prepare<[hash: Uint8Array, leafId: number, end: Uint8Array, limit: number], IndexPage>(
      `select count(*), cast(group_concat(${hash}, '') as blob), min(length(${hash})), max(length(${hash})),
              cast(group_concat(leaf_id) as blob)
       from (select ${hash}, leaf_id from ${table}
             where (${hash}, leaf_id) > (?, ?) and ${hash} < ? order by ${order} limit ?)`
    )
    .raw()
  return {
    hashBytes,
    readAfter(after, end) {
      const endHash = end === undefined ? AFTER_ALL : new Uint8Array([end])
      const row = page.get(after.hash, after.leafId, endHash, HASHES_PER_PAGE)
      const [count, hashes, shortest, longest, leafIds] = row ?? EMPTY_PAGE
      if (count === 0) return { hashes: new Uint8Array(0), leafIds: new Float64Array(0) }
      const ids = leafIds === null ? undefined : readNumbers(leafIds, count)
      const isGood =
        shortest === hashBytes && longest === hashBytes && isAsLong(hashes, count * hashBytes)
      if (!isGood || ids === undefined) {
        throw new LogError('integrity', `a row of ${table} is not one of a leaf`, {
          details: { what: 'storage' }
        })
      }
      return { hashes: view(hashes), leafIds: ids }
    }
  }
}

/** Sorts after every hash. */
const AFTER_ALL = new Uint8Array(LEAF_HASH_BYTES + 1).fill(0xff)

const EMPTY_PAGE: IndexPage = [0, null, null, null, null]

const COMMA = 0x2c
const ZERO = 0x30

/** Decimal numbers with commas between them; undefined when they are not just that, or not `count`. */
function readNumbers(text: Uint8Array, count: number): Float64Array | undefined {
  const read = new Float64Array(count)
  let at = 0
  let number = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text[i] as number // within
    if (unit === COMMA) {
      read[at++] = number
      number = 0
    } else if (unit >= ZERO && unit <= ZERO + 9) {
      number = 10 * number + (unit - ZERO)
    } else {
      return undefined
    }
  }
  if (at !== count - 1 || !(number <= Number.MAX_SAFE_INTEGER)) return undefined
  read[at] = number
  return read
}

function numbers(joined: string | null): readonly number[] {
  return joined === null ? [] : joined.split(',').map(Number)
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}

function isAsLong(blob: Buffer | null, bytes: number): blob is Buffer {
  return blob !== null && blob.length === bytes
}

function view(blob: Buffer): Uint8Array {
  return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength)
}
