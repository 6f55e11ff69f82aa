import type { Tile } from '../merkle/tree.js'
import type { Attestation, StoredLeaf } from './log-store.js'

/** A leaf with what is stored about its surroundings. */
export interface AuditedLeaf extends StoredLeaf {
  /** 8 bytes (see digestSearchKeys). */
  readonly searchDigest: Uint8Array
  /** Key of the attestation that was kept with it; `missing` when it is no longer there. */
  readonly attestation?: { readonly key: string } | 'missing'
  /** Bytes kept with it alone. */
  readonly extraData?: Uint8Array
}

/** Which leaf a row belongs to. */
export interface AuditedPlace {
  /** Undefined when there is no such tree. */
  readonly treeId: string | undefined
  readonly leafIndex: number
}

export interface AuditedSubmission extends AuditedPlace {
  /** 32 bytes. */
  readonly submissionHash: Uint8Array
}

/**
 * Rows of an index, packed: an object for each of them would take most of the time. Row `i` is of the tree
 * `treeIds[trees[i]]`, undefined where there is no such tree.
 */
export interface AuditedHashes {
  readonly count: number
  readonly treeIds: readonly (string | undefined)[]
  readonly trees: Uint16Array
  readonly leafIndexes: Float64Array
  /** One after the other. */
  readonly hashes: Uint8Array
  /** Of one of them. */
  readonly hashBytes: number
}

/** Rows whose hash begins with a byte from `first` up to and including `last`. */
export interface HashRange {
  readonly first: number
  readonly last: number
}

/** Leaves from `start` up to and excluding `end`; without an end, all there are. */
export interface LeafSpan {
  readonly start: number
  readonly end?: number | undefined
}

/**
 * Reads for the checker: what is stored, in stored order, nothing skipped and nothing derived. Rows come in pages, so
 * that memory stays flat. Only a database opened for reading gives all of it as of one moment.
 */
export interface StoreAudit {
  /**
   * Reads from now on as of this moment, where the database was opened for reading.
   * @returns what tells two moments apart: the same text means the same trees, to the last leaf and checkpoint
   */
  takeSnapshot(): Promise<string>
  /** Problems that the engine finds in its own files, as it words them. Reads all of them. */
  engineProblems(): Promise<readonly string[]>
  /** Rows of trees that are not there, a few words each. */
  strayTrees(): Promise<readonly string[]>
  /** How many inclusion promises are stored for leaves of this tree, whether or not the leaves are there. */
  promiseCount(treeId: string): Promise<number>
  /** Leaf rows of a tree by index, also those beyond its head; without a span all of them. */
  leaves(treeId: string, span?: LeafSpan): AsyncIterable<readonly AuditedLeaf[]>
  /** All tiles of a tree, level by level from the leaves, left to right. */
  tiles(treeId: string): AsyncIterable<readonly Tile[]>
  /** What leaves are found by their hash with, over all trees: by hash, of 32 bytes. @throws LogError `integrity` */
  leafHashes(range?: HashRange): AsyncIterable<AuditedHashes>
  /** By which submissions leaves are found, over all trees. */
  submissions(): AsyncIterable<readonly AuditedSubmission[]>
  /** How many rows of extra data are stored for leaves of this tree, whether or not the leaves are there. */
  extraDataCount(treeId: string): Promise<number>
  /** The search index over all trees: by hash, of 16 bytes (see hashSearchKey). @throws LogError `integrity` */
  searchRows(range?: HashRange): AsyncIterable<AuditedHashes>
  /** Whether this row is in the search index. */
  hasSearchRow(treeId: string, leafIndex: number, keyHash: Uint8Array): Promise<boolean>
  attestations(): AsyncIterable<readonly Attestation[]>
}
