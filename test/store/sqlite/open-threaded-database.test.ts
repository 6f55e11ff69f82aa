import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { LogEvent } from '../../../src/log/sequencer.js'
import { integrateFast } from '../../../src/store/integrate-fast.js'
import type { Database, LogStore, PendingLeaf } from '../../../src/store/log-store.js'
import { connectForWriting } from '../../../src/store/sqlite/connection.js'
import { createDatabase } from '../../../src/store/sqlite/database.js'
import { openDatabase } from '../../../src/store/sqlite/open-database.js'
import { openThreadedDatabase } from '../../../src/store/sqlite/open-threaded-database.js'
import { COPY_FROM_PAGES, createWalKeeper } from '../../../src/store/sqlite/wal-keeper.js'
import type { StartThread } from '../../../src/store/sqlite/write-message.js'
import { sha256 } from '../../helpers/rfc6962.js'
import {
  checkTestLog,
  createTestLog,
  openTestLog,
  tempFolder,
  testLeaf,
  testLeaves,
  type TestLog
} from '../../helpers/test-log.js'
import { openWithThread, startBuiltWriter } from '../../helpers/write-thread.js'
import { newTree, pendingLeaf, pendingLeaves } from '../contract.js'

interface Opened {
  readonly path: string
  readonly database: Database
  readonly store: LogStore
}

async function openWithTree(t: Test, start?: StartThread): Promise<Opened> {
  const path = join(tempFolder(t), 'log.sqlite')
  const database = await openWithThread(path, start)
  t.teardown(() => database.close())
  await database.createTree(newTree('1'))
  return { path, database, store: database.logStore('1') }
}

/** A log with a key, which a thread writes; and the thread. */
async function openThreadedLog(t: Test): Promise<TestLog & { readonly worker: Worker }> {
  const made = await createTestLog(t)
  await made.database.close()
  const workers: Worker[] = []
  const database = await openThreadedDatabase({
    path: join(made.folder, 'log.sqlite'),
    start: (data) => {
      workers.push(startBuiltWriter(data))
      return workers[0] as Worker // just made
    }
  })
  t.teardown(() => database.close())
  const [worker] = workers
  if (worker === undefined) throw new Error('no thread was started')
  return { ...made, database, store: database.logStore('1234'), worker }
}

/** A thread that does what this text says. */
function odd(source: string): StartThread {
  return (workerData) => new Worker(source, { eval: true, workerData, execArgv: [] })
}

t.test('a missing log is not an empty log, and one process writes', async (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  const open = (): Promise<Database> => openThreadedDatabase({ path, start: startBuiltWriter })
  await t.rejects(open(), { code: 'not_found' })
  t.notOk(existsSync(path))
  const first = await openWithThread(path)
  await t.rejects(open(), { code: 'conflict' })
  await t.rejects(openDatabase({ path, mode: 'write' }), { code: 'conflict' })
  await first.close()
  await (await openDatabase({ path, mode: 'write' })).close()
})

t.test('this thread goes on while a batch is being written, and then sees it', async (t) => {
  const { store } = await openWithTree(t)
  await store.append([], integrateFast)
  let turns = 0
  let isDone = false
  const written = store.append(pendingLeaves(3000), integrateFast).then(() => (isDone = true))
  while (!isDone) {
    await setImmediate()
    turns++
  }
  await written
  t.ok(turns > 5, `${turns} turns of the event loop`)
  t.equal((await store.treeHead()).treeSize, 3000)
  t.strictSame((await store.leaf(2999))?.leafValue, pendingLeaf('leaf 2999').leafValue)
})

t.test('what comes at one time is committed together, and fails apart', async (t) => {
  const { database, store } = await openWithTree(t)
  const unaddressed = { ...pendingLeaf('bad'), attestation: { key: 'x', value: Uint8Array.of(1) } }
  const head = await store.treeHead()
  const wrong = { treeHead: { ...head, rootHash: new Uint8Array(32) }, note: 'wrong' }
  const outcomes = await Promise.allSettled([
    store.append(pendingLeaves(3), integrateFast),
    store.append([pendingLeaf('lost with it'), unaddressed], integrateFast),
    store.publish(undefined, wrong, []),
    database.register.swap('cell', undefined, Uint8Array.of(1)),
    database.register.swapAll([
      { key: 'other', expected: undefined, next: Uint8Array.of(2) },
      { key: 'cell', expected: undefined, next: Uint8Array.of(3) }
    ]),
    store.append(pendingLeaves(3, 2), integrateFast)
  ])
  t.match(outcomes, [
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'internal', message: /attestation has the key x/ } },
    { status: 'rejected', reason: { code: 'integrity', message: /two roots at size 0/ } },
    { status: 'fulfilled', value: true },
    { status: 'fulfilled', value: false },
    {
      status: 'fulfilled',
      value: [
        { leafIndex: 2, duplicate: true },
        { leafIndex: 3, duplicate: false },
        { leafIndex: 4, duplicate: false }
      ]
    }
  ])
  t.equal((await store.treeHead()).treeSize, 5)
  t.equal(await store.findLeaf(pendingLeaf('lost with it').leafHash), undefined)
  t.equal(await database.register.read('other'), undefined)
})

