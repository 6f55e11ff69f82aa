import { assertLogDirectory, dataPaths } from '../config/data-dir.js'
import type { Config } from '../config/schema.js'
import type { Administration } from '../site/administration.js'
import { connectAdministration } from './admin-socket.js'
import type { CommandCall } from './command.js'

/** Does something to the server that runs on a data directory, or, where none does, to the directory itself. */
export async function withAdministration<Result>(
  { world }: Pick<CommandCall, 'world'>,
  config: Config,
  action: (administration: Administration, isRunning: boolean) => Promise<Result>
): Promise<Result> {
  const paths = dataPaths(config.dataDir)
  assertLogDirectory(paths)
  const running = await connectAdministration(paths.adminSocket)
  if (running !== undefined) return action(running, true)
  const opened = await world.openAdministration(config)
  try {
    return await action(opened.administration, false)
  } finally {
    await opened.close()
  }
}
