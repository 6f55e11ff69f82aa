// What this machine can do at most in the things that cannot be avoided: checking a signature, signing, and making a batch
// durable. Prints one JSON object. node bench/limits.mjs DIRECTORY SECONDS THREADS
// With threads 2 the rates are those of two threads at once, each doing nothing else.
import { createHash, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { p256 } from '@noble/curves/nist.js'
import { makeSigned, makeSigners } from './entries.mjs'

const ITEMS = 1024
const WARM_UP = 32
const MESSAGE_BYTES = 700

async function main() {
  const [directory, secondsText, threadsText] = process.argv.slice(2)
  const seconds = Number(secondsText)
  const threads = Number(threadsText)
  const rates = {}
  for (const work of Object.keys(WORKS)) {
    rates[work] = isThere(work) ? await rateOfThreads(work, threads, seconds) : null
  }
  process.stdout.write(
    JSON.stringify({
      threads,
      seconds,
      ...rates,
      durable: await durableBatches(directory, seconds)
    })
  )
}

/** Times per second that `threads` threads at once do it. */
async function rateOfThreads(work, threads, seconds) {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: { work, seconds } })
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const rates = await Promise.all(
    workers.map(async (worker) => {
      worker.postMessage('begin')
      const [rate] = await once(worker, 'message')
      await worker.terminate()
      return rate
    })
  )
  return rates.reduce((sum, rate) => sum + rate, 0)
}

async function runWorker() {
  const { work, seconds } = workerData
  const perform = makeWork(work)
  for (let turn = 0; turn < WARM_UP; turn++) perform(turn)
  const begun = once(parentPort, 'message')
  parentPort.postMessage('ready')
  await begun
  parentPort.postMessage(rateOf(perform, seconds))
}

function rateOf(perform, seconds) {
  const start = performance.now()
  const deadline = start + seconds * 1000
  let turn = 0
  while (performance.now() < deadline) perform(turn++)
  return turn / ((performance.now() - start) / 1000)
}

function findAddon() {
  try {
    return createRequire(import.meta.url)('../native/build/Release/sigstead_crypto.node')
  } catch {
    return undefined
  }
}

function isThere(work) {
  return !work.startsWith('addon') || findAddon() !== undefined
}

/** @returns what does it once */
function makeWork(name) {
  const signers = makeSigners()
  const items = Array.from({ length: ITEMS }, (_, turn) => {
    const { data, signature, pem } = makeSigned(signers, turn)
    const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' })
    const digest = createHash('sha256').update(data).digest()
    return { data, signature, spki, digest, point: spki.subarray(-65) }
  })
  const perform = WORKS[name](signers[0].privateKey)
  return (turn) => perform(items[turn % ITEMS])
}

function must(isGood) {
  if (!isGood) throw new Error('must verify')
}

/** Each decodes the key of every signature, since it comes with the entry. */
const WORKS = {
  addonVerifies: () => {
    const addon = findAddon()
    return ({ spki, digest, signature }) =>
      must(addon.verifyDigest(addon.loadPublicKey(spki), digest, signature))
  },
  /** Over the data: Node has no verification over a digest. */
  nodeVerifies: () => (item) => {
    const key = createPublicKey({ key: item.spki, format: 'der', type: 'spki' })
    must(verify('sha256', item.data, key, item.signature))
  },
  nobleVerifies:
    () =>
    ({ point, digest, signature }) =>
      must(p256.verify(signature, digest, point, { prehash: false, lowS: false, format: 'der' })),
  addonSigns: (privateKey) => {
    const addon = findAddon()
    const key = addon.loadPrivateKey(privateKey.export({ type: 'pkcs8', format: 'der' }))
    const message = Buffer.alloc(MESSAGE_BYTES, 'entry')
    return () => addon.signMessage(key, 'sha256', message)
  },
  nodeSigns: (privateKey) => {
    const message = Buffer.alloc(MESSAGE_BYTES, 'entry')
    return () => sign('sha256', message, privateKey)
  }
}

const ROWS_PER_BATCH = 64
// About the size of a canonical hashedrekord body with an ECDSA P-256 key.
const ROW_BYTES = 640

/** Commits with full durability, one after the other, on one thread. */
async function durableBatches(directory, seconds) {
  const { default: Database } = await import('better-sqlite3')
  const folder = mkdtempSync(join(directory, 'sigstead-bench-limit-'))
  const database = new Database(join(folder, 'limit.db'))
  try {
    if (database.pragma('journal_mode = WAL', { simple: true }) !== 'wal') throw new Error('no WAL')
    database.pragma('synchronous = FULL')
    if (database.pragma('synchronous', { simple: true }) !== 2) throw new Error('not FULL')
    database.exec(
      'create table leaf (leaf_index integer primary key, leaf_hash blob not null unique, leaf_value blob not null) strict'
    )
    const insert = database.prepare('insert into leaf (leaf_hash, leaf_value) values (?, ?)')
    const batch = database.transaction((rows) => {
      for (const [hash, value] of rows) insert.run(hash, value)
    })
    const perform = () =>
      batch.immediate(
        Array.from({ length: ROWS_PER_BATCH }, () => [randomBytes(32), randomBytes(ROW_BYTES)])
      )
    for (let turn = 0; turn < WARM_UP; turn++) perform()
    return { batchesPerSecond: rateOf(perform, seconds), rowsPerBatch: ROWS_PER_BATCH }
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}

if (isMainThread) await main()
else await runWorker()
