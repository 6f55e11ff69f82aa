import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import type { CliWorld, RunningServer } from '../../src/cli/command.js'
import { runCli } from '../../src/cli/run.js'
import { loadConfig } from '../../src/config/load.js'
import type { Config } from '../../src/config/schema.js'
import { startServer } from '../../src/server.js'
import { openAdministration } from '../../src/server/open-administration.js'
import type { ServerOptions } from '../../src/server/foundation.js'

/** What a command wrote and exited with. */
export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Teardown {
  teardown(action: () => unknown): unknown
}

/** A folder that goes away with the test. */
export function tempFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'sigstead-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs a command in this process, with no environment and no server unless given. */
export async function runCommand(
  argv: readonly string[],
  world: Partial<CliWorld> = {}
): Promise<CliResult> {
  let stdout = ''
  let stderr = ''
  const code = await runCli(argv, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: Readable.from([]),
    environment: {},
    now: Date.now,
    randomBytes: (length) => Uint8Array.from(randomBytes(length)),
    startServer: () => Promise.reject(new Error('this test has no server')),
    openAdministration: (config) =>
      openAdministration(config, {
        logger: pino({ level: 'silent' }),
        now: world.now ?? Date.now,
        monotonicMs: () => performance.now(),
        randomBytes: (length) => Uint8Array.from(randomBytes(length))
      }),
    onStopRequest: () => () => undefined,
    exit: (code) => {
      throw new Error(`exit ${code}`)
    },
    ...world
  })
  return { code, stdout, stderr }
}

/** A data directory with a log in it. */
export async function initLog(t: Teardown, flags: readonly string[] = []): Promise<string> {
  const dataDir = join(tempFolder(t), 'data')
  const { code, stderr } = await runCommand(['init', '--data-dir', dataDir, ...flags])
  if (code !== 0) throw new Error(`init: ${stderr}`)
  return dataDir
}

/** Configuration of a server on free ports that verifies on its own thread. */
export function testConfig(dataDir: string, flags: Readonly<Record<string, string>> = {}): Config {
  return loadConfig(
    {
      'data-dir': dataDir,
      listen: '127.0.0.1:0',
      'metrics-listen': 'off',
      'rekor-verify-workers': '0',
      ...flags
    },
    {}
  )
}

export interface TestServer extends RunningServer {
  /** Parsed lines of its log. */
  readonly log: readonly Record<string, unknown>[]
}

/** A server in this process, stopped with the test at the latest. */
export async function startTestServer(
  t: Teardown,
  config: Config,
  options: Partial<ServerOptions> = {}
): Promise<TestServer> {
  const log: Record<string, unknown>[] = []
  const logger = pino(
    { level: 'debug' },
    { write: (line: string) => log.push(JSON.parse(line) as Record<string, unknown>) }
  )
  const server = await startServer(config, {
    logger,
    now: Date.now,
    monotonicMs: () => performance.now(),
    randomBytes: (length) => Uint8Array.from(randomBytes(length)),
    ...options
  })
  t.teardown(() => server.close().catch(() => undefined))
  return { ...server, log }
}

/** A key to sign artifacts with. */
export interface ArtifactKey {
  readonly privateKey: KeyObject
  readonly publicKeyPem: string
}

export function artifactKey(): ArtifactKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return { privateKey, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

/** A hashedrekord over a text. */
export function proposal(text: string, { privateKey, publicKeyPem }: ArtifactKey): unknown {
  return {
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: {
      data: {
        hash: { algorithm: 'sha256', value: createHash('sha256').update(text).digest('hex') }
      },
      signature: {
        content: sign('sha256', Buffer.from(text), privateKey).toString('base64'),
        publicKey: { content: Buffer.from(publicKeyPem).toString('base64') }
      }
    }
  }
}

/** Uploads a hashedrekord over a text. @returns its entry ID */
export async function upload(url: string, text: string, key: ArtifactKey): Promise<string> {
  const response = await fetch(`${url}/api/v1/log/entries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(proposal(text, key))
  })
  const body = await response.text()
  if (response.status !== 201) throw new Error(`${response.status}: ${body}`)
  return Object.keys(JSON.parse(body) as object)[0] ?? ''
}

/** A real process running the built command. */
export interface CliProcess {
  readonly child: ChildProcess
  readonly output: () => { readonly stdout: string; readonly stderr: string }
  /** Waits until this text is in its output. */
  until(text: string): Promise<void>
  /** Waits for its end. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

const ROOT = new URL('../../', import.meta.url).pathname

/**
 * Brings dist up to date with src: compiling in each process instead would take seconds every time. Nothing to do
 * after `npm test` has built it.
 */
export function buildCommand(): void {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'src'],
    { cwd: ROOT, encoding: 'utf8' }
  )
  if (status !== 0) throw new Error(`src does not compile:\n${stdout}`)
}

export function spawnCli(
  t: Teardown,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {}
): CliProcess {
  const child = spawn(process.execPath, [`${ROOT}dist/main.js`, ...argv], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  let onOutput: (() => void) | undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    onOutput?.()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    onOutput?.()
  })
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null, // as the event has it
    signal: signal as string | null
  }))
  return {
    child,
    output: () => ({ stdout, stderr }),
    ended,
    until: (text) =>
      new Promise((resolve, reject) => {
        onOutput = () => {
          if (`${stdout}${stderr}`.includes(text)) resolve()
        }
        void ended.then(({ code }) =>
          reject(new Error(`ended with ${code} before "${text}":\n${stdout}${stderr}`))
        )
        onOutput()
      })
  }
}
