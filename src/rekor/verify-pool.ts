import type { EntryVerifier, VerifySettings } from './entry-verifier.js'
import { verifierOf, type VerifyOutcome, type VerifyTask } from './verify-task.js'
import { createWorkerPool, type WorkerPoolOptions } from './worker-pool.js'

/**
 * What comes here was in a request of at most 64 KiB, since larger ones have threads of their own. A thread with all its code and
 * libraries holds 30 MB; what packed data become is outside of the heap until it is text, and metadata may be 1 MiB of it.
 */
export const VERIFY_HEAP_MB = 256

export interface VerifyPoolOptions extends Omit<
  WorkerPoolOptions,
  'workerUrl' | 'workerData' | 'idleMs' | 'heapMb'
> {
  readonly settings: VerifySettings
  /** Without it VERIFY_HEAP_MB. */
  readonly heapMb?: number
  /** Tests bring their own. */
  readonly workerUrl?: URL
}

export interface VerifyPool extends EntryVerifier {
  /** Refuses new tasks, lets the accepted ones finish, then ends the threads. */
  close(): Promise<void>
}

/** Verifies on a fixed number of threads. A thread that dies, takes too long or too much is replaced, and its task fails. */
export function createVerifyPool({ settings, ...options }: VerifyPoolOptions): VerifyPool {
  const pool = createWorkerPool<VerifyTask, VerifyOutcome>({
    workerUrl: new URL('./verify-worker.js', import.meta.url),
    heapMb: VERIFY_HEAP_MB,
    ...options,
    workerData: settings
  })
  return {
    ...verifierOf((task, byteLength) => pool.run(task, byteLength)),
    close: () => pool.close()
  }
}
