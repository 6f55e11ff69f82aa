import type { VerifySettings } from '../rekor/entry-verifier.js'
import { createWorkerPool } from '../rekor/worker-pool.js'
import type { BodyOutcome, BodyReader, BodyTask } from './body-task.js'

export interface BodyPoolOptions {
  /** Threads, at least 1. Each reads one body at a time. */
  readonly workers: number
  /** Bodies that may wait for a thread. */
  readonly maxQueuedTasks: number
  /** How long a body may wait, and then how long it may take. */
  readonly taskTimeoutMs: number
  /** A thread with nothing to do for so long ends, and what it holds of large bodies goes with it. */
  readonly idleMs: number
  readonly settings: VerifySettings
  /** Tests bring their own. */
  readonly workerUrl?: URL
  /** Node's options for the threads; without it those of this process. */
  readonly execArgv?: readonly string[]
}

export interface BodyPool {
  /** Takes the memory of the pieces with it. @throws LogError what the entry kind says; `overloaded`, `timeout`, `internal` */
  readonly read: BodyReader
  close(): Promise<void>
}

/** Reads large bodies on threads of their own, so that neither the main thread nor smaller entries wait for them. */
export function createBodyPool({ settings, ...options }: BodyPoolOptions): BodyPool {
  const pool = createWorkerPool<BodyTask, BodyOutcome>({
    workerUrl: new URL('./body-worker.js', import.meta.url),
    ...options,
    workerData: settings,
    maxQueuedBytes: Number.MAX_SAFE_INTEGER // what is held is bounded where it is collected
  })
  return {
    read: (task) => {
      const memory = task.pieces.map(({ buffer }) => buffer as ArrayBuffer) // made in request-body.ts
      return pool.run(task, 0, memory)
    },
    close: () => pool.close()
  }
}
