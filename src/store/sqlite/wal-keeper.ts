import { Worker } from 'node:worker_threads'
import type Sqlite from 'better-sqlite3'
import type { StartThread, WriteThreadData } from './write-message.js'

/**
 * Pages of the write-ahead log from which on it is copied into the file: 32 MiB instead of SQLite's 4. The same index pages
 * change again and again, and are copied once.
 */
export const COPY_FROM_PAGES = 8192

/** The writer itself copies at most so many, in between two commits: some milliseconds. */
const SMALL_PAGES = 1024

/** Where the copying thread cannot keep up, or is gone, the writer stops and copies: the log must not grow for ever. */
const TOO_MANY_PAGES = 8 * COPY_FROM_PAGES

export interface WalKeeper {
  /** To be called after each commit, and waited for before the next one. */
  afterCommit(): Promise<void>
  /** Ends the thread. */
  close(): Promise<void>
}

/**
 * Keeps the write-ahead log from growing while commits go on. To copy 32 MiB takes a tenth of a second, so another
 * thread does that, which SQLite allows beside a writer; and it waits for the disk, so that the writer need not. It
 * can never catch up with a writer that goes on, and the log begins anew only once all of it is copied: the few pages
 * that are left over the writer copies itself.
 *
 * SQLite is what decides when the log may begin anew: after all of it is copied and the file is on the disk. Nothing
 * here can hurt a commit; the worst is a log that grows.
 */
export function createWalKeeper(
  connection: Sqlite.Database,
  data: WriteThreadData,
  start: StartThread = startCopierThread
): WalKeeper {
  connection.pragma('wal_autocheckpoint = 0')
  const state = connection.prepare<[], WalState>('pragma wal_checkpoint(noop)')
  /** Size of the log at which the next try is worth its while: a reader may keep the log from being copied. */
  let nextTry = 0
  /** Started when there is something to copy for the first time. */
  let copier: Copier | undefined
  let copying: Promise<void> | undefined

  function read(): { readonly log: number; readonly left: number } {
    const { log, checkpointed } = state.get() as WalState // a pragma that gives one row
    return { log, left: log - checkpointed }
  }

  async function afterCommit(): Promise<void> {
    const { log, left } = read()
    if (log < COPY_FROM_PAGES) nextTry = 0
    if (log < COPY_FROM_PAGES || log < nextTry || left === 0) return
    if (log >= TOO_MANY_PAGES || copier?.isGone === true) {
      await copying
      copyNow(connection)
      if (read().left > 0) nextTry = log + COPY_FROM_PAGES
    } else if (copying === undefined && left <= SMALL_PAGES) {
      copyNow(connection)
      if (read().left > 0) nextTry = log + SMALL_PAGES
    } else {
      copying ??= copyBeside(log - left)
    }
  }

  async function copyBeside(copiedBefore: number): Promise<void> {
    copier ??= startCopier(start(data))
    await copier.copy()
    copying = undefined
    const { log, left } = read()
    if (log - left === copiedBefore) nextTry = log + SMALL_PAGES
  }

  return {
    afterCommit,
    close: async () => {
      await copying
      await copier?.close()
    }
  }
}

interface Copier {
  readonly isGone: boolean
  /** Resolves when all is copied that can be, or when the thread is gone. */
  copy(): Promise<void>
  close(): Promise<void>
}

const startCopierThread: StartThread = (workerData) =>
  new Worker(new URL('./wal-copier.js', import.meta.url), { workerData })

function startCopier(worker: Worker): Copier {
  let isGone = false
  let onCopied: () => void = () => undefined
  worker.on('message', () => onCopied())
  worker.on('error', () => undefined) // its end is told below, and without it the writer copies
  const gone = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      isGone = true
      resolve()
    })
  })
  function send(message: 'copy' | 'close'): void {
    if (!isGone) worker.postMessage(message)
  }
  return {
    get isGone() {
      return isGone
    },
    copy: () => {
      const copied = new Promise<void>((resolve) => {
        onCopied = resolve
      })
      send('copy')
      return Promise.race([copied, gone])
    },
    close: () => {
      send('close')
      return gone
    }
  }
}

interface WalState {
  /** Pages in the log, and how many of them are in the file as well. */
  readonly log: number
  readonly checkpointed: number
}

/** Copies what nobody reads from the log any more, without waiting for anybody. */
export function copyNow(connection: Sqlite.Database): void {
  try {
    connection.pragma('wal_checkpoint(passive)')
  } catch {
    // Everything is in the log still. SQLite itself says nothing either when it cannot copy after a commit.
  }
}