t.test('errors keep code, message and details', async (t) => {
  const { database, store } = await openWithTree(t)
  const unpublished = { treeHead: await store.treeHead(), note: 'never published' }
  await t.rejects(store.publish(unpublished, unpublished, []), {
    name: 'LogError',
    code: 'integrity',
    message: /which is not stored/,
    details: { what: 'checkpoint', treeId: '1', index: 0 }
  })
  await t.rejects(database.createTree(newTree('1')), {
    code: 'conflict',
    message: /tree 1 already/
  })
  await t.rejects(database.createTree(newTree('0')), { code: 'invalid_request' })
})

t.test('a full disk undoes everything that came at one time', async (t) => {
  const { path, database, store } = await openWithTree(t)
  const other = new Sqlite(path)
  const pages = other.pragma('page_count', { simple: true }) as number // a count
  other.close()
  await database.close()
  // The limit holds for one connection: this one is the thread's.
  const limited = `
    const Sqlite = require(${JSON.stringify(createRequire(import.meta.url).resolve('better-sqlite3'))})
    const { prepare } = Sqlite.prototype
    Sqlite.prototype.prepare = function (...args) {
      prepare.call(this, 'pragma max_page_count = ${pages + 3}').get()
      return prepare.apply(this, args)
    }
    import(${JSON.stringify(new URL('../../../dist/store/sqlite/write-worker.js', import.meta.url))})`
  const full = await openThreadedDatabase({ path, start: odd(limited) })
  t.teardown(() => full.close())
  const again = full.logStore('1')
  const outcomes = await Promise.allSettled([
    full.register.swap('cell', undefined, Uint8Array.of(1)),
    again.append(pendingLeaves(500), integrateFast)
  ])
  t.match(outcomes, [
    { status: 'rejected', reason: { code: 'internal', message: /full/ } },
    { status: 'rejected', reason: { code: 'internal', message: /full/ } }
  ])
  t.equal(await full.register.read('cell'), undefined)
  t.equal((await again.treeHead()).treeSize, 0)
  t.equal(await full.register.swap('cell', undefined, Uint8Array.of(1)), true, 'it goes on')
  t.equal(store.treeId, '1')
})

t.test('a log that a thread writes is whole', async (t) => {
  const { database, store, key } = await openThreadedLog(t)
  const log = await openTestLog(store, key)
  const leaves = testLeaves(2000)
  const added = await Promise.all(leaves.map((leaf) => log.add(leaf)))
  t.strictSame(
    added.map(({ leafIndex }) => leafIndex),
    leaves.map((_, i) => i)
  )
  t.equal((await log.add(testLeaf('leaf 7'))).leafIndex, 7)
  await log.close()
  const [tree] = (await checkTestLog(database)).trees
  t.equal(tree?.publishedSize, 2000)
  t.equal(tree?.promises, 2000)
})

t.test('a thread that is killed in mid-batch stops the log; the next start goes on', async (t) => {
  const { folder, database, store, key, worker } = await openThreadedLog(t)
  const events: LogEvent[] = []
  const log = await openTestLog(store, key, { onEvent: (event) => events.push(event) })
  await log.add(testLeaf('before'))
  const limits = { maxLeaves: 50_000, maxAgeMs: 0, maxQueuedLeaves: 1e6, maxQueuedBytes: 1e9 }
  await log.close()
  const large = await openTestLog(store, key, { limits, onEvent: (event) => events.push(event) })
  const answers = Promise.allSettled(testLeaves(30_000).map((leaf) => large.add(leaf)))
  await transactionBegins(join(folder, 'log.sqlite')) // the batch takes about a second
  t.equal((await store.treeHead()).treeSize, 1, 'nothing is committed yet')
  await worker.terminate()
  const refused = { code: 'internal', message: /the thread that writes has died/ }
  const outcomes = await answers
  t.ok(outcomes.every(({ status }) => status === 'rejected'))
  t.match(outcomes[0], { reason: refused })
  t.match(large.failure, refused)
  t.match(events.at(-1), { type: 'stopped', error: refused })
  await t.rejects(large.add(testLeaf('later')), { code: 'internal', message: /has stopped/ })
  await t.rejects(database.register.swap('cell', undefined, Uint8Array.of(1)), refused)
  t.equal((await store.treeHead()).treeSize, 1, 'reads go on')
  await large.close()
  await database.close()

  const next = await openWithThread(join(folder, 'log.sqlite'))
  t.teardown(() => next.close())
  const recovered = await openTestLog(next.logStore('1234'), key)
  t.equal((await recovered.add(testLeaf('after'))).leafIndex, 1)
  await recovered.close()
  t.equal((await checkTestLog(next)).trees[0]?.publishedSize, 2)
})

