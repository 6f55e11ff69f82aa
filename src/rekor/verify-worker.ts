import { parentPort, workerData } from 'node:worker_threads'
import type { VerifySettings } from './entry-verifier.js'
import { serveTasks, transferOfLeaf } from './serve-tasks.js'
import { runVerifyTask, type VerifyTask } from './verify-task.js'

// The entry point of a thread: the one module here that acts when it is loaded.
if (parentPort !== null) {
  const settings = workerData as VerifySettings // as createVerifyPool passes it
  serveTasks(
    parentPort,
    (task: VerifyTask) => runVerifyTask(task, settings, { nowMs: Date.now }),
    (outcome) => (outcome.type === 'entry' ? transferOfLeaf(outcome.leaf) : [])
  )
}
