import type { EntryVerifier, VerifySettings } from './entry-verifier.js'
import { verifierOf, type VerifyOutcome, type VerifyTask } from './verify-task.js'
import { createWorkerPool, type WorkerPoolOptions } from './worker-pool.js'

export interface VerifyPoolOptions extends Omit<
  WorkerPoolOptions,
  'workerUrl' | 'workerData' | 'idleMs'
> {
  readonly settings: VerifySettings
  /** Tests bring their own. */
  readonly workerUrl?: URL
}

export interface VerifyPool extends EntryVerifier {
  /** Refuses new tasks, lets the accepted ones finish, then ends the threads. */
  close(): Promise<void>
}

/** Verifies on a fixed number of threads. A thread that dies or takes too long is replaced, and its task fails. */
export function createVerifyPool({ settings, ...options }: VerifyPoolOptions): VerifyPool {
  const pool = createWorkerPool<VerifyTask, VerifyOutcome>({
    workerUrl: new URL('./verify-worker.js', import.meta.url),
    ...options,
    workerData: settings
  })
  return {
    ...verifierOf((task, byteLength) => pool.run(task, byteLength)),
    close: () => pool.close()
  }
}
