import type { Server } from 'node:http'
import { symbols, type Logger } from 'pino'
import { startFrontThreads, type FrontThreads } from '../front/front-threads.js'
import type { Observation } from '../front/messages.js'
import { loadSocketAddon } from '../http/sockets.js'
import type { Metrics } from '../metrics.js'
import type { EntryVerifier } from '../rekor/entry-verifier.js'
import type { Core } from './core.js'
import { verifySettings } from './rekor.js'

/**
 * Starts the threads that answer requests in front of this one; undefined where configuration wants none, or this system has no
 * way to hand a connection to another thread.
 *
 * @param server of this thread, before it listens
 */
export function openFront(
  { foundation, rekorLog }: Core,
  server: Server,
  verifier: EntryVerifier
): FrontThreads | undefined {
  const { config, options, paths, metrics, announcement } = foundation
  const { logger } = options
  if (announcement === undefined) return undefined
  const { addon, problem } = loadSocketAddon()
  if (addon === undefined) {
    logger.warn({ problem }, 'one thread answers all requests')
    return undefined
  }
  return startFrontThreads({
    threads: config.http.threads - 1,
    settings: {
      databasePath: paths.database,
      verify: verifySettings(config),
      readAttestations: config.rekor.attestations.enabled,
      enabledOperations: config.rekor.endpoints,
      maxRequestBodyBytes: config.maxRequestBodyBytes,
      logLevel: logger.level,
      announcement: announcement.memory
    },
    services: {
      generations: rekorLog.generations,
      verifier,
      observe: (observation) => count(observation, metrics),
      writeLine: lineWriter(logger)
    },
    server,
    addon,
    // Compiled, it needs none of the loaders that this process may have.
    ...(options.frontWorkerUrl === undefined
      ? {}
      : { workerUrl: options.frontWorkerUrl, execArgv: [] }),
    onDeath: (err) => {
      logger.error({ err }, 'a thread that answers requests died; another takes its place')
    }
  })
}

function count(observation: Observation, metrics: Metrics): void {
  switch (observation.type) {
    case 'request':
      metrics.apiRequest(observation.request)
      return
    case 'newEntry':
      metrics.newEntry()
      return
    case 'indexLookup':
      metrics.indexLookup(observation)
  }
}

/** Writes lines that another thread has made to where those of this one go. */
function lineWriter(logger: Logger): (line: string) => void {
  const stream = (logger as unknown as Record<symbol, { write(line: string): unknown }>)[
    symbols.streamSym
  ] // as pino documents it
  return (line) => stream?.write(line)
}
