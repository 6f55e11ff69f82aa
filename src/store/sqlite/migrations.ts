import type Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'
import {
  type AppliedMigration,
  type Migration,
  planMigrations,
  readMigrations
} from '../migrate.js'

/** The migrations of this engine, in order. A test holds the folder to this list. */
export const SQLITE_MIGRATIONS = ['log', 'submissions'] as const

/** From `src/store/sqlite` as from `dist/store/sqlite`. */
const FOLDER = new URL('../../../migrations/sqlite/', import.meta.url)

export function readSqliteMigrations(): readonly Migration[] {
  return readMigrations(FOLDER, SQLITE_MIGRATIONS)
}

/** Marks our files, so that no other program's database is taken for an empty one of ours: 'SGST'. */
const APPLICATION_ID = 0x53475354

/**
 * Brings the schema up to date: each migration in a transaction with the row that remembers it.
 *
 * @throws LogError `conflict` when the file belongs to another program; as planMigrations
 */
export function migrate(connection: Sqlite.Database, known: readonly Migration[]): void {
  if (!isOurs(connection)) {
    connection
      .transaction(() => {
        connection.exec(
          `create table migration (
             number integer primary key,
             name   text not null,
             sha256 text not null -- hex, of the file that was applied
           ) strict`
        )
        connection.pragma(`application_id = ${APPLICATION_ID}`)
      })
      .immediate()
  }
  for (const migration of planMigrations(appliedMigrations(connection), known)) {
    connection
      .transaction(({ number, name, sha256, sql }: Migration) => {
        connection.exec(sql)
        connection.prepare('insert into migration values (?, ?, ?)').run(number, name, sha256)
      })
      .immediate(migration)
  }
}

/** Refuses a database that `migrate` would have to change. @throws LogError `conflict`; as planMigrations */
export function assertMigrated(connection: Sqlite.Database, known: readonly Migration[]): void {
  const pending = isOurs(connection) ? planMigrations(appliedMigrations(connection), known) : known
  if (pending.length > 0) {
    throw new LogError(
      'conflict',
      `${connection.name} lacks ${pending.length} migration(s) of this version. They are applied when the server starts`
    )
  }
}

/** @throws LogError `conflict` when the file holds something, but nothing of ours */
function isOurs(connection: Sqlite.Database): boolean {
  if (connection.pragma('application_id', { simple: true }) === APPLICATION_ID) return true
  const empty = connection.prepare('select 1 from sqlite_schema').get() === undefined
  if (!empty) {
    throw new LogError('conflict', `${connection.name} is a database of another program`)
  }
  return false
}

function appliedMigrations(connection: Sqlite.Database): readonly AppliedMigration[] {
  return connection
    .prepare<[], AppliedMigration>('select number, name, sha256 from migration order by number')
    .all()
}
