import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Root of the repository. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

/** The Debian suites install.sh unpacks: two generations of the same clients. */
export const SUITES = ['trixie', 'sid'] as const
export type Suite = (typeof SUITES)[number]

/** How a client run ended. */
export interface Outcome {
  readonly command: string
  /** Exit status; null when it was killed, for instance at the time limit. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

// The slowest honest run, an RSA key behind cosign's scrypt, takes under two seconds here.
const TIME_LIMIT_MS = 60_000

/** Path of a client program, as the suite's package ships it. */
export function clientPath(suite: Suite, program: string): string {
  return `${REPOSITORY}.clients/${suite}/usr/bin/${program}`
}

/** Version of a suite's package, as install.sh recorded it: `2.5.0-2+b4`. */
export function packageVersion(suite: Suite, packageName: string): string {
  const versions = readFileSync(`${REPOSITORY}.clients/${suite}/versions`, 'utf8')
  const line = versions.split('\n').find((text) => text.startsWith(`${packageName} `))
  if (line === undefined) throw new Error(`${suite} has no package ${packageName}`)
  return line.slice(packageName.length + 1)
}

/**
 * Runs a program to its end. Nothing of this process's environment is handed on but PATH.
 * @throws Error when the program cannot be started at all; any exit status is an outcome
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>>; input?: string }
): Promise<Outcome> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] ?? '', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL'
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A client that fails before it reads closes its end; its exit status tells, not our broken pipe.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { command: [program, ...args].join(' '), status, stdout, stderr }
}
