import type { ProposedEntry } from '../entries/entry-type.js'
import type { ApiRequest } from '../metrics.js'
import type { RekorOperation } from '../http/rekor-v1.js'
import type { VerifiedLeaf, VerifyPurpose, VerifySettings } from '../rekor/entry-verifier.js'
import type { Attestation, Checkpoint } from '../store/log-store.js'
import type { SentError } from '../encoding/sent-error.js'
import type { TunnelItem } from './tunnel.js'

/** What a thread is started with. Plain data. */
export interface ThreadSettings {
  readonly databasePath: string
  readonly verify: VerifySettings
  readonly readAttestations: boolean
  readonly enabledOperations: readonly RekorOperation[]
  readonly maxRequestBodyBytes: number
  /** Least severe message that is logged. */
  readonly logLevel: string
  /** Memory of the Announcement. */
  readonly announcement: SharedArrayBuffer
}

/** A leaf that was verified, for the tree that the thread takes for the one that grows. */
export interface AddItem {
  readonly type: 'add'
  readonly id: number
  readonly treeId: string
  /** Leaf hash, then the leaf value: one piece of memory for each leaf. */
  readonly bytes: Uint8Array
  readonly searchKeys: readonly string[]
  readonly attestation?: Attestation | undefined
}

/** What a thread counted, for the metrics. */
export type Observation =
  | { readonly type: 'request'; readonly request: ApiRequest }
  | { readonly type: 'newEntry' }
  | { readonly type: 'indexLookup'; readonly seconds: number; readonly success: boolean }

/** From a thread to the main one. Each message is a list of these. */
export type ToMain =
  | { readonly type: 'ready' }
  /** The connection behind this descriptor is the thread's from now on. */
  | { readonly type: 'claimed'; readonly descriptor: number }
  /** A connection has ended. */
  | { readonly type: 'left' }
  | AddItem
  | {
      readonly type: 'verify'
      readonly id: number
      readonly proposed: ProposedEntry
      readonly purpose: VerifyPurpose
      readonly byteLength: number
    }
  | {
      readonly type: 'keyHash'
      readonly id: number
      readonly format: string
      readonly content: Uint8Array
    }
  /** What was observed so far; `id` where it was asked for. */
  | { readonly type: 'observed'; readonly list: readonly Observation[]; readonly id?: number }
  /** A whole line of the log, line end included. */
  | { readonly type: 'line'; readonly line: string }
  /** No connection is left, and everything before this was all. */
  | { readonly type: 'stopped' }
  | TunnelItem

/** What became of something that a thread asked for. */
export type AnswerItem =
  | {
      readonly type: 'added'
      readonly id: number
      readonly leafIndex: number
      readonly integratedTimeSeconds: number
      readonly inclusionPromise: Uint8Array
      readonly duplicate: boolean
      readonly checkpoint: Checkpoint
    }
  /** Another tree grows now: nothing was added. */
  | { readonly type: 'moved'; readonly id: number }
  | { readonly type: 'verified'; readonly id: number; readonly leaf: VerifiedLeaf }
  | { readonly type: 'keyHashed'; readonly id: number; readonly hash: string }
  | { readonly type: 'refused'; readonly id: number; readonly error: SentError }

/** From the main thread to another. Each message is a list of these. */
export type ToThread =
  | { readonly type: 'connection'; readonly descriptor: number }
  | AnswerItem
  | { readonly type: 'observe'; readonly id: number }
  /** Answer what is under way, and then stop. */
  | { readonly type: 'stop' }
  /** End every connection, answered or not. */
  | { readonly type: 'cut' }
  | TunnelItem
