import { dataPaths, inspectDataDirectory } from '../config/data-dir.js'
import type { Command } from './command.js'
import { describeMade, initialize } from './init.js'
import { serveUntilStopped } from './serve.js'

export const startCommand: Command = {
  description:
    'Runs init first when the data directory does not exist yet or is empty, when an earlier init was interrupted, or\n' +
    'when a part that is configured is missing. This is what npm start runs.',
  config: 'all',
  run: async (call) => {
    const config = call.loadConfig()
    const state = inspectDataDirectory(dataPaths(config.dataDir))
    if (state !== 'foreign') {
      const lines = describeMade(await initialize(config, call.world))
      if (lines.length > 0) call.note([`in ${config.dataDir} were made:`, ...lines].join('\n'))
    }
    return serveUntilStopped(call, config)
  }
}
