import type { LogError } from '../errors.js'
import type { Integrate, TreeHead } from '../merkle/tree.js'
import type { StoreAudit } from './store-audit.js'

/** A signed tree head as it was published. */
export interface Checkpoint {
  readonly treeHead: TreeHead
  /** The signed note, exactly as served. */
  readonly note: string
}

/** Bytes kept beside the log because a leaf holds only their hash; content-addressed by `key`. */
export interface Attestation {
  readonly key: string
  readonly value: Uint8Array
}

export type TreeState = 'active' | 'frozen'

/** What is fixed about a tree when it is created, and whether it still grows. */
export interface TreeRecord {
  /** Positive int63 in decimal; a string because it exceeds safe integers. */
  readonly treeId: string
  /** Which service owns it. At most one tree per log is active. */
  readonly log: 'rekor' | 'ct'
  /** 0-based order among the trees of the same log. */
  readonly position: number
  /** Number of leaves in all earlier trees of the log: logIndex = offset + leafIndex. */
  readonly offset: number
  /** First line of its checkpoints. */
  readonly origin: string
  /** SubjectPublicKeyInfo DER of the key that signs for it. */
  readonly publicKey: Uint8Array
  /** File name of the private key in the key folder. */
  readonly keyName: string
  readonly state: TreeState
  readonly createdTimeSeconds: number
}

/** A leaf that is not in the tree yet. */
export interface PendingLeaf {
  /** 32 bytes, SHA-256(0x00 || leafValue). */
  readonly leafHash: Uint8Array
  readonly leafValue: Uint8Array
  /** Seconds since the epoch. */
  readonly integratedTimeSeconds: number
  readonly searchKeys: readonly string[]
  readonly attestation?: Attestation
  /**
   * 32 bytes that tell whether two leaves are one submission although their values differ (CT: SHA-256 of the submitted
   * certificate, because the value has a timestamp in it). The leaf hash tells as well, with it or without: of two
   * submissions that come to one value the later one is a duplicate, and its hash is not kept.
   */
  readonly submissionHash?: Uint8Array
  /** Bytes kept with this leaf alone and outside of the tree (CT: the precertificate as submitted). */
  readonly extraData?: Uint8Array
}

/** What is kept with a leaf and is not in the tree. */
export interface SideData {
  readonly leafIndex: number
  readonly extraData?: Uint8Array
  /** Value of its attestation. */
  readonly attestation?: Uint8Array
}

/** A leaf of the tree. */
export interface StoredLeaf {
  readonly leafIndex: number
  readonly leafHash: Uint8Array
  readonly leafValue: Uint8Array
  readonly integratedTimeSeconds: number
  /** The inclusion promise (SET) made for it; absent until its batch is published. */
  readonly inclusionPromise?: Uint8Array
}

/** What became of one leaf of a batch. */
export interface Appended {
  readonly leafIndex: number
  readonly integratedTimeSeconds: number
  /** The leaf was already in this tree; index and time are those of the earlier one. */
  readonly duplicate: boolean
}

/** A promise to be kept for the leaf at `leafIndex`: the raw signature bytes. */
export interface InclusionPromise {
  readonly leafIndex: number
  readonly promise: Uint8Array
}

