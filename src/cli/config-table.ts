import { readFileSync, writeFileSync } from 'node:fs'
import { configTable, withConfigTable } from '../config/table.js'
import { LogError } from '../errors.js'
import { type Command, EXIT } from './command.js'

export const configTableCommand: Command = {
  flags: [
    { name: 'write', value: 'FILE', meaning: 'Put the table between the markers of this file.' }
  ],
  run: async ({ flags, print }) => {
    const file = flags.get('write')
    if (file === undefined) {
      const table = configTable()
      print(table, { table })
      return EXIT.ok
    }
    const text = withConfigTable(readFileSync(file, 'utf8'))
    if (text === undefined) {
      throw new LogError('invalid_request', `${file} lacks the markers the table stands between`)
    }
    writeFileSync(file, text)
    print(`${file} is up to date`, { file })
    return EXIT.ok
  }
}
