import { translateErrors } from './errors.js'
import type { Database } from '../log-store.js'
import {
  assertExists,
  connectForFollowing,
  connectForReading,
  connectForWriting
} from './connection.js'
import { createDatabase } from './database.js'
import { assertMigrated, migrate, readSqliteMigrations } from './migrations.js'
import { takeWriterLock } from './writer-lock.js'

export interface OpenDatabaseOptions {
  /** File of the database. Beside it lie its write-ahead log and, while somebody writes, `<path>.lock`. */
  readonly path: string
  /**
   * `write`: the only writer, until `close` or the end of the process; applies pending migrations.
   * `read`: a snapshot of this moment, beside a writer or without one; every writing call fails.
   * `follow`: likewise, but each call sees what is committed when it is made.
   */
  readonly mode: 'write' | 'read' | 'follow'
  /** Make the file if there is none; only with `write`. Off: a missing log is an error, not an empty log. */
  readonly create?: boolean
}

/**
 * Opens the database of a data directory.
 *
 * @throws LogError `not_found` when there is none, `conflict` when another process writes to it, it is not ours, or
 *   has to be migrated before reading, `unsupported` when it was written by a newer version, `integrity` when it is
 *   damaged, `internal` when commits would not be durable
 */
export async function openDatabase({
  path,
  mode,
  create = false
}: OpenDatabaseOptions): Promise<Database> {
  return translateErrors(`cannot open ${path}`, () =>
    mode === 'write' ? openForWriting(path, create) : openForReading(path, mode)
  )
}

function openForWriting(path: string, create: boolean): Database {
  if (!create) assertExists(path) // before the lock leaves a file where there is no log
  const lock = takeWriterLock(path)
  try {
    const connection = connectForWriting(path)
    try {
      migrate(connection, readSqliteMigrations())
      return createDatabase(connection, () => lock.release())
    } catch (err) {
      connection.close()
      throw err
    }
  } catch (err) {
    lock.release()
    throw err
  }
}

function openForReading(path: string, mode: 'read' | 'follow'): Database {
  const connection = mode === 'read' ? connectForReading(path) : connectForFollowing(path)
  try {
    assertMigrated(connection, readSqliteMigrations())
    return createDatabase(connection, () => undefined)
  } catch (err) {
    connection.close()
    throw err
  }
}
