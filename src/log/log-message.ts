import type { SentError } from '../encoding/sent-error.js'
import type { Checkpoint, TreeRecord } from '../store/log-store.js'
import type { PackedLeaves, PackedPromises } from '../store/packed-batch.js'

/** To the thread of a log. */
export type ToLog =
  /** Leaves whose ids follow each other. The time of a packed leaf says nothing here. */
  | { readonly type: 'add'; readonly firstId: number; readonly leaves: PackedLeaves }
  | { readonly type: 'close' }

/** What the thread says once, first. */
export type LogOpened =
  | { readonly type: 'opened'; readonly record: TreeRecord; readonly state: LogState }
  | { readonly type: 'notOpened'; readonly error: SentError }

/** How the log is. */
export interface LogState {
  readonly freshTimeMs: number
  readonly checkpoint: Checkpoint
  readonly failure: SentError | undefined
}

/** What became of leaves that are all told with one checkpoint. */
export interface AddedMessage {
  readonly type: 'added'
  readonly ids: Float64Array
  /** As packAppended. */
  readonly appended: Float64Array
  /** Of each of them, in this order. */
  readonly promises: PackedPromises
  readonly checkpoint: Checkpoint
  readonly freshTimeMs: number
}

/** A LogEvent, with its error as plain data. */
export type SentLogEvent =
  | {
      readonly type: 'published'
      readonly leaves: number
      readonly duplicates: number
      readonly treeSize: number
      readonly durationMs: number
    }
  | { readonly type: 'failed'; readonly leaves: number; readonly error: SentError }
  | { readonly type: 'stopped'; readonly error: SentError }

/** What a step of a batch took. */
export interface StepTime {
  readonly type: 'step'
  readonly step: 'commit' | 'publish'
  readonly seconds: number
}

/** From the thread of a log, many in one message. */
export type FromLog =
  | AddedMessage
  | { readonly type: 'refused'; readonly id: number; readonly error: SentError }
  | { readonly type: 'event'; readonly event: SentLogEvent }
  | StepTime
  | { readonly type: 'state'; readonly state: LogState }
  /** Everything was written and published, or refused. */
  | { readonly type: 'closed' }
