import type { TreeHead } from '../merkle/tree.js'
import type {
  Checkpoint,
  LogStore,
  PendingLeaf,
  StoredLeaf,
  TreeRecord
} from '../store/log-store.js'

/** What a personality (rekor, ct) hands to the log: a leaf without a place and a time. */
export type NewLeaf = Omit<PendingLeaf, 'integratedTimeSeconds'>

/** Where a leaf went. Given only once the checkpoint that commits to it is published. */
export interface AddedLeaf {
  readonly leafIndex: number
  readonly integratedTimeSeconds: number
  /** Raw bytes of the promise (SET, SCT signature) that was stored with the leaf. */
  readonly inclusionPromise: Uint8Array
  /** The leaf was there before; nothing was added. */
  readonly duplicate: boolean
  /** A published checkpoint whose tree contains the leaf. */
  readonly checkpoint: Checkpoint
}

/** How one tree signs. Both are called only with what was read back from the committed store. */
export interface LogSigning {
  /** Signed note for this head, as it will be published. */
  signTreeHead(treeHead: TreeHead): Promise<string>
  /** Raw promise bytes for each of these leaves, in their order. */
  signPromises(leaves: readonly StoredLeaf[]): Promise<readonly Uint8Array[]>
}

/**
 * Group commit: an idle log writes a leaf at once; leaves that come while a batch is being written gather for the
 * next, which is closed by size or by age, whichever comes first, and starts as soon as the one before is published.
 */
export interface BatchLimits {
  readonly maxLeaves: number
  /**
   * How long the first leaf that comes while a batch is being written may wait for company. The wait for that batch
   * counts; 0: no longer than for that batch.
   */
  readonly maxAgeMs: number
  /** Leaves that may wait; beyond it `add` refuses with `overloaded`. */
  readonly maxQueuedLeaves: number
  /** Bytes of leaves, attestations and extra data that may wait; likewise. */
  readonly maxQueuedBytes: number
}

/** The only writer of one tree: sequence, integrate, publish. */
export interface TransparencyLog {
  readonly record: TreeRecord
  readonly store: LogStore
  /**
   * Adds a leaf and waits until a published checkpoint commits to it.
   * @throws LogError `overloaded` when the queue is full, `log_frozen`, `integrity` when the log has stopped
   */
  add(leaf: NewLeaf): Promise<AddedLeaf>
  /** The checkpoint published last. Never signs. */
  checkpoint(): Checkpoint
  /**
   * When the write path last proved that it works: a batch was published, or, idle, the published checkpoint was
   * read back, agreed with the committed head and its signature verified. Milliseconds since the epoch.
   */
  readonly freshTimeMs: number
  /** Why the log stopped sequencing, if it did. */
  readonly failure: Error | undefined
  /** Stops accepting, writes and publishes what is queued, then resolves. The store stays open. */
  close(): Promise<void>
}
