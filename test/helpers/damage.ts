import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

/** Flips the lowest bit of one byte, by SQL, past everything that would stop it. */
export function flip(
  folder: string,
  table: string,
  column: string,
  where: string,
  offset: number
): void {
  withConnection(folder, (connection) => {
    const rows = connection
      .prepare(`select ${column} as value from ${table} where ${where}`)
      .all() as { value: Buffer | string }[]
    const value = rows[0]?.value
    if (rows.length !== 1 || value === undefined) throw new Error(`${table}: ${rows.length} rows`)
    const bytes = Buffer.from(value)
    const at = offset < 0 ? bytes.length + offset : offset
    bytes[at] = (bytes[at] ?? 0) ^ 1
    const flipped = typeof value === 'string' ? bytes.toString() : bytes
    connection.prepare(`update ${table} set ${column} = ? where ${where}`).run(flipped)
  })
}

/** Runs one statement that changes one row, past everything that would stop it. */
export function execute(folder: string, sql: string): void {
  withConnection(folder, (connection) => {
    const { changes } = connection.prepare(sql).run()
    if (changes !== 1) throw new Error(`${sql}: ${changes} rows`)
  })
}

function withConnection(folder: string, action: (connection: Sqlite.Database) => void): void {
  const connection = new Sqlite(join(folder, 'log.sqlite'))
  try {
    connection.pragma('foreign_keys = off')
    connection.pragma('ignore_check_constraints = on')
    action(connection)
  } finally {
    connection.close()
  }
}

/** Row id of a leaf, as src/store/sqlite/row-id.ts numbers them. */
export function leafId(leafIndex: number, treeKey = 1): number {
  return treeKey * 2 ** 40 + leafIndex
}

/** Row id of a tile of the first tree. */
export function tileId(level: number, tileIndex: number): number {
  return 2 ** 40 + level * 2 ** 32 + tileIndex
}
