import type { DraftDescription } from '../tuf/describe-draft.js'
import type { CalendarEntry } from '../trust/expiry.js'
import type { TrustChange } from '../trust/describe-change.js'

/** What can be rotated with a key of its own. */
export const ROTATED_PARTS = ['log', 'ct', 'ca', 'tsa'] as const
export type RotatedPart = (typeof ROTATED_PARTS)[number]

export interface RotateRequest {
  readonly what: RotatedPart
  /** Only tells what would change. */
  readonly dryRun: boolean
  /** Of the Rekor log: a new tree with the key of the one before. */
  readonly keepKey?: boolean
  /** Of the Rekor log: another host name in the origin. */
  readonly hostname?: string
  /** Of the certificate authority: a chain that was signed elsewhere, PEM; its key is in the key folder. */
  readonly chainPem?: string
}

/** A tree that was opened or closed. */
export interface RotatedTree {
  readonly treeId: string
  readonly origin: string
  /** First log index of it. */
  readonly offset: number
  readonly treeSize: number
}

export interface RotateReport {
  readonly what: RotatedPart
  /**
   * `done`; `dry-run`: nothing was changed; `waiting`: the key is made, and the draft must be signed by keys that are
   * elsewhere before anything is signed with it.
   */
  readonly outcome: 'done' | 'dry-run' | 'waiting'
  /** Files of the keys that sign before and after, in the key folder. */
  readonly keyFileBefore: string
  readonly keyFile: string
  /** What clients will be told. */
  readonly changes: readonly TrustChange[]
  /** Of a log. */
  readonly closed?: RotatedTree
  readonly opened?: Pick<RotatedTree, 'treeId' | 'origin'>
  /** Targets metadata to be signed, where the outcome is `waiting`. */
  readonly draft?: string
}

export interface DraftRootRequest {
  /** Role that gets other keys; absent: the root is only renewed. */
  readonly role?: 'root' | 'targets' | 'snapshot' | 'timestamp'
  /** Its keys from then on, PEM each. Without them a new key is made here in place of those that are here. */
  readonly publicKeysPem?: readonly string[]
  readonly threshold?: number
  readonly dryRun: boolean
}

export interface DraftReport {
  readonly draft: string
  readonly description: DraftDescription
  /** File of a key that was made. */
  readonly keyFile?: string
}

export interface StatusReport {
  readonly publicUrl: string
  readonly version: string
  readonly trees: readonly {
    readonly log: string
    readonly treeId: string
    readonly origin: string
    readonly treeSize: number
  }[]
  readonly rootSha256: string | undefined
  /** Targets that wait to be signed elsewhere. */
  readonly isPending: boolean
  /** The part whose rotation waits. */
  readonly staged: string | undefined
  readonly calendar: readonly CalendarEntry[]
}

/** What an operator can do to a server, while it runs or while it does not. */
export interface Administration {
  status(): Promise<StatusReport>
  /** @throws LogError `conflict` where it cannot be done now, with what to do */
  rotate(request: RotateRequest): Promise<RotateReport>
  /** Forgets a rotation that waits for signatures. Its key stays where it is, and nothing was signed with it. */
  cancelRotation(): Promise<{ readonly cancelled: RotatedPart }>
  /** A new root, signed by the keys that are here. Nothing is published. */
  draftRoot(request: DraftRootRequest): Promise<DraftReport>
  /**
   * Publishes a root.
   * @param confirmation hex SHA-256 of what will be published
   */
  publishRoot(draft: string, confirmation: string): Promise<DraftDescription>
  /** Targets metadata with what is true now, signed by the keys that are here. */
  draftTargets(): Promise<DraftReport>
  /** Publishes targets metadata; a rotation that waited for it happens. */
  publishTargets(draft: string): Promise<DraftDescription & { readonly rotated?: RotatedPart }>
}
