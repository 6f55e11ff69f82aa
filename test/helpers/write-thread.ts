import { Worker } from 'node:worker_threads'
import type { Database } from '../../src/store/log-store.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { openThreadedDatabase } from '../../src/store/sqlite/open-threaded-database.js'
import type { StartThread } from '../../src/store/sqlite/write-message.js'

/** The thread as it was built before the tests: through the compiler each one would take seconds to start. */
export const startBuiltWriter: StartThread = (workerData) =>
  new Worker(new URL('../../dist/store/sqlite/write-worker.js', import.meta.url), {
    workerData,
    execArgv: []
  })

/** A database that is written by a thread, made if need be. */
export async function openWithThread(
  path: string,
  start: StartThread = startBuiltWriter
): Promise<Database> {
  const made = await openDatabase({ path, mode: 'write', create: true })
  await made.close()
  return openThreadedDatabase({ path, start })
}
