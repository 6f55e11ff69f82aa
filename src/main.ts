#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import type { CliWorld } from './cli/command.js'
import { runCli } from './cli/run.js'
import type { Config } from './config/schema.js'
import type { ServerOptions } from './server/foundation.js'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** File descriptor. */
const STDERR = 2

const world: CliWorld = {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  now: Date.now,
  randomBytes: (length) => Uint8Array.from(randomBytes(length)),
  stdin: process.stdin,
  // Only loaded to serve: most commands need none of it.
  startServer: async (config) => {
    const { startServer } = await import('./server.js')
    return startServer(config, { ...(await serverOptions(config)), writer: 'thread' })
  },
  openAdministration: async (config) => {
    const { openAdministration } = await import('./server/open-administration.js')
    return openAdministration(config, await serverOptions(config))
  },
  onStopRequest: (listener) => {
    for (const signal of SIGNALS) process.on(signal, listener)
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener)
    }
  },
  exit: (code) => process.exit(code)
}

async function serverOptions({ logLevel }: Config): Promise<ServerOptions> {
  const { pino } = await import('pino')
  const { createLogDestination } = await import('./server/log-destination.js')
  return {
    logger: pino({ level: logLevel }, createLogDestination(STDERR)),
    now: Date.now,
    monotonicMs: () => performance.now(),
    randomBytes: world.randomBytes
  }
}

// Whoever reads our output may stop reading, as `head` does; that is no failure.
process.stdout.on('error', (err: NodeJS.ErrnoException) => {
  if (err.code !== 'EPIPE') throw err
})

/** How long what a command left open may keep the process. Nothing should. */
const LINGER_MS = 2000

process.exitCode = await runCli(process.argv.slice(2), world)
setTimeout(() => process.exit(), LINGER_MS).unref()
