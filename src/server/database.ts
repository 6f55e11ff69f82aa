import type { DataPaths } from '../config/data-dir.js'
import { LogError, isLogError } from '../errors.js'
import type { Database } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'

/** @throws LogError as openDatabase, with what to do about a damaged one */
export async function openForWriting(paths: DataPaths): Promise<Database> {
  try {
    return await openDatabase({ path: paths.database, mode: 'write' })
  } catch (err) {
    if (!isLogError(err, 'integrity')) throw err
    throw new LogError('integrity', `${err.message}. Restore the newest complete backup`, {
      cause: err
    })
  }
}
