import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import type { Test } from 'tap'
import { clientPath, packageVersion, runProgram, SUITES } from './clients.js'
import type { Outcome, Suite } from './clients.js'
import { startRefusingProxy } from './offline.js'
import { startServer } from './server.js'
import type { RunningServer } from './server.js'

/** One test file's world: a log of its own, a folder, and clients that can reach nothing else. */
export interface Session {
  readonly server: RunningServer
  /** Folder that is the clients' working directory; removed with the test. */
  readonly dir: string
  /** The server's data directory. */
  readonly dataDir: string
  /** File with the log's public key, PEM. */
  readonly logKeyFile: string
  /** PEM text of the log's public key. */
  readonly logKey: string
  /** Variables that make a client's way out lead to the proxy that writes it down: for programs not started by `run`. */
  readonly proxyEnv: Readonly<Record<string, string>>
  /** Runs a client of one suite, in `dir`, with a home of that suite's own. */
  run(
    suite: Suite,
    program: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>
  ): Promise<Outcome>
  /** Writes a file into `dir`. @returns its full path */
  write(name: string, content: string | Uint8Array): string
  /** Base64 body of the entry at a log index, as the log serves it to everybody. */
  bodyAt(logIndex: number): Promise<string>
}

/** Starts a log and gives the means to point clients at it. All of it ends with `t`, and must end well. */
export async function openSession(t: Test, serverArgs: readonly string[] = []): Promise<Session> {
  requireIsolation()
  for (const suite of SUITES) {
    const versions = ['cosign', 'rekor', 'sigstore-go', 'gitsign'].map(
      (name) => `${name} ${packageVersion(suite, name)}`
    )
    t.comment(`${suite}: ${versions.join(', ')}`)
  }

  const dir = mkdtempSync(`${tmpdir()}/sigstead-clients-`)
  const proxy = await startRefusingProxy()
  const dataDir = `${dir}/log`
  const server = await startServer(dataDir, serverArgs)
  // A throw, not an assertion: by now the plan is over, and tap reports a failing teardown as a failing file.
  t.teardown(async () => {
    const status = await server.stop()
    await proxy.close()
    if (t.passing()) rmSync(dir, { recursive: true, force: true })
    else t.comment(`left in ${dir}\n${server.output()}`)
    const attempts = proxy.attempts()
    if (attempts.length > 0) throw new Error(`clients tried to leave: ${attempts.join(', ')}`)
    if (status !== 0) throw new Error(`the server ended with ${status}:\n${server.output()}`)
  })

  const logKey = await fetchText(`${server.url}/api/v1/log/publicKey`)
  const session: Session = {
    server,
    dir,
    dataDir,
    logKey,
    logKeyFile: `${dir}/log-key.pem`,
    proxyEnv: proxy.env,
    run(suite, program, args, env) {
      const home = `${dir}/home-${suite}`
      mkdirSync(home, { recursive: true })
      return runProgram(clientPath(suite, program), args, {
        cwd: dir,
        env: {
          HOME: home,
          COSIGN_PASSWORD: '',
          REKOR_REKOR_SERVER: server.url,
          ...proxy.env,
          ...env
        }
      })
    },
    write(name, content) {
      writeFileSync(`${dir}/${name}`, content)
      return `${dir}/${name}`
    },
    async bodyAt(logIndex) {
      const answer = await fetchText(`${server.url}/api/v1/log/entries?logIndex=${logIndex}`)
      const [entry] = Object.values(JSON.parse(answer) as Record<string, { body: string }>)
      if (entry === undefined) throw new Error(`an empty entry at ${logIndex}`)
      return entry.body
    }
  }
  session.write('log-key.pem', logKey)
  return session
}

/** The run succeeded and its output, both streams, says so in the expected words. */
export function accepted(t: Test, outcome: Outcome, name: string, words?: RegExp): void {
  const text = outcome.stdout + outcome.stderr
  const ok = outcome.status === 0 && (words === undefined || words.test(text))
  t.ok(ok, `${name}: accepted`, ok ? {} : { ...outcome, words: String(words) })
}

/**
 * The run failed by the client's own decision, with the reason expected. A crash, a time limit or another reason is
 * not a refusal.
 */
export function refused(t: Test, outcome: Outcome, name: string, reason: RegExp): void {
  const text = outcome.stdout + outcome.stderr
  const ok =
    outcome.status !== null &&
    outcome.status !== 0 &&
    reason.test(text) &&
    !/^panic:|goroutine 1 \[running\]/m.test(text)
  t.ok(ok, `${name}: refused`, ok ? {} : { ...outcome, reason: String(reason) })
}

async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url)
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
  return answer.text()
}

function requireIsolation(): void {
  const promised = process.env['SIGSTEAD_CLIENTS_ISOLATED'] ?? '0'
  const outside = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address !== undefined && !address.internal)
  if (promised !== '0' && outside.length > 0) {
    throw new Error('run.sh promised a network namespace, but there is a way out of this one')
  }
}
