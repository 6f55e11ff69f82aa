import { dataPaths, inspectDataDirectory } from '../config/data-dir.js'
import type { Command } from './command.js'
import { createLog } from './init.js'
import { serveUntilStopped } from './serve.js'

export const startCommand: Command = {
  description:
    'Runs init first when, and only when, the data directory does not exist yet or is empty, or when an earlier init\n' +
    'was interrupted. This is what npm start runs.',
  config: 'all',
  run: async (call) => {
    const config = call.loadConfig()
    const state = inspectDataDirectory(dataPaths(config.dataDir))
    if (state === 'new' || state === 'unfinished') {
      const log = await createLog(config, call.world)
      call.note(
        `there was no log in ${config.dataDir}: made tree ${log.treeId} with key ${log.keyFile}`
      )
    }
    return serveUntilStopped(call, config)
  }
}
