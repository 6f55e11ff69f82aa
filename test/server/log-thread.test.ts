import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { createLogKey } from '../../src/config/key-files.js'
import { readTreeSigner } from '../../src/config/secrets.js'
import type { TransparencyLog } from '../../src/log/contract.js'
import type { LogEvent } from '../../src/log/sequencer.js'
import { createRekorTree } from '../../src/rekor/new-tree.js'
import { openRekorLog, type OpenRekorLogOptions } from '../../src/rekor/open-rekor-log.js'
import { openInThread } from '../../src/server/log-thread.js'
import { integrateFast } from '../../src/store/integrate-fast.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import {
  openThreadedDatabase,
  type ThreadedDatabase
} from '../../src/store/sqlite/open-threaded-database.js'
import { pendingLeaves } from '../store/contract.js'
import { TEST_LIMITS, tempFolder, testLeaf, testLeaves } from '../helpers/test-log.js'

// The thread as it was built before the tests.

interface Opened {
  readonly database: ThreadedDatabase
  readonly worker: Worker
  readonly log: TransparencyLog
  readonly events: LogEvent[]
  /** The same log, opened anew; closes nothing. */
  readonly reopen: () => Promise<TransparencyLog>
}

async function createDirectory(t: Test): Promise<string> {
  const folder = tempFolder(t)
  const keys = join(folder, 'keys')
  mkdirSync(keys)
  const { signer, keyName } = await createLogKey(keys, 'rekor', undefined)
  const path = join(folder, 'log.sqlite')
  const database = await openDatabase({ path, mode: 'write', create: true })
  const randomBytes = (length: number): Uint8Array => new Uint8Array(length).fill(3)
  await createRekorTree({
    database,
    hostname: 'log.example',
    signer,
    keyName,
    now: Date.now,
    randomBytes
  })
  await database.close()
  return folder
}

async function open(t: Test, folder: string): Promise<Opened> {
  const workers: Worker[] = []
  const database = await openThreadedDatabase({
    path: join(folder, 'log.sqlite'),
    start: (workerData) => {
      const url = new URL('../../dist/server/log-worker.js', import.meta.url)
      workers.push(new Worker(url, { workerData, execArgv: [] }))
      return workers[0] as Worker // just made
    }
  })
  t.teardown(() => database.close())
  const events: LogEvent[] = []
  const onEvent = (event: LogEvent): void => void events.push(event)
  const keys = join(folder, 'keys')
  const common = { hostname: 'log.example', limits: TEST_LIMITS, heartbeatMs: 60_000 }
  const options: OpenRekorLogOptions = {
    ...common,
    database,
    signerOf: (tree) => readTreeSigner({ keys }, tree, undefined),
    now: Date.now,
    onEvent
  }
  const reopen = (): Promise<TransparencyLog> =>
    openRekorLog(options, () =>
      openInThread(
        database.thread,
        { ...common, keys, passphrase: undefined },
        {
          storeOf: (treeId) => database.logStore(treeId),
          onEvent,
          times: { onCommit: () => undefined, onPublish: () => undefined }
        }
      )
    )
  return { database, worker: workers[0] as Worker, log: await reopen(), events, reopen }
}

t.test('a log lives in the thread, beside other writes', async (t) => {
  const { database, log, reopen } = await open(t, await createDirectory(t))
  t.equal(log.checkpoint().treeHead.treeSize, 1, 'it begins with its own entry')
  const adding = testLeaves(500).map((leaf) => log.add(leaf))
  const cells = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      database.register.swap(`cell ${i}`, undefined, Uint8Array.of(i))
    )
  )
  t.notOk(cells.includes(false))
  const added = await Promise.all(adding)
  t.strictSame(
    added.map(({ leafIndex }) => leafIndex),
    added.map((_, i) => i + 1)
  )
  t.equal((await log.store.checkpoint())?.treeHead.treeSize, 501)
  t.strictSame(await database.register.read('cell 19'), Uint8Array.of(19))
  await log.close()
  const again = await reopen()
  t.equal(again.checkpoint().treeHead.treeSize, 501)
  t.equal((await again.add(testLeaf('leaf 7'))).leafIndex, 8)
  t.equal((await again.add(testLeaf('another'))).leafIndex, 501)
  await again.close()
})

t.test('a log of another name is not opened', async (t) => {
  const folder = await createDirectory(t)
  const { database } = await open(t, folder)
  const opened = openInThread(
    database.thread,
    {
      hostname: 'other.example',
      keys: join(folder, 'keys'),
      passphrase: undefined,
      limits: TEST_LIMITS,
      heartbeatMs: 60_000
    },
    {
      storeOf: (treeId) => database.logStore(treeId),
      onEvent: () => undefined,
      times: { onCommit: () => undefined, onPublish: () => undefined }
    }
  )
  await t.rejects(opened, { code: 'conflict', message: /other\.example/ })
})

t.test('a thread that is killed stops the log; nothing that was told is lost', async (t) => {
  const folder = await createDirectory(t)
  const { database, worker, log, events } = await open(t, folder)
  const told: number[] = []
  const adding = testLeaves(3000).map((leaf) =>
    log.add(leaf).then(({ leafIndex }) => void told.push(leafIndex))
  )
  const settled = Promise.allSettled(adding)
  await adding[100]
  await worker.terminate()
  const outcomes = await settled
  const lost = outcomes.filter(({ status }) => status === 'rejected')
  t.ok(lost.length > 0 && told.length > 100, `${told.length} told, ${lost.length} not`)
  t.match(lost[0], { reason: { code: 'internal', message: /thread that writes has died/ } })
  t.match(log.failure, { code: 'internal' })
  t.match(events.at(-1), { type: 'stopped', error: { code: 'internal' } })
  await t.rejects(database.logStore(log.record.treeId).append(pendingLeaves(1), integrateFast), {
    code: 'internal'
  })
  await log.close()
  await database.close()
  const again = await open(t, folder)
  const size = again.log.checkpoint().treeHead.treeSize
  t.ok(told.every((leafIndex) => leafIndex < size))
  const leaves = await again.log.store.leaves(0, size)
  t.strictSame(
    told.filter((leafIndex) => leaves[leafIndex]?.inclusionPromise === undefined),
    [],
    'each has its promise'
  )
  await again.log.close()
})
