import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { LogError } from '../../src/errors.js'
import type { TransparencyLog } from '../../src/log/contract.js'
import { type HostedLogHooks, hostLog } from '../../src/log/hosted-log.js'
import { timeWrites } from '../../src/log/instruments.js'
import { openRemoteLog } from '../../src/log/remote-log.js'
import type { LogEvent, TransparencyLogOptions } from '../../src/log/sequencer.js'
import type { LogStore } from '../../src/store/log-store.js'
import {
  TEST_LIMITS,
  TEST_NOW_MS,
  checkTestLog,
  createTestLog,
  openTestLog,
  testLeaf,
  testLeaves,
  type TestLog
} from '../helpers/test-log.js'

// Both ends in one thread: what is between them is the same as between two.

interface Remote extends TestLog {
  readonly log: TransparencyLog
  /** The one at the other end. */
  readonly hosted: TransparencyLog
  readonly told: string[]
  readonly hostPort: MessagePort
}

interface RemoteOptions {
  readonly options?: Partial<TransparencyLogOptions>
  readonly wrapStore?: (store: LogStore) => LogStore
  readonly stateMs?: number
}

async function openRemote(
  t: Test,
  { options = {}, wrapStore = (store) => store, stateMs = 60_000 }: RemoteOptions = {}
): Promise<Remote> {
  const made = await createTestLog(t)
  const { port1, port2 } = new MessageChannel()
  const told: string[] = []
  let hosted: TransparencyLog | undefined
  const open = async ({ onEvent, times }: HostedLogHooks): Promise<TransparencyLog> => {
    const store = timeWrites(wrapStore(made.store), times, () => performance.now())
    return (hosted = await openTestLog(store, made.key, { onEvent, ...options }))
  }
  const [log] = await Promise.all([
    openRemoteLog({
      port: port1,
      storeOf: (treeId) => made.database.logStore(treeId),
      onEvent: (event, { treeId }) => told.push(`${describe(event)} of ${treeId}`),
      times: {
        onCommit: (seconds) => told.push(seconds >= 0 ? 'commit' : 'wrong'),
        onPublish: (seconds) => told.push(seconds >= 0 ? 'publish' : 'wrong')
      }
    }),
    hostLog({ port: port2, open, stateMs })
  ])
  t.teardown(() => port2.close())
  t.teardown(() => hosted?.close())
  if (hosted === undefined) throw new Error('it was opened')
  return { ...made, log, hosted, told, hostPort: port2 }
}

function describe(event: LogEvent): string {
  if (event.type === 'published') return `${event.leaves} published`
  const { error } = event
  return `${event.type}: ${error instanceof LogError ? error.code : String(error)}`
}

t.test('leaves are added as they would be here', async (t) => {
  const { log, hosted, database, told } = await openRemote(t)
  t.equal(log.record.treeId, '1234')
  t.equal(log.freshTimeMs, TEST_NOW_MS)
  t.equal(log.checkpoint().treeHead.treeSize, 0)
  const leaves = [...testLeaves(300), testLeaf('leaf 7')]
  const added = await Promise.all(leaves.map((leaf) => log.add(leaf)))
  t.strictSame(
    added.map(({ leafIndex, duplicate }) => [leafIndex, duplicate]),
    leaves.map((_, i) => (i < 300 ? [i, false] : [7, true]))
  )
  const { treeHead } = log.checkpoint()
  t.strictSame(log.checkpoint(), hosted.checkpoint())
  t.equal(treeHead.treeSize, 300)
  const stored = await log.store.leaves(0, 300)
  t.strictSame(
    added.slice(0, 300).map(({ inclusionPromise }) => inclusionPromise),
    stored.map(({ inclusionPromise }) => inclusionPromise)
  )
  t.ok(
    added.every(({ leafIndex, checkpoint }) => leafIndex < checkpoint.treeHead.treeSize),
    'every answer comes with a checkpoint that has the leaf'
  )
  await log.close()
  t.equal((await checkTestLog(database)).trees[0]?.publishedSize, 300)
  t.ok(told.includes('commit') && told.includes('publish'))
  t.ok(told.includes('64 published of 1234'), told.join(', '))
})

t.test('a leaf comes with all that belongs to it', async (t) => {
  const { log } = await openRemote(t)
  const extraData = Uint8Array.of(1, 2, 3)
  const submissionHash = new Uint8Array(32).fill(9)
  const leaf = { ...testLeaf('submitted', ['one key', 'another']), submissionHash, extraData }
  t.equal((await log.add(leaf)).duplicate, false)
  t.equal((await log.add({ ...leaf, ...testLeaf('again') })).duplicate, true)
  t.strictSame((await log.store.sideData(0, 1))[0]?.extraData, extraData)
  await log.close()
})

