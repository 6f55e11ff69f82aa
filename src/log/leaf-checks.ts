import type { Checkpoint, StoredLeaf, TreeRecord } from '../store/log-store.js'

/** A leaf with the promise made for it. */
export type PromisedLeaf = StoredLeaf & { readonly inclusionPromise: Uint8Array }

/** What can be derived again from a leaf alone. */
export interface DerivedFromLeaf {
  /** Search keys that must be in the index; it may hold more. Each once. */
  readonly searchKeys: readonly string[]
  /** hashSearchKey of each, in order, where somebody knows them already. */
  readonly keyHashes?: readonly Uint8Array[]
  /** Key an attestation of this leaf would have. */
  readonly attestationKey: string | undefined
  /** What the leaf is found by as a submission, 32 bytes; absent: by nothing, so there must be no row. */
  readonly submissionHash?: Uint8Array
}

/** Cryptography and meaning, which the log itself knows nothing of. Each throws when something is not good. */
export interface LeafChecks {
  verifyCheckpoint(tree: TreeRecord, checkpoint: Checkpoint): void | Promise<void>
  verifyPromise(tree: TreeRecord, leaf: PromisedLeaf): void | Promise<void>
  /**
   * The same for many at once, where that is faster.
   * @returns what verifyPromise would have thrown about each, in order; undefined for a good one
   */
  verifyPromises?(
    tree: TreeRecord,
    leaves: readonly PromisedLeaf[]
  ): Promise<readonly (Error | undefined)[]>
  /**
   * Absent: the index is only held against the digest that is kept with each leaf, and there must be no submissions and
   * no extra data.
   * @param sideData as it is stored; what is wrong with it, also that there is any, is told by throwing
   */
  deriveFromLeaf?(
    tree: TreeRecord,
    leaf: StoredLeaf,
    sideData: CheckedSideData
  ): DerivedFromLeaf | Promise<DerivedFromLeaf>
  /** The same at once, for a leaf with nothing beside it. @returns undefined where only deriveFromLeaf can tell */
  derivePlain?(leaf: StoredLeaf): DerivedFromLeaf | undefined
}

/** What is kept with a leaf, for the check of its meaning. */
export interface CheckedSideData {
  readonly extraData: Uint8Array | undefined
  readonly attestationKey: string | undefined
  /** Value of the attestation; its key was or will be held against its hash. Undefined where there is none. */
  readAttestation(): Promise<Uint8Array | undefined>
}

/** What is to be known of the leaves of each log. */
export type LeafChecksOfLogs = Readonly<Record<TreeRecord['log'], LeafChecks>>