/** Durable state of one tree. Every promise resolves only after the effect survives power loss. */
export interface LogStore {
  readonly treeId: string
  /** Why nothing can be written until the next start, if so; where the store is written by somebody who may be gone. */
  readonly writeFailure?: () => LogError | undefined
  /** The record as it is now (its state can change from active to frozen). */
  record(): Promise<TreeRecord>
  /**
   * Adds a batch. Holds the right edge of the tree exclusively, skips leaves already present (in the tree or
   * earlier in the batch; by submission hash where a leaf has one, and by leaf hash), calls `integrate` once for the
   * rest, and commits leaves, search keys, attestations, submissions, extra data, tiles and tree head together or not at
   * all. An empty batch changes nothing, but still proves that the store can commit.
   * @returns one result per leaf, in order; `duplicate` marks a leaf that was already there
   * @throws LogError `log_frozen` when the tree takes no more
   */
  append(batch: readonly PendingLeaf[], integrate: Integrate): Promise<readonly Appended[]>
  /**
   * Publishes `next` unless somebody published as much already; stores the promises either way. Published
   * checkpoints are kept for ever; their sizes never shrink.
   * @param expected what the caller last saw published
   * @returns the checkpoint now published: `next`, or one at least as large that another instance got in first
   * @throws LogError `integrity` if `expected` was never published, or if what is published or the committed tree
   *   contradicts `next`
   */
  publish(
    expected: Checkpoint | undefined,
    next: Checkpoint,
    promises: readonly InclusionPromise[]
  ): Promise<Checkpoint>
  /** The committed head; size 0 and the hash of nothing for an empty tree. */
  treeHead(): Promise<TreeHead>
  /** The published checkpoint: largest size. */
  checkpoint(): Promise<Checkpoint | undefined>
  /** Every checkpoint ever published, smallest first, in pages: those with a size above `afterTreeSize`. */
  checkpoints(afterTreeSize: number, limit: number): Promise<readonly Checkpoint[]>
  /** Hashes of a tile as wide as it is now; undefined where there is none. */
  tile(level: number, tileIndex: number): Promise<Uint8Array | undefined>
  leaf(leafIndex: number): Promise<StoredLeaf | undefined>
  /** Leaves from `start` up to and excluding `end`, at most `end - start`. */
  leaves(start: number, end: number): Promise<readonly StoredLeaf[]>
  /** Index of the leaf with this hash in this tree. */
  findLeaf(leafHash: Uint8Array): Promise<number | undefined>
  /** Index of the leaf with this submission hash in this tree. */
  findSubmission(submissionHash: Uint8Array): Promise<number | undefined>
  /** Side data of the leaves from `start` up to and excluding `end`, one for each leaf there is. */
  sideData(start: number, end: number): Promise<readonly SideData[]>
}

/** Small durable cells: witness state per origin, monitor position, TUF versions. */
export interface Register {
  read(key: string): Promise<Uint8Array | undefined>
  /** Writes only if the cell still holds `expected`; tells whether it did. */
  swap(key: string, expected: Uint8Array | undefined, next: Uint8Array): Promise<boolean>
  /** Writes all of these cells if every one still holds what is expected, or none; tells which it was. */
  swapAll(changes: readonly CellChange[]): Promise<boolean>
}

/** One cell of several that change together. */
export interface CellChange {
  readonly key: string
  /** What it holds; undefined where there is no cell yet. */
  readonly expected: Uint8Array | undefined
  readonly next: Uint8Array
}

/** A search hit: which leaf of which tree. */
export interface LeafRef {
  readonly treeId: string
  readonly leafIndex: number
  /** 32 bytes. */
  readonly leafHash: Uint8Array
}

/** Fields of a tree that its creator chooses. */
export type NewTree = Pick<
  TreeRecord,
  'treeId' | 'log' | 'origin' | 'publicKey' | 'keyName' | 'createdTimeSeconds'
>

/** Everything one data directory keeps durably. One process writes; others may read. */
export interface Database {
  /** Trees of a log, oldest first. */
  trees(log: TreeRecord['log']): Promise<readonly TreeRecord[]>
  /**
   * Freezes the active tree of this log (if any), makes `tree` the active one and writes `cells`, in one transaction.
   * The new offset is the old offset plus the size of the frozen tree.
   * @throws LogError `conflict` when the active tree has leaves beyond its published checkpoint, the id is taken, or a
   *   cell does not hold what is expected
   */
  createTree(tree: NewTree, cells?: readonly CellChange[]): Promise<TreeRecord>
  /** The store of one tree. @throws LogError `not_found` */
  logStore(treeId: string): LogStore
  /**
   * Leaves that carry this (already lower-cased) search key, oldest first, over all trees of the log. May include
   * leaves that are committed but not yet published.
   *
   * @param limit most hits to give; without it all of them
   */
  search(log: TreeRecord['log'], searchKey: string, limit?: number): Promise<readonly LeafRef[]>
  attestation(key: string): Promise<Uint8Array | undefined>
  readonly register: Register
  /** What the checker reads: everything that is stored. */
  readonly audit: StoreAudit
  close(): Promise<void>
}