t.test('what cannot be opened says why', async (t) => {
  const { port1, port2 } = new MessageChannel()
  const open = (): Promise<TransparencyLog> =>
    Promise.reject(new LogError('log_frozen', 'tree 1 takes no more entries'))
  await Promise.all([
    t.rejects(
      openRemoteLog({
        port: port1,
        storeOf: () => t.fail('nothing is read') as never,
        onEvent: () => t.fail('nothing happens'),
        times: { onCommit: () => undefined, onPublish: () => undefined }
      }),
      { name: 'LogError', code: 'log_frozen', message: 'tree 1 takes no more entries' }
    ),
    hostLog({ port: port2, open, stateMs: 1000 })
  ])
})

t.test('a thread that dies before the log is open', async (t) => {
  const { port1, port2 } = new MessageChannel()
  const opened = openRemoteLog({
    port: port1,
    storeOf: () => t.fail('nothing is read') as never,
    onEvent: () => t.fail('nothing happens'),
    times: { onCommit: () => undefined, onPublish: () => undefined }
  })
  port2.close()
  await t.rejects(opened, { code: 'internal', message: /thread that writes has died/ })
})

t.test('a full queue refuses, with the time to wait', async (t) => {
  const limits = { ...TEST_LIMITS, maxQueuedLeaves: 3 }
  const { log } = await openRemote(t, { options: { limits } })
  const outcomes = await Promise.allSettled(testLeaves(20).map((leaf) => log.add(leaf)))
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
  t.equal(refused.length, 17)
  t.match(refused[0]?.reason, { code: 'overloaded', details: { retryAfterSeconds: 1 } })
  t.equal((await log.store.treeHead()).treeSize, 3)
  await log.close()
})

t.test('a log that stops is stopped here', async (t) => {
  let isBroken = false
  const broken = new LogError('integrity', 'a tile is missing', {
    details: { what: 'tile', index: 3 }
  })
  const { log, told } = await openRemote(t, {
    wrapStore: (store) => ({
      ...store,
      append: (batch, integrate) =>
        isBroken ? Promise.reject(broken) : store.append(batch, integrate)
    })
  })
  await log.add(testLeaf('good'))
  t.equal(log.failure, undefined)
  isBroken = true
  await t.rejects(log.add(testLeaf('bad')), {
    code: 'integrity',
    message: 'a tile is missing',
    details: { what: 'tile', index: 3 }
  })
  while (log.failure === undefined) await sleep(1) // the log looks at what is stored first
  t.match(log.failure, { code: 'integrity', message: 'a tile is missing' })
  t.strictSame(
    told.filter((event) => event.includes('integrity')),
    ['failed: integrity of 1234', 'stopped: integrity of 1234']
  )
  await t.rejects(log.add(testLeaf('later')), {
    code: 'integrity',
    message: 'the log has stopped: a tile is missing'
  })
  await log.close()
})

t.test('an idle log tells how it is', async (t) => {
  let nowMs = TEST_NOW_MS
  const { log } = await openRemote(t, {
    options: { now: () => nowMs, heartbeatMs: 5 },
    stateMs: 5
  })
  nowMs += 1000
  while (log.freshTimeMs < nowMs) await sleep(5)
  t.equal(log.freshTimeMs, nowMs)
  await log.close()
})

t.test('closing writes what is queued and accepts no more', async (t) => {
  const { log, store } = await openRemote(t)
  const adding = testLeaves(200).map((leaf) => log.add(leaf))
  const closing = log.close()
  t.equal(log.close(), closing, 'once')
  await t.rejects(log.add(testLeaf('late')), {
    code: 'overloaded',
    message: 'the server is stopping',
    details: { retryAfterSeconds: 1 }
  })
  await closing
  t.equal((await Promise.all(adding)).length, 200)
  t.equal((await store.checkpoint())?.treeHead.treeSize, 200)
  t.equal(log.failure, undefined, 'that was no failure')
  t.equal(log.checkpoint().treeHead.treeSize, 200)
})

t.test('a thread that dies', async (t) => {
  const { log, told, hostPort } = await openRemote(t)
  await log.add(testLeaf('before'))
  const adding = log.add(testLeaf('in between'))
  const outcome = t.rejects(adding, { code: 'internal', message: /thread that writes has died/ })
  hostPort.close()
  await outcome
  t.match(log.failure, { code: 'internal', message: /Start the server again/ })
  t.equal(told.at(-1), 'stopped: internal of 1234')
  await t.rejects(log.add(testLeaf('after')), { code: 'internal', message: /the log has stopped/ })
  t.equal(log.checkpoint().treeHead.treeSize, 1, 'what was published stays so')
  await log.close()
})
