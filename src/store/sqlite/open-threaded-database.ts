import { closeSync, openSync } from 'node:fs'
import type { Database } from '../log-store.js'
import { assertExists, connectForWriting } from './connection.js'
import { createDatabase } from './database.js'
import { translateErrors } from './errors.js'
import { migrate, readSqliteMigrations } from './migrations.js'
import { threadedDatabase } from './threaded-database.js'
import type { StartThread } from './write-message.js'
import { startWriteThread, startWriter, type WriteThread } from './write-thread.js'
import { takeWriterLock } from './writer-lock.js'

export interface OpenThreadedOptions {
  /** File of the database, as openDatabase has made it. */
  readonly path: string
  /** Tests bring their own. */
  readonly start?: StartThread
}

/** A database that a thread writes. */
export interface ThreadedDatabase extends Database {
  readonly thread: Pick<WriteThread, 'host' | 'failure'>
}

/**
 * Opens a database as `openDatabase` does for writing, and writes to it from a thread: see threadedDatabase.
 *
 * @throws LogError as openDatabase
 */
export async function openThreadedDatabase({
  path,
  start = startWriter
}: OpenThreadedOptions): Promise<ThreadedDatabase> {
  return translateErrors(`cannot open ${path}`, () => {
    assertExists(path)
    const opened: (() => void)[] = []
    const undo = (): void => {
      for (const close of opened.splice(0).reverse()) close()
    }
    try {
      const lock = takeWriterLock(path)
      opened.push(() => lock.release())
      const descriptor = openSync(path, 'r')
      // Closed after every connection: with the first descriptor of a file that is closed the system takes back all locks on it.
      opened.push(() => closeSync(descriptor))
      const connection = connectForWriting(path)
      opened.push(() => connection.close())
      migrate(connection, readSqliteMigrations())
      // From here on it only reads. A write by mistake would wait for the thread's, and every request with it.
      connection.pragma('query_only = on')
      const thread = startWriteThread({ path, descriptor }, start)
      const database = threadedDatabase(
        createDatabase(connection, () => undefined),
        thread
      )
      let closed: Promise<void> | undefined
      return { ...database, thread, close: () => (closed ??= database.close().finally(undo)) }
    } catch (err) {
      undo()
      throw err
    }
  })
}
