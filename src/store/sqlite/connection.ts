import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'

/** How long a statement waits for another process, such as a backup, that holds a lock. */
const BUSY_TIMEOUT_MS = 10_000

/** Page cache. Enough for the inner pages of the indexes at 10 million leaves, far from the memory we may use. */
const CACHE_KIB = 64 * 1024

/**
 * 4 KiB: the hash of a new leaf goes to a random place in each index, and what a commit writes is whole pages. With
 * 8 KiB pages the file is 6 % smaller and each commit writes almost twice as much.
 */
const PAGE_BYTES = 4096

/**
 * The write-ahead log is copied into the file every 32 MiB instead of SQLite's 4: the same index pages change again
 * and again, and are copied once. Durable batches of 64 leaves went from 8,200 to 13,000 leaves/s.
 */
const WAL_AUTOCHECKPOINT_PAGES = 8192

/** Makes the file where there is none. */
export function connectForWriting(path: string): Sqlite.Database {
  const connection = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    connection.pragma(`page_size = ${PAGE_BYTES}`) // heeded only while the file is empty
    connection.pragma('journal_mode = wal')
    // A WAL database reopens with NORMAL in this build, which may lose the last commits with the power: then a
    // checkpoint would be signed for leaves that are no longer there.
    connection.pragma('synchronous = full')
    // Where fsync stops at the drive's cache (macOS), ask for more. Nothing elsewhere.
    connection.pragma('fullfsync = on')
    connection.pragma('checkpoint_fullfsync = on')
    connection.pragma(`wal_autocheckpoint = ${WAL_AUTOCHECKPOINT_PAGES}`)
    setCommonPragmas(connection)
    assertPragma(connection, 'journal_mode', 'wal')
    assertPragma(connection, 'synchronous', 2)
    return connection
  } catch (err) {
    connection.close()
    throw err
  }
}

/**
 * Opens a snapshot: everything is read as it was at this moment, whatever a writer does meanwhile. It ends with the
 * connection; until then the writer's WAL keeps growing.
 *
 * @throws LogError `not_found`
 */
export function connectForReading(path: string): Sqlite.Database {
  const connection = connectForFollowing(path)
  try {
    connection.exec('begin')
    connection.prepare('select count(*) from sqlite_schema').get() // the first read takes the snapshot
    return connection
  } catch (err) {
    connection.close()
    throw err
  }
}

/**
 * Opens for reading alone. Each statement sees what is committed when it begins, by whichever connection.
 *
 * @throws LogError `not_found`
 */
export function connectForFollowing(path: string): Sqlite.Database {
  assertExists(path)
  const connection = new Sqlite(path, {
    timeout: BUSY_TIMEOUT_MS,
    readonly: true,
    fileMustExist: true
  })
  try {
    setCommonPragmas(connection)
    return connection
  } catch (err) {
    connection.close()
    throw err
  }
}

function setCommonPragmas(connection: Sqlite.Database): void {
  connection.pragma(`cache_size = -${CACHE_KIB}`)
  connection.pragma('foreign_keys = on')
  connection.pragma('trusted_schema = off')
  assertPragma(connection, 'foreign_keys', 1)
}

/** A pragma that SQLite cannot follow is ignored without a word, so what matters is read back. */
function assertPragma(connection: Sqlite.Database, name: string, want: string | number): void {
  const got = connection.pragma(name, { simple: true })
  if (got !== want) {
    throw new LogError(
      'internal',
      `SQLite runs with ${name} = ${String(got)} instead of ${want}: commits would not be safe on this file system`
    )
  }
}

/** @throws LogError `not_found` */
export function assertExists(path: string): void {
  if (!existsSync(path)) throw new LogError('not_found', `there is no log in ${dirname(path)}`)
}
