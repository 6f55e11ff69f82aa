import type { VerifySettings } from '../rekor/entry-verifier.js'
import { createWorkerPool } from '../rekor/worker-pool.js'
import type { BodyOutcome, BodyReader, BodyTask } from './body-task.js'

const MIB = 1024 * 1024

/** The largest that configuration allows. */
const MOST_BODY_BYTES = 256 * MIB

/** The thread itself, and as many values as `parseJson` takes, which need up to 100 bytes each. */
const HEAP_MB = 512

/**
 * An attestation is text several times over: request, envelope, payload, statement. Measured: five times its size, and twice that
 * when it has a letter beyond Latin-1.
 */
const HEAP_TIMES_BODY = 12

/** Megabytes of V8's heap with which bodies of this size are read. Far more than they need: a thread that is near its end is slow. */
export function bodyHeapMb(maxBodyBytes: number): number {
  return HEAP_MB + Math.ceil((maxBodyBytes * HEAP_TIMES_BODY) / MIB)
}

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
  /** Largest body there will be; without it the largest that may be configured. What a thread may hold depends on it. */
  readonly maxBodyBytes?: number
  /** Tests bring their own. */
  readonly workerUrl?: URL
  /** Node's options for the threads; without it those of this process. */
  readonly execArgv?: readonly string[]
}

export interface BodyPool {
  /** Takes the memory of the pieces with it. @throws LogError what the entry kind says; `overloaded`, `too_large`, `internal` */
  readonly read: BodyReader
  close(): Promise<void>
}

/** Reads large bodies on threads of their own, so that neither the main thread nor smaller entries wait for them. */
export function createBodyPool({
  settings,
  maxBodyBytes = MOST_BODY_BYTES,
  ...options
}: BodyPoolOptions): BodyPool {
  const pool = createWorkerPool<BodyTask, BodyOutcome>({
    workerUrl: new URL('./body-worker.js', import.meta.url),
    ...options,
    heapMb: bodyHeapMb(maxBodyBytes),
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
