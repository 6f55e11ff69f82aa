import type Sqlite from 'better-sqlite3'
import type { CellChange, Register } from '../log-store.js'
import { toBytes } from './bytes.js'
import { translateErrors } from './errors.js'
import type { Statements } from './statements.js'

/** Writes cells inside a transaction of the caller. @returns false when one does not hold what is expected: roll back then */
export function writeCells(statements: Statements, changes: readonly CellChange[]): boolean {
  return changes.every(({ key, expected, next }) => {
    const { changes: written } =
      expected === undefined
        ? statements.insertCell.run(key, next)
        : statements.updateCell.run(next, key, expected)
    return written === 1
  })
}

/** Rolls a transaction back. */
class CellChanged extends Error {}

export function createRegister(connection: Sqlite.Database, statements: Statements): Register {
  const swapAll = connection.transaction((changes: readonly CellChange[]): void => {
    if (!writeCells(statements, changes)) throw new CellChanged()
  }).immediate

  function tryAll(changes: readonly CellChange[]): boolean {
    try {
      swapAll(changes)
      return true
    } catch (err) {
      if (err instanceof CellChanged) return false
      throw err
    }
  }

  return {
    read: async (key) =>
      translateErrors(`${connection.name}: cannot read cell ${key}`, () => {
        const value = statements.readCell.get(key)
        return value === undefined ? undefined : toBytes(value)
      }),
    swap: async (key, expected, next) =>
      // One statement: SQLite runs it in a transaction of its own.
      translateErrors(`${connection.name}: cannot write cell ${key}`, () =>
        writeCells(statements, [{ key, expected, next }])
      ),
    swapAll: async (changes) =>
      translateErrors(
        `${connection.name}: cannot write cells ${changes.map(({ key }) => key).join(', ')}`,
        () => tryAll(changes)
      )
  }
}
