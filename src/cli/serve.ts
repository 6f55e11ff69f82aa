import type { Config } from '../config/schema.js'
import { assertLogDirectory, dataPaths } from '../config/data-dir.js'
import { type Command, type CommandCall, EXIT, type ExitCode } from './command.js'
import { welcomeText, welcomeValue } from './welcome.js'

export const serveCommand: Command = {
  description:
    'Runs until it is told to stop by SIGTERM or SIGINT; then it answers and publishes what it accepted and exits\n' +
    'with 0. A second signal ends it at once.',
  config: 'all',
  run: (call) => serveUntilStopped(call, call.loadConfig())
}

/** Serves an existing data directory until a request to stop, and prints where. */
export async function serveUntilStopped(call: CommandCall, config: Config): Promise<ExitCode> {
  const { world, print } = call
  assertLogDirectory(dataPaths(config.dataDir))
  let requests = 0
  let stop: (() => void) | undefined
  const forget = world.onStopRequest(() => {
    requests++
    if (requests > 1) world.exit(EXIT.failed)
    stop?.()
  })
  try {
    const server = await world.startServer(config)
    const stopped = new Promise<void>((resolve, reject) => {
      stop = () => {
        server.close().then(resolve, reject)
      }
    })
    // Told to stop while it was still starting.
    if (requests > 0) stop?.()
    else print(welcomeText(server), welcomeValue(server))
    await stopped
    return EXIT.ok
  } finally {
    forget()
  }
}
