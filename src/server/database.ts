import type { DataPaths } from '../config/data-dir.js'
import { LogError, isLogError } from '../errors.js'
import type { Database } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { openThreadedDatabase } from '../store/sqlite/open-threaded-database.js'

/** Which thread writes: `thread` for one of its own, which is for servers, or the one that asks. */
export type Writer = 'thread' | 'here'

/** @throws LogError as openDatabase, with what to do about a damaged one */
export async function openForWriting(
  { database: path }: DataPaths,
  writer: Writer = 'here'
): Promise<Database> {
  try {
    return writer === 'thread'
      ? await openThreadedDatabase({ path })
      : await openDatabase({ path, mode: 'write' })
  } catch (err) {
    if (!isLogError(err, 'integrity')) throw err
    throw new LogError('integrity', `${err.message}. Restore the newest complete backup`, {
      cause: err
    })
  }
}
