import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { REPOSITORY, runProgram } from './clients.js'

/** A server process of this repository's build, with a log of its own. */
export interface RunningServer {
  /** Base URL without a slash at the end. */
  readonly url: string
  /** Everything it wrote so far, for a failing test to show. */
  output(): string
  /** Stops it, does something, and starts it again at the same address. @param env further variables from then on */
  restart(meanwhile: () => Promise<void>, env?: Readonly<Record<string, string>>): Promise<void>
  /** Asks it to stop and waits for the end. @returns its exit status */
  stop(): Promise<number | null>
}

/** Our program. */
export const MAIN = `${REPOSITORY}dist/main.js`
const START_LIMIT_MS = 30_000

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  listener.close()
  await once(listener, 'close')
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return address.port
}

/** Runs one of our own commands to its end. @returns what it wrote @throws Error when it fails */
export async function runSigstead(args: readonly string[]): Promise<string> {
  const outcome = await runProgram(process.execPath, [MAIN, ...args], { cwd: REPOSITORY })
  if (outcome.status !== 0) {
    throw new Error(`${args[0]} ended with ${outcome.status}: ${outcome.stderr}`)
  }
  return outcome.stdout
}

/** Creates a log in `dataDir` with `init` and serves it. */
export async function startServer(
  dataDir: string,
  args: readonly string[] = []
): Promise<RunningServer> {
  await runSigstead(['init', '--data-dir', dataDir, ...args])
  return serve(['serve', '--data-dir', dataDir, ...args])
}

/** Starts `node dist/main.js ARGS` on a free port and waits until it answers. */
export async function serve(args: readonly string[]): Promise<RunningServer> {
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}`
  let output = ''
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    const child = spawn(
      process.execPath,
      [MAIN, ...args, '--listen', address, '--metrics-listen', 'off'],
      {
        cwd: REPOSITORY,
        env: { PATH: process.env['PATH'] ?? '', ...env },
        stdio: ['ignore', 'pipe', 'pipe']
      }
    )
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    await untilHealthy(url, child, () => output)
    return child
  }
  let child = await start()
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    return child.exitCode
  }
  return {
    url,
    output: () => output,
    stop,
    async restart(meanwhile, env) {
      const status = await stop()
      if (status !== 0) throw new Error(`the server ended with ${status}:\n${output}`)
      await meanwhile()
      child = await start(env)
    }
  }
}

async function untilHealthy(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadlineMs = Date.now() + START_LIMIT_MS
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}:\n${output()}`)
    }
    const answer = await fetch(`${url}/healthz`).catch(() => undefined)
    if (answer?.status === 200) return
    if (Date.now() > deadlineMs) {
      child.kill('SIGKILL')
      throw new Error(`no healthy server after ${START_LIMIT_MS} ms:\n${output()}`)
    }
    await sleep(50)
  }
}
