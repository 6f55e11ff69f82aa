import { parentPort, workerData } from 'node:worker_threads'
import { serveWrites } from './serve-writes.js'
import type { WriteThreadData } from './write-message.js'

// The entry point of the thread: it acts when it is loaded.
if (parentPort !== null) serveWrites(parentPort, workerData as WriteThreadData) // as startWriteThread passes it
