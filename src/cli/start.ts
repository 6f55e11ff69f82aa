import { dataPaths, inspectDataDirectory } from '../config/data-dir.js'
import type { Command } from './command.js'
import { initialize } from './init.js'
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
      const { log, certificateLog, authority, timestampAuthority, tufRepository, transcriptFile } =
        await initialize(config, call.world)
      const made = (what: string, keyFile: string): void =>
        call.note(`there was none in ${config.dataDir}: made ${what} with key ${keyFile}`)
      if (log !== undefined) made(`tree ${log.treeId}`, log.keyFile)
      if (certificateLog !== undefined) {
        made(`certificate log ${certificateLog.logId}`, certificateLog.keyFile)
      }
      if (authority !== undefined) {
        made(`certificate authority ${authority.fingerprint}`, authority.keyFile)
      }
      if (timestampAuthority !== undefined) {
        const { fingerprint, keyFile } = timestampAuthority
        made(`timestamp authority ${fingerprint}`, keyFile)
      }
      if (tufRepository !== undefined) {
        const { rootSha256, keyFiles } = tufRepository
        made(
          `TUF repository, SHA-256 of root.json ${rootSha256}`,
          Object.values(keyFiles).join(', ')
        )
      }
      if (transcriptFile !== undefined)
        call.note(`transcript with all fingerprints: ${transcriptFile}`)
    }
    return serveUntilStopped(call, config)
  }
}
