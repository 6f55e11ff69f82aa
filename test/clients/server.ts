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
  /** Asks it to stop and waits for the end. @returns its exit status */
  stop(): Promise<number | null>
}

const MAIN = `${REPOSITORY}dist/main.js`
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

/** Creates a log in `dataDir` with `init` and serves it. */
export async function startServer(dataDir: string): Promise<RunningServer> {
  const init = await runProgram(process.execPath, [MAIN, 'init', '--data-dir', dataDir], {
    cwd: REPOSITORY
  })
  if (init.status !== 0) throw new Error(`init ended with ${init.status}: ${init.stderr}`)
  return serve(['serve', '--data-dir', dataDir])
}

/** Starts `node dist/main.js ARGS` on a free port and waits until it answers. */
export async function serve(args: readonly string[]): Promise<RunningServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(
    process.execPath,
    [MAIN, ...args, '--listen', `127.0.0.1:${port}`, '--metrics-listen', 'off'],
    {
      cwd: REPOSITORY,
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe']
    }
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  await untilHealthy(url, child, () => output)
  return {
    url,
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      return child.exitCode
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
