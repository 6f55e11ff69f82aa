import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadSettings } from './messages.js'
import { serveConnections } from './thread.js'

// The entry point of a thread: the one module here that acts when it is loaded.
if (parentPort !== null) await serveConnections(parentPort, workerData as ThreadSettings) // as startFront passes it
