import type { Worker } from 'node:worker_threads'
import { type ErrorCode, type ErrorDetails, LogError, isLogError } from '../../errors.js'
import type { CellChange, Checkpoint, NewTree, TreeRecord } from '../log-store.js'
import type { PackedLeaves, PackedPromises } from '../packed-batch.js'

/** What the thread that writes is started with. Whoever starts it holds the lock of the database and has migrated it. */
export interface WriteThreadData {
  readonly path: string
  /** Descriptor of the file at `path`, which stays open as long as the thread; see wal-keeper.ts for what it is good for. */
  readonly descriptor: number
}

/** Makes a thread that is handed this. Tests bring their own. */
export type StartThread = (data: WriteThreadData) => Worker

/** Every write there is, as plain data, by its name. */
interface Writes {
  append: { readonly treeId: string; readonly leaves: PackedLeaves }
  publish: {
    readonly treeId: string
    readonly expected: Checkpoint | undefined
    readonly next: Checkpoint
    readonly promises: PackedPromises
  }
  createTree: { readonly tree: NewTree; readonly cells: readonly CellChange[] }
  swap: CellChange
  swapAll: { readonly changes: readonly CellChange[] }
}

/** What each of them comes to. */
export interface WriteResults {
  /** As packAppended. */
  append: Float64Array
  /** Absent when it was what was to be published. */
  publish: Checkpoint | undefined
  createTree: TreeRecord
  swap: boolean
  swapAll: boolean
}

export type WriteType = keyof Writes

export type WriteTask<Type extends WriteType = WriteType> = {
  [T in Type]: { readonly type: T } & Writes[T]
}[Type]

export interface WriteRequest {
  readonly id: number
  readonly task: WriteTask
}

/** To the thread. */
export type ToWriter = readonly WriteRequest[] | { readonly guest: unknown } | 'close'

export type WriteResponse =
  | { readonly id: number; readonly result: WriteResults[WriteType] }
  | { readonly id: number; readonly error: SentError }

/** A LogError as plain data: as itself it would arrive as a bare Error. */
export interface SentError {
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails
  readonly cause?: string
}

export function sendError(err: unknown): SentError {
  // Anything else is a mistake of ours: its stack is what the log needs.
  if (!isLogError(err)) return { code: 'internal', message: textOf(err), details: {} }
  const { code, message, details, cause } = err
  return { code, message, details, ...(cause === undefined ? {} : { cause: textOf(cause) }) }
}

export function receiveError({ code, message, details, cause }: SentError): LogError {
  return new LogError(code, message, { details, cause })
}

function textOf(err: unknown): string {
  return err instanceof Error ? (err.stack ?? err.message) : String(err)
}
