// Which generator sends the load: wrk where it is installed, else autocannon, else the one of this folder. All of them read the
// same prepared requests, run in a process of their own, and answer in the same shape:
//   { requests, elapsedSeconds, p50Ms, p99Ms, maxMs, refused, bad, firstBad, timeouts, broken, ranOut, cpuSeconds }
// `requests` are answers of any status; `bad` (all of them looked at, with `check`) and `refused` (400 and above) are among them.
import { execFile, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { watch } from './processes.mjs'

/** Far beyond the slowest answer of a server that works. */
export const ANSWER_LIMIT_SECONDS = 30
/** Beyond the end of a run, for what is still on its way and for starting and ending the generator. */
const PATIENCE_MS = 60_000

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url))

/** @param wish `wrk`, `autocannon`, `own`, or undefined for the first there is */
export async function chooseGenerator(wish) {
  const tried = wish === undefined ? ['wrk', 'autocannon', 'own'] : [wish]
  for (const name of tried) {
    const description = await describe[name]?.()
    if (description !== undefined) return { name, description, send: senders[name] }
  }
  throw new Error(`no generator ${tried.join(', ')}`)
}

const describe = {
  async wrk() {
    try {
      // It prints its version and then its usage, and exits with 1.
      const text = await promisify(execFile)('wrk', ['-v']).catch((err) => err.stdout)
      const version = /^wrk (\S+)/.exec(text ?? '')?.[1]
      return version === undefined ? undefined : `wrk ${version}, -t1`
    } catch {
      return undefined
    }
  },
  async autocannon() {
    try {
      await import('autocannon')
      return 'autocannon, one thread'
    } catch {
      return undefined
    }
  },
  own: async () => 'the one of bench/, one thread'
}

const senders = {
  wrk: sendWithWrk,
  autocannon: (run) => inProcess('autocannon.mjs', run),
  own: (run) => inProcess('load.mjs', { task: 'send', ...run })
}

/** @param run { file, authority, connections, seconds (whole), status, cycle, check } */
async function sendWithWrk({ file, authority, connections, seconds, status, cycle, check }) {
  const child = watch(
    spawn(
      'wrk',
      [
        ...['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', `${ANSWER_LIMIT_SECONDS}s`],
        ...['-s', fileOf('wrk.lua'), `http://${authority}`, '--', file, String(status)],
        ...[cycle ? 'cycle' : 'once', check ? 'check' : 'fast']
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] }
    )
  )
  const late = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + PATIENCE_MS)
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  await once(child, 'close')
  clearTimeout(late)
  const result = /^RESULT (\{.*\})$/m.exec(output)?.[1]
  if (result === undefined) throw new Error(`wrk gave no result:\n${output.slice(-2000)}`)
  return JSON.parse(result)
}

/** Runs one task in a process of its own and gives what it answers. */
export async function inProcess(script, task) {
  const child = watch(fork(fileOf(script)))
  const late = setTimeout(() => child.kill('SIGKILL'), task.seconds * 1000 + PATIENCE_MS)
  try {
    child.send(task)
    const [answer] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => {
        throw new Error(`${script} ended (${code ?? signal}) without an answer`)
      })
    ])
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  } finally {
    clearTimeout(late)
    if (child.connected) child.disconnect()
  }
}