t.test('an idle log notices that its thread is gone', async (t) => {
  const { store, key, worker } = await openThreadedLog(t)
  const log = await openTestLog(store, key, { heartbeatMs: 20 })
  await worker.terminate()
  while (log.failure === undefined) await sleep(5)
  t.match(log.failure, { code: 'internal', message: /the thread that writes has died/ })
  await log.close()
})

t.test('a thread that cannot start fails what it was given', async (t) => {
  const { database } = await openWithTree(t)
  await database.close()
  const path = join(tempFolder(t), 'log.sqlite')
  const broken = await openWithThread(path, odd('throw new Error("no memory")'))
  t.teardown(() => broken.close())
  await t.rejects(broken.createTree(newTree('1')), {
    code: 'internal',
    message: /the thread that writes has died/,
    cause: { message: 'no memory' }
  })
})

t.test('what was asked for before the end is written; nothing after it', async (t) => {
  const { path, database, store } = await openWithTree(t)
  const written = store.append([pendingLeaf('last')], integrateFast)
  const closing = database.close()
  await t.rejects(store.append([], integrateFast), { code: 'internal', message: /is closed/ })
  await closing
  await database.close()
  t.equal((await written)[0]?.leafIndex, 0)
  t.notOk(existsSync(`${path}-wal`), 'all of it is in the file')
  const again = await openDatabase({ path, mode: 'write' })
  t.equal((await again.logStore('1').treeHead()).treeSize, 1)
  await again.close()
})

t.test('the write-ahead log begins anew while commits go on', async (t) => {
  const { path, store } = await openWithTree(t)
  const beside = new Sqlite(path)
  t.teardown(() => beside.close())
  const pagesNow = (): number => {
    const [row] = beside.pragma('wal_checkpoint(noop)') as { log: number }[] // its one row
    return row?.log ?? 0
  }
  let pages = 0
  for (let round = 0; round < 300; round++) {
    await store.append(largeLeaves(round), integrateFast)
    const now = pagesNow()
    if (now < pages) break
    pages = now
  }
  t.ok(pages > COPY_FROM_PAGES, `${pages} pages`)
  t.ok(pages < 6 * COPY_FROM_PAGES, 'long before the writer would have to wait')
  t.equal((await store.leaf(1))?.leafValue.length, 4000)
})

t.test('where the copying thread is gone the writer copies', async (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  await (await openDatabase({ path, mode: 'write', create: true })).close()
  const connection = connectForWriting(path)
  t.teardown(() => connection.close())
  const descriptor = openSync(path, 'r')
  t.teardown(() => closeSync(descriptor))
  const dies = odd('throw new Error("no memory")')
  const keeper = createWalKeeper(connection, { path, descriptor }, dies)
  const database = createDatabase(connection, () => undefined)
  await database.createTree(newTree('1'))
  const store = database.logStore('1')
  let largest = 0
  for (let round = 0; round < 80; round++) {
    await store.append(largeLeaves(round), integrateFast)
    await keeper.afterCommit()
    largest = Math.max(largest, statSync(`${path}-wal`).size)
    await sleep(2)
  }
  await keeper.close()
  t.ok(largest < 64 * 2 ** 20, `${largest} bytes of 80 MiB`)
})

/** A MiB of leaves that are there once; nobody looks at their hashes here. */
function largeLeaves(round: number): PendingLeaf[] {
  return Array.from({ length: 256 }, (_, i) => ({
    ...pendingLeaf(''),
    leafHash: sha256(Uint8Array.of(round, round >> 8, i)),
    leafValue: new Uint8Array(4000).fill(i)
  }))
}

/** Waits until another connection is in the middle of a transaction that writes. */
async function transactionBegins(path: string): Promise<void> {
  const other = new Sqlite(path, { timeout: 0 })
  try {
    for (;;) {
      other.exec('begin immediate')
      other.exec('rollback')
      await sleep(1)
    }
  } catch (err) {
    if ((err as { code?: unknown }).code !== 'SQLITE_BUSY') throw err
  } finally {
    other.close()
  }
}
