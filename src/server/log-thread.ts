import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { BatchLimits, TransparencyLog } from '../log/contract.js'
import { hostLog } from '../log/hosted-log.js'
import { timeWrites } from '../log/instruments.js'
import { openRemoteLog, type RemoteLogOptions } from '../log/remote-log.js'
import { openRekorTree } from '../rekor/open-rekor-tree.js'
import { readTreeSigner } from '../config/secrets.js'
import type { Database } from '../store/log-store.js'
import type { ThreadedDatabase } from '../store/sqlite/open-threaded-database.js'
import type { WriteGuest } from '../store/sqlite/serve-writes.js'
import type { StartThread } from '../store/sqlite/write-message.js'

/** What the thread needs to open the active tree of the Rekor log. Plain data. */
export interface LogSettings {
  /** Folder of the private keys. */
  readonly keys: string
  readonly passphrase: string | undefined
  readonly hostname: string | undefined
  readonly limits: BatchLimits
  readonly heartbeatMs: number
}

/** What is sent to the thread that writes, so that a log lives there, beside what it writes to. */
interface LogGuest {
  readonly port: MessagePort
  readonly settings: LogSettings
}

/** How often the thread tells how its log is: often enough for its age to be good to a second. */
const STATE_MS = 1000

/** Starts the thread that writes and in which logs can live. */
export const startLogThread: StartThread = (workerData) =>
  new Worker(new URL('./log-worker.js', import.meta.url), { workerData })

/**
 * Opens the active tree of the Rekor log in the thread that writes: a batch crosses from thread to thread once and back, and
 * what the log does meanwhile waits for nobody here.
 *
 * @throws LogError as openRekorTree
 */
export function openInThread(
  thread: ThreadedDatabase['thread'],
  settings: LogSettings,
  options: Omit<RemoteLogOptions, 'port'>
): Promise<TransparencyLog> {
  const { port1, port2 } = new MessageChannel()
  thread.host({ port: port2, settings } satisfies LogGuest, [port2])
  return openRemoteLog({ ...options, port: port1 })
}

/** The same, seen from the thread. @param guest as openInThread sends it */
export function hostRekorTree(guest: unknown, database: Database): Promise<WriteGuest> {
  const { port, settings } = guest as LogGuest
  const { keys, passphrase, hostname, limits, heartbeatMs } = settings
  return hostLog({
    port,
    stateMs: STATE_MS,
    open: ({ onEvent, times }) =>
      openRekorTree({
        database,
        signerOf: (tree) => readTreeSigner({ keys }, tree, passphrase),
        hostname,
        limits,
        now: Date.now,
        heartbeatMs,
        wrapStore: (store) => timeWrites(store, times, () => performance.now()),
        onEvent
      })
  })
}
