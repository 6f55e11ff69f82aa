import { readVersion } from '../config/version.js'
import { type Command, EXIT } from './command.js'

export const versionCommand: Command = {
  run: async ({ print }) => {
    const version = readVersion()
    print(`sigstead ${version} (Node.js ${process.version})`, { version, node: process.version })
    return EXIT.ok
  }
}
