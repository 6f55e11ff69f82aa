// The server that is measured: the built one, with its defaults, in a process of its own, on loopback.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { stop, waitFor, watch } from './processes.mjs'

export const HOST = '127.0.0.1'
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const START_MS = 60_000
const STEP_MS = 5

/** Runs a command of sigstead to its end. @returns what it prints */
export async function runSigstead(args, options = {}) {
  const running = promisify(execFile)(process.execPath, [MAIN, ...args], options)
  watch(running.child)
  return (await running).stdout
}

export function initDataDir(dataDir) {
  return runSigstead(['init', '--data-dir', dataDir])
}

/**
 * Starts the server over a data directory and waits until it says that it is well.
 *
 * @param cpus list as taskset takes it; without it all of them
 * @returns its address, its pid, and how long it took, process start included
 */
export async function startServer({ dataDir, logFile, args = [], cpus }) {
  const port = await freePort()
  const log = openSync(logFile, 'w')
  const command = [
    ...[process.execPath, MAIN, 'serve', '--data-dir', dataDir],
    ...['--listen', `${HOST}:${port}`, '--metrics-listen', 'off', ...args]
  ]
  const [file, ...rest] = cpus === undefined ? command : ['taskset', '-c', cpus, ...command]
  const startedMs = performance.now()
  const child = watch(spawn(file, rest, { stdio: ['ignore', log, log] }))
  closeSync(log)
  let failure
  child.once('error', (err) => (failure = err))
  try {
    await waitFor(
      async () => {
        if (failure !== undefined) throw failure
        if (child.exitCode !== null) throw new Error('it ended')
        return (await statusOf(port, '/healthz')) === 200 ? true : undefined
      },
      STEP_MS,
      START_MS,
      '/healthz'
    )
  } catch (err) {
    await stop(child)
    throw new Error(`no server: ${err.message}\n${readFileSync(logFile, 'utf8').slice(-4000)}`, {
      cause: err
    })
  }
  return {
    host: HOST,
    port,
    url: `http://${HOST}:${port}`,
    authority: `${HOST}:${port}`,
    pid: child.pid,
    startSeconds: (performance.now() - startedMs) / 1000,
    stop: () => stop(child)
  }
}

/** A connection of its own each time, so that none is left over. @returns undefined where nobody listens */
function statusOf(port, path) {
  return new Promise((resolve) => {
    get({ host: HOST, port, path, agent: false }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode))
    }).once('error', () => resolve(undefined))
  })
}

export async function freePort() {
  const listener = createServer().listen(0, HOST)
  await once(listener, 'listening')
  const { port } = listener.address()
  listener.close()
  await once(listener, 'close')
  return port
}

/** Entries of the Rekor log. */
export async function rekorSize({ url }) {
  return (await (await fetch(`${url}/api/v1/log`)).json()).treeSize
}

/** Entries of the certificate log. */
export async function certificateLogSize({ url }) {
  return (await (await fetch(`${url}/ct/v1/get-sth`)).json()).tree_size
}
