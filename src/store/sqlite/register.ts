import type Sqlite from 'better-sqlite3'
import type { Register } from '../log-store.js'
import { toBytes } from './bytes.js'
import { translateErrors } from './errors.js'
import type { Statements } from './statements.js'

/** One statement per swap: SQLite runs it in a transaction of its own. */
export function createRegister(connection: Sqlite.Database, statements: Statements): Register {
  return {
    read: async (key) =>
      translateErrors(`${connection.name}: cannot read cell ${key}`, () => {
        const value = statements.readCell.get(key)
        return value === undefined ? undefined : toBytes(value)
      }),
    swap: async (key, expected, next) =>
      translateErrors(`${connection.name}: cannot write cell ${key}`, () => {
        const { changes } =
          expected === undefined
            ? statements.insertCell.run(key, next)
            : statements.updateCell.run(next, key, expected)
        return changes === 1
      })
  }
}
