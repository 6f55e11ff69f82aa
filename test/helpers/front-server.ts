import { connect } from 'node:net'
import type { Config } from '../../src/config/schema.js'
import type { ServerOptions } from '../../src/server/foundation.js'
import { buildCommand, startTestServer, type Teardown, type TestServer } from './cli.js'

const START_MS = 60_000
const STEP_MS = 20
/** Well below the time after which the server ends a silent connection itself. */
const SILENCE_MS = 15_000

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** Waits for something that will be so. @throws Error when it is not after a minute */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const startedMs = Date.now(); !(await isSo());) {
    if (Date.now() - startedMs > START_MS) throw new Error(`never: ${what}`)
    await pause(STEP_MS)
  }
}

/** Loading a whole server through a TypeScript loader takes each thread many seconds. */
const WORKER = new URL('../../dist/front/worker.js', import.meta.url)
let isBuilt = false

/** A server in this process whose threads are all there. */
export async function startFrontServer(
  t: Teardown,
  config: Config,
  options: Partial<ServerOptions> = {}
): Promise<TestServer> {
  if (!isBuilt) buildCommand()
  isBuilt = true
  const server = await startTestServer(t, config, { frontWorkerUrl: WORKER, ...options })
  await until('threads', () => areReady(server))
  return server
}

/** Whether all threads that answer are there. */
export function areReady({ threads }: TestServer): boolean {
  return threads().length > 0 && threads().every(({ isReady }) => isReady)
}

/** Connections that threads were given so far. */
export function takenBy({ threads }: TestServer): readonly number[] {
  return threads().map(({ taken }) => taken)
}

/** Sends bytes over a connection of its own. @returns all that comes back until the server ends it, one character a byte */
export function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => (text += chunk))
    socket.once('error', reject)
    socket.setTimeout(SILENCE_MS, () =>
      socket.destroy(new Error(`no end after ${text.slice(0, 200)}`))
    )
    socket.once('close', () => resolve(text))
    socket.write(bytes, 'latin1')
  })
}

/** A request as bytes. Without `connection` among its headers it is the last of its connection. */
export function requestBytes(
  method: string,
  path: string,
  body?: string,
  headers: Readonly<Record<string, string>> = {}
): string {
  const all: Record<string, string> = {
    host: 'log.example',
    connection: 'close',
    'x-request-id': 'the-same',
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...headers
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${Buffer.from(body ?? '').toString('latin1')}`
}
