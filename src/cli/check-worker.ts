import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { createCtLeafChecks } from '../ct/leaf-checks.js'
import { isLogError } from '../errors.js'
import type { LeafChecksOfLogs } from '../log/leaf-checks.js'
import { createRekorLeafChecks } from '../rekor/leaf-checks.js'
import type { Database } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { type CheckRequestMessage, type CheckResponseMessage, runCheckTask } from './check-task.js'

// The entry point of a thread of `sigstead verify`: acts when it is loaded.
if (parentPort !== null) serve(parentPort, workerData as string) // as createCheckPool passes it

function serve(port: NonNullable<typeof parentPort>, path: string): void {
  beModest()
  const checks: LeafChecksOfLogs = { rekor: createRekorLeafChecks(), ct: createCtLeafChecks() }
  const database = openDatabase({ path, mode: 'read' })
  database.catch(() => undefined) // told with every task
  port.on('message', (request: CheckRequestMessage) => {
    void answer(request, database, checks, (response) => port.postMessage(response))
  })
}

async function answer(
  { id, task }: CheckRequestMessage,
  database: Promise<Database>,
  checks: LeafChecksOfLogs,
  post: (response: CheckResponseMessage) => void
): Promise<void> {
  try {
    const outcome = await runCheckTask(await database, checks, task, (more) => post({ id, more }))
    post({ id, outcome })
  } catch (err) {
    if (isLogError(err)) {
      post({ id, code: err.code, message: err.message, details: err.details })
    } else {
      post({ id, code: 'internal', message: String((err as Error).stack ?? err), details: {} })
    }
  }
}

/** A server on the same machine goes first. Where the system has priorities for threads, it is for this thread alone. */
function beModest(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // not allowed here: it goes at the priority it has
  }
}
