// Builds a log of any size, without HTTP: the server's own sequencer, store and signer, with leaves as they would be after a
// POST. Everything in it is real: canonical hashedrekord entries with good signatures, tiles, rows of the indexes, promises, and a
// published checkpoint for each batch. `sigstead verify` finds nothing wrong with it.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { dataPaths } from '../dist/config/data-dir.js'
import { readTreeSigner } from '../dist/config/secrets.js'
import { openRekorLog } from '../dist/rekor/open-rekor-log.js'
import { openDatabase } from '../dist/store/sqlite/open-database.js'
import { initDataDir } from './server.mjs'
import { unpackLeaves } from './packed-leaves.mjs'

/** Leaves in one batch: the larger, the less often the inner pages of the indexes are written. */
const BATCH_LEAVES = 16_384
/** Batches that wait ready-made. */
const BATCHES_AHEAD = 4
const TELL_EVERY_MS = 10_000

/**
 * A data directory whose Rekor log holds so many entries, the statement it begins with among them.
 *
 * @param folder gets `data/` and `built.json`; what is there already and finished is used again
 * @param tell   is told how far it is
 * @returns { dataDir, size, leafBytes, seconds }; seconds it took when it was built
 */
export async function buildLog(folder, size, tell = () => undefined) {
  const dataDir = join(folder, 'data')
  const record = join(folder, 'built.json')
  if (existsSync(record)) return { dataDir, ...JSON.parse(readFileSync(record, 'utf8')) }
  const marker = join(folder, 'unfinished')
  if (existsSync(folder)) {
    if (!existsSync(marker))
      throw new Error(`${folder} is no log of the bench: remove it, or name another`)
    rmSync(folder, { recursive: true })
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(marker, '')
  await initDataDir(dataDir)
  const built = await fillLog(dataDir, size, tell)
  writeFileSync(`${record}.new`, JSON.stringify(built))
  renameSync(`${record}.new`, record)
  rmSync(marker)
  return { dataDir, ...built }
}

async function fillLog(dataDir, size, tell) {
  const paths = dataPaths(dataDir)
  const database = await openDatabase({ path: paths.database, mode: 'write' })
  let log
  let failure
  try {
    log = await openRekorLog({
      database,
      signerOf: (tree) => readTreeSigner(paths, tree, undefined),
      hostname: undefined,
      limits: {
        maxLeaves: BATCH_LEAVES,
        maxAgeMs: 1000,
        maxQueuedLeaves: 2 * BATCH_LEAVES,
        maxQueuedBytes: Number.MAX_SAFE_INTEGER
      },
      now: Date.now,
      heartbeatMs: 60_000,
      onEvent: (event) => {
        if (event.type === 'failed' || event.type === 'stopped') failure ??= event.error
      }
    })
    const { treeSize } = await log.store.treeHead()
    const first = await log.store.leaf(0)
    let leafBytes = first?.leafValue.length ?? 0
    const started = performance.now()
    let told = started
    let done = treeSize
    for await (const leaves of makeLeaves(size - treeSize)) {
      await Promise.all(leaves.map((leaf) => log.add(leaf)))
      if (failure !== undefined) throw failure
      done += leaves.length
      for (const { leafValue } of leaves) leafBytes += leafValue.length
      if (performance.now() - told > TELL_EVERY_MS) {
        told = performance.now()
        tell(done, (done - treeSize) / ((told - started) / 1000))
      }
    }
    const head = (await log.store.treeHead()).treeSize
    if (head !== size) throw new Error(`the log has ${head} entries instead of ${size}`)
    return { size, leafBytes, seconds: (performance.now() - started) / 1000 }
  } finally {
    await log?.close()
    await database.close()
  }
}

/** Batches of leaves, made by other threads some batches ahead. */
async function* makeLeaves(count) {
  const threads = Math.max(1, Math.min(2, availableParallelism()))
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./leaf-worker.mjs', import.meta.url))
  )
  try {
    let asked = 0
    let turn = 0
    const ready = []
    const ask = () => {
      const leaves = Math.min(BATCH_LEAVES, count - asked)
      if (leaves <= 0) return
      const worker = workers[turn++ % threads]
      asked += leaves
      ready.push(answerOf(worker, leaves))
    }
    for (let i = 0; i < BATCHES_AHEAD; i++) ask()
    while (ready.length > 0) {
      const packed = await ready.shift()
      ask()
      yield unpackLeaves(packed)
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/** Each worker answers in the order in which it is asked. */
const lastAnswer = new WeakMap()

function answerOf(worker, leaves) {
  const before = lastAnswer.get(worker) ?? Promise.resolve()
  const answer = before.then(async () => {
    worker.postMessage(leaves)
    const [packed] = await once(worker, 'message')
    return packed
  })
  answer.catch(() => undefined) // told to whoever takes it
  lastAnswer.set(worker, answer)
  return answer
}
