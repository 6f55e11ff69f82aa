import Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'

/**
 * Runs `action` and turns what SQLite throws into LogError: `integrity` for a damaged file or a broken constraint,
 * `timeout` where another process holds a lock for too long, `internal` for the rest (disk full, I/O error).
 *
 * @param what is being done, for the message
 */
export function translateErrors<T>(what: string, action: () => T): T {
  try {
    return action()
  } catch (err) {
    throw toLogError(what, err)
  }
}

/** Result codes that say the file, not the moment, is bad. Extended codes begin with these. */
const DAMAGE = ['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_CONSTRAINT', 'SQLITE_MISMATCH'] as const

const LOCKED = ['SQLITE_BUSY', 'SQLITE_LOCKED'] as const

function toLogError(what: string, err: unknown): LogError {
  if (err instanceof LogError) return err
  const problem = err instanceof Error ? err.message : String(err)
  const message = `${what}: ${problem}`
  if (hasCode(err, DAMAGE)) {
    return new LogError('integrity', message, { cause: err, details: { what: 'storage' } })
  }
  if (isLocked(err)) return new LogError('timeout', message, { cause: err })
  return new LogError('internal', message, { cause: err })
}

/** Whether another connection holds the lock that was wanted. */
export function isLocked(err: unknown): boolean {
  return hasCode(err, LOCKED)
}

function hasCode(err: unknown, codes: readonly string[]): boolean {
  return err instanceof Sqlite.SqliteError && codes.some((code) => err.code.startsWith(code))
}
