// kill -9 during a stream of uploads, at random points, many times on one data directory. After each restart every
// entry a client was promised must be there as promised, the tree must have grown from every checkpoint a client
// saw, and in the end `verify` must pass and the log must go on.
//
//   node test/crash/run.mjs [kills]        after npm run build; SEED=… repeats the moments of a run
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { makeSigned, makeSigners, proposedEntry } from '../../bench/entries.mjs'
import { parseEntryAnswer } from '../../dist/client/answers.js'
import { parseLogKeys } from '../../dist/client/log-key.js'
import { verifyEntry } from '../../dist/client/verify-entry.js'
import { decodeHex } from '../../dist/encoding/hex.js'
import { verifyConsistency } from '../../dist/merkle/consistency-proof.js'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const KILLS = Number(process.argv[2] ?? 50)
const CONNECTIONS = 8
/** How long uploads run before the kill, at most. Batches take a few milliseconds, so every step gets hit. */
const LONGEST_STREAM_MS = 1200
/** Older promises that are looked at again after each restart; all of them are at the end. */
const SAMPLE = 40
const START_LIMIT_MS = 30_000

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const random = mulberry32(seed)
const signers = makeSigners()
/** Every 201 that reached a client: entry ID to the answer as text. */
const promised = new Map()
/** Uploads whose answer never came: they may be in the log or not. */
let unanswered = 0
let newest = { treeSize: 0, rootHash: new Uint8Array() }

console.log(`crash suite: ${KILLS} kills, seed ${seed}`)
const folder = await mkdtemp(join(tmpdir(), 'sigstead-crash-'))
const dataDir = join(folder, 'data')
let server
try {
  await command('init', '--data-dir', dataDir)
  for (let kill = 1; kill <= KILLS; kill++) {
    server = await start()
    await checkTree(server)
    const before = promised.size
    const stream = upload(server)
    await sleep(5 + random() * LONGEST_STREAM_MS)
    server.child.kill('SIGKILL')
    await once(server.child, 'exit')
    const fresh = await stream
    server = await start()
    for (const entryId of [...fresh, ...sample(before)]) await checkPromise(server, entryId)
    await checkTree(server)
    server.child.kill('SIGKILL') // an idle server is killed too: right after its start, here
    await once(server.child, 'exit')
    console.log(
      `kill ${kill}: ${fresh.length} promised, ${promised.size} in all, tree size ${newest.treeSize}`
    )
  }
  server = await start()
  for (const entryId of promised.keys()) await checkPromise(server, entryId)
  const last = await post(server, proposedEntry(makeSigned(signers, 0)))
  if (last?.status !== 201) throw new Error(`the log does not go on: ${JSON.stringify(last)}`)
  server.child.kill('SIGTERM')
  const [status] = await once(server.child, 'exit')
  if (status !== 0) throw new Error(`SIGTERM ended with ${status}: ${server.output()}`)
  console.log((await command('verify', '--data-dir', dataDir)).trim())
  if (promised.size < KILLS) throw new Error(`only ${promised.size} uploads were answered: no test`)
  if (unanswered === 0) throw new Error('no kill hit an upload on its way: no test')
  console.log(
    `${promised.size} promises kept over ${2 * KILLS} kills; ${unanswered} uploads were cut off unanswered`
  )
} finally {
  if (server !== undefined && server.child.exitCode === null) server.child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
}

/** Uploads from several connections until the server is gone. @returns the entry IDs that were promised */
async function upload(running) {
  const fresh = []
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let turn = 0; ; turn++) {
        const answer = await post(running, proposedEntry(makeSigned(signers, turn)))
        if (answer === undefined) {
          unanswered++
          return
        }
        if (answer.status !== 201) throw new Error(`upload: ${answer.status} ${answer.text}`)
        const entry = parseEntryAnswer(JSON.parse(answer.text))
        const { treeSize, rootHash } = await verifyEntry(entry, running.key)
        promised.set(entry.entryId, entry)
        fresh.push(entry.entryId)
        if (treeSize > newest.treeSize) newest = { treeSize, rootHash }
      }
    })
  )
  return fresh
}

/** @returns undefined when no whole answer came */
async function post(running, body) {
  try {
    const response = await fetch(`${running.url}/api/v1/log/entries`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body
    })
    return { status: response.status, text: await response.text() }
  } catch {
    return undefined
  }
}

/** The entry is where it was promised, byte for byte, and provable. */
async function checkPromise(running, entryId) {
  const want = promised.get(entryId)
  const response = await fetch(`${running.url}/api/v1/log/entries/${entryId}`)
  if (response.status !== 200) throw new Error(`lost ${entryId}: ${response.status}`)
  const got = parseEntryAnswer(await response.json())
  await verifyEntry(got, running.key)
  for (const name of ['entryId', 'logIndex', 'integratedTimeSeconds']) {
    if (got[name] !== want[name])
      throw new Error(`${entryId}: ${name} was ${want[name]}, is ${got[name]}`)
  }
  if (Buffer.compare(got.leafValue, want.leafValue) !== 0) throw new Error(`${entryId}: other body`)
}

/** The tree grew from the largest checkpoint a client has seen. */
async function checkTree(running) {
  const info = await (await fetch(`${running.url}/api/v1/log`)).json()
  if (newest.treeSize > 0) {
    const path = `/api/v1/log/proof?firstSize=${newest.treeSize}&lastSize=${info.treeSize}`
    const response = await fetch(running.url + path)
    if (response.status !== 200)
      throw new Error(`${path}: ${response.status} ${await response.text()}`)
    const { hashes } = await response.json()
    const now = { treeSize: info.treeSize, rootHash: decodeHex(info.rootHash) }
    verifyConsistency(
      newest,
      now,
      hashes.map((hash) => decodeHex(hash))
    )
  }
  newest = { treeSize: info.treeSize, rootHash: decodeHex(info.rootHash) }
}

function sample(count) {
  const all = [...promised.keys()].slice(0, count)
  return Array.from(
    { length: Math.min(SAMPLE, all.length) },
    () => all[Math.floor(random() * all.length)]
  )
}

async function start() {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let output = ''
  const args = ['serve', '--data-dir', dataDir, '--listen', `127.0.0.1:${port}`]
  const child = spawn(
    process.execPath,
    [MAIN, ...args, '--metrics-listen', 'off', '--log-level', 'warn'],
    {
      stdio: ['ignore', 'pipe', 'pipe']
    }
  )
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  }
  const deadlineMs = Date.now() + START_LIMIT_MS
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`the server ended with ${child.exitCode}:\n${output}`)
    const healthy = await fetch(`${url}/healthz`).catch(() => undefined)
    if (healthy?.status === 200) break
    if (Date.now() > deadlineMs) throw new Error(`no healthy server:\n${output}`)
    await sleep(10)
  }
  const pem = new Uint8Array(await (await fetch(`${url}/api/v1/log/publicKey`)).arrayBuffer())
  return { url, child, key: parseLogKeys(pem)[0], output: () => output }
}

async function command(...args) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`sigstead ${args[0]} ended with ${status}: ${output}`)
  return output
}

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address()
  listener.close()
  await once(listener, 'close')
  return port
}

/** Small seeded generator, so that a failing run can be repeated as far as its moments go. */
function mulberry32(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
