import type { DataPaths } from '../config/data-dir.js'
import { LogError, isLogError } from '../errors.js'
import type { Database } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import {
  openThreadedDatabase,
  type ThreadedDatabase
} from '../store/sqlite/open-threaded-database.js'
import { startLogThread } from './log-thread.js'

/** Which thread writes: `thread` for one of its own, which is for servers, or the one that asks. */
export type Writer = 'thread' | 'here'

/** A database, and the thread that writes it where there is one. */
export interface OpenForWriting {
  readonly database: Database
  readonly thread: ThreadedDatabase['thread'] | undefined
}

/** @throws LogError as openDatabase, with what to do about a damaged one */
export async function openForWriting(
  { database: path }: DataPaths,
  writer: Writer = 'here'
): Promise<OpenForWriting> {
  try {
    if (writer === 'here') {
      return { database: await openDatabase({ path, mode: 'write' }), thread: undefined }
    }
    const database = await openThreadedDatabase({ path, start: startLogThread })
    return { database, thread: database.thread }
  } catch (err) {
    if (!isLogError(err, 'integrity')) throw err
    throw new LogError('integrity', `${err.message}. Restore the newest complete backup`, {
      cause: err
    })
  }
}
