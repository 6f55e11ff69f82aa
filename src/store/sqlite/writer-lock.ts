import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'
import { isLocked, translateErrors } from './errors.js'

/** The right to write to one database. It dies with the process: the operating system takes the lock back. */
export interface WriterLock {
  release(): void
}

/**
 * Takes the right to write, without waiting for it. It is an open exclusive transaction on an empty database beside
 * the real one, rather than a file with a process id in it, which would outlive its process and name another.
 *
 * @throws LogError `conflict` when somebody has it, in this process or another
 */
export function takeWriterLock(databasePath: string): WriterLock {
  const directory = dirname(databasePath)
  return translateErrors(`cannot lock ${directory}`, () => {
    const lock = new Sqlite(`${databasePath}.lock`, { timeout: 0 })
    try {
      lock.exec('begin exclusive')
    } catch (err) {
      lock.close()
      if (!isLocked(err)) throw err
      throw new LogError(
        'conflict',
        `${directory} is in use: another process writes to it. Only one may; stop it first`
      )
    }
    return { release: () => lock.close() }
  })
}
