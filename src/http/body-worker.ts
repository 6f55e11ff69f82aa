import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { VerifySettings } from '../rekor/entry-verifier.js'
import { serveTasks, transferOfLeaf } from '../rekor/serve-tasks.js'
import { createInProcessVerifier } from '../rekor/verify-task.js'
import { createBodyReader } from './body-task.js'
import { loadRekorV1Contract } from './contract.js'

/**
 * Of a thread that reads large bodies: where cores are few, it gets about a quarter of one beside a thread that wants all of it. Who
 * sends 30 MB waits for longer than a second in any case.
 */
const NICE = 5

// The entry point of a thread: the one module here that acts when it is loaded.
if (parentPort !== null) {
  const settings = workerData as VerifySettings // as createBodyPool passes it
  stepBack()
  serveTasks(
    parentPort,
    createBodyReader(loadRekorV1Contract(), createInProcessVerifier(settings)),
    (outcome) => (outcome.type === 'entry' ? transferOfLeaf(outcome.leaf) : [])
  )
}

/** Linux has a priority for each thread; elsewhere it would be that of the process. */
function stepBack(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, NICE)
  } catch {
    // Not allowed where threads are confined: then it runs as the others do.
  }
}
