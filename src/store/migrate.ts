import { readFileSync } from 'node:fs'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { sha256 } from './sha256.js'

/** One numbered step of the schema: plain SQL, forward only. There is no way back: undoing a log is data loss. */
export interface Migration {
  /** 1, 2, 3, … without gaps; the same numbers for every engine. */
  readonly number: number
  readonly name: string
  /** Hex SHA-256 of the file. */
  readonly sha256: string
  readonly sql: string
}

/** A migration as the database remembers it. */
export type AppliedMigration = Omit<Migration, 'sql'>

/**
 * Reads the migrations of one engine.
 *
 * @param folder holds a file `NNNN_name.sql` for each name
 * @param names in order; the first is number 1
 */
export function readMigrations(folder: URL, names: readonly string[]): readonly Migration[] {
  return names.map((name, i) => {
    const number = i + 1
    const file = readFileSync(new URL(`${String(number).padStart(4, '0')}_${name}.sql`, folder))
    return { number, name, sha256: encodeHex(sha256(file)), sql: file.toString('utf8') }
  })
}

/**
 * Migrations still to be applied, in order. Pure: the engine applies each in a transaction of its own, together with
 * the row that remembers it.
 *
 * @param applied as remembered by the database, by number
 * @param known what this version of the program brings
 * @throws LogError `integrity` when the past was changed or has a gap, `unsupported` when the database is newer than
 *   the program
 */
export function planMigrations(
  applied: readonly AppliedMigration[],
  known: readonly Migration[]
): readonly Migration[] {
  applied.forEach((row, i) => {
    const number = i + 1
    if (row.number !== number) {
      throw new LogError(
        'integrity',
        `migration ${number} is missing from the database, which has number ${row.number}`
      )
    }
    const migration = known[i]
    if (migration === undefined) {
      throw new LogError(
        'unsupported',
        `the database was written by a newer version: it has migration ${number} (${row.name}), ` +
          `this program knows ${known.length}. Install the newer version again`
      )
    }
    if (row.name !== migration.name || row.sha256 !== migration.sha256) {
      throw new LogError(
        'integrity',
        `migration ${number} (${migration.name}) is not the one the database was built with: ` +
          `its SHA-256 is ${migration.sha256}, applied was ${row.name} with ${row.sha256}`
      )
    }
  })
  return known.slice(applied.length)
}
