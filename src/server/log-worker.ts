import { parentPort, workerData } from 'node:worker_threads'
import { serveWrites } from '../store/sqlite/serve-writes.js'
import type { WriteThreadData } from '../store/sqlite/write-message.js'
import { hostRekorTree } from './log-thread.js'

// The entry point of the thread: it acts when it is loaded.
if (parentPort !== null) {
  const data = workerData as WriteThreadData // as startWriteThread passes it
  serveWrites(parentPort, data, hostRekorTree)
}
