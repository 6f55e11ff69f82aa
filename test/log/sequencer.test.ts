import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { LogError } from '../../src/errors.js'
import { type CheckReport, checkLog } from '../../src/log/check-log.js'
import type { LeafChecks } from '../../src/log/leaf-checks.js'
import type { AddedLeaf, LogSigning, NewLeaf, TransparencyLog } from '../../src/log/contract.js'
import type { LogEvent } from '../../src/log/sequencer.js'
import { integrate } from '../../src/merkle/integrate.js'
import type { Database, LogStore } from '../../src/store/log-store.js'
import { at as itemAt, sha256 } from '../helpers/rfc6962.js'
import {
  TEST_LIMITS,
  TEST_NOW_MS,
  checkTestLog,
  createTestKey,
  createTestLog,
  openTestDatabase,
  openTestLog,
  testChecks,
  testLeaf,
  testLeaves,
  testSigning,
  testTree,
  type TestLog
} from '../helpers/test-log.js'

const TREE_ID = '1234'

/** A certificate, say: its value has a time in it, what was submitted and a chain are kept beside. */
function testSubmission(text: string, time: number): NewLeaf {
  const submitted = encodeUtf8(text)
  const chain = encodeUtf8('chain')
  return {
    ...testLeaf(`${text} at ${time}`, []),
    submissionHash: sha256(submitted),
    extraData: submitted,
    attestation: { key: `sha256:${encodeHex(sha256(chain))}`, value: chain }
  }
}

/** Re-verifies everything that is stored, of a log that may hold submissions. */
function checkSubmissions(database: Database): Promise<CheckReport> {
  const checks: LeafChecks = {
    ...testChecks(),
    deriveFromLeaf: (_tree, _leaf, { extraData, attestationKey }) => ({
      searchKeys: [],
      attestationKey,
      ...(extraData === undefined ? {} : { submissionHash: sha256(extraData) })
    })
  }
  return checkLog({ database, checks: { rekor: checks, ct: checks } })
}

t.test('gives indexes in order, in batches no larger than allowed', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const batches: number[] = []
  const log = await openTestLog(store, key, {
    limits: { ...TEST_LIMITS, maxLeaves: 50 },
    onEvent: (event) => {
      if (event.type === 'published') batches.push(event.leaves)
    }
  })
  const added = await Promise.all(testLeaves(600).map((leaf) => log.add(leaf)))
  t.strictSame(
    added.map(({ leafIndex }) => leafIndex),
    added.map((_, i) => i)
  )
  t.equal(
    batches.reduce((sum, leaves) => sum + leaves, 0),
    600
  )
  t.ok(Math.max(...batches) <= 50, `batches of ${batches.join(', ')}`)
  t.ok(added.every(({ leafIndex, checkpoint }) => leafIndex < checkpoint.treeHead.treeSize))
  await log.close()
  const report = await checkTestLog(database)
  t.equal(report.trees[0]?.publishedSize, 600)
  t.equal(report.trees[0]?.promises, 600)
})

t.test('an idle log waits for nobody', async (t) => {
  const { store, key } = await createTestLog(t)
  const anHour = 3_600_000 // if it waited, this test would never end
  const log = await openTestLog(store, key, { limits: { ...TEST_LIMITS, maxAgeMs: anHour } })
  t.equal((await log.add(testLeaf('one'))).leafIndex, 0)
  t.equal((await log.add(testLeaf('two'))).leafIndex, 1)
  await log.close()
})

t.test('the same leaf many times at once is added once', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key, { limits: { ...TEST_LIMITS, maxLeaves: 3 } })
  const answers = await Promise.all(Array.from({ length: 8 }, () => log.add(testLeaf('same'))))
  t.equal(answers.filter(({ duplicate }) => !duplicate).length, 1)
  const [first] = answers
  for (const answer of [...answers, await log.add(testLeaf('same'))]) {
    t.equal(answer.leafIndex, 0)
    t.strictSame(answer.inclusionPromise, first?.inclusionPromise, 'one promise, the stored one')
  }
  await log.close()
  t.equal((await checkTestLog(database)).trees[0]?.treeSize, 1)
})

t.test('the same submission many times is added once, whatever its value', async (t) => {
  const { database, store, key } = await createTestLog(t)
  let nowMs = TEST_NOW_MS
  const batches: (readonly [leaves: number, duplicates: number])[] = []
  const log = await openTestLog(store, key, {
    limits: { ...TEST_LIMITS, maxLeaves: 3 },
    now: () => nowMs,
    onEvent: (event) => {
      if (event.type === 'published') batches.push([event.leaves, event.duplicates])
    }
  })
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => log.add(testSubmission('same', i)))
  )
  t.strictSame(
    batches,
    [
      [1, 2],
      [0, 3],
      [0, 2]
    ],
    'in its own batch and in later ones'
  )
  nowMs += 5000
  answers.push(await log.add(testSubmission('same', 9)))
  const [original] = answers
  t.equal(original?.duplicate, false)
  for (const answer of answers.slice(1)) {
    t.equal(answer.duplicate, true)
    t.equal(answer.leafIndex, 0)
    t.equal(answer.integratedTimeSeconds, TEST_NOW_MS / 1000)
    t.strictSame(answer.inclusionPromise, original?.inclusionPromise)
  }
  t.equal((await log.add(testSubmission('other', 0))).leafIndex, 1)
  t.strictSame((await store.leaf(0))?.leafValue, testSubmission('same', 0).leafValue)
  await log.close()
  t.match(await checkSubmissions(database), { submissions: 2, trees: [{ treeSize: 2 }] })
})

t.test('what was committed and not published is promised by the next publication', async (t) => {
  const { database, store, key } = await createTestLog(t)
  let isBroken = true
  const log = await openTestLog(
    {
      ...store,
      publish: async (expected, next, promises) => {
        if (isBroken && next.treeHead.treeSize > 0) throw new LogError('internal', 'disk is full')
        return store.publish(expected, next, promises)
      }
    },
    key
  )
  await t.rejects(log.add(testSubmission('x', 1)), { message: 'disk is full' })
  t.equal((await store.leaf(0))?.inclusionPromise, undefined)
  isBroken = false
  const again = await log.add(testSubmission('x', 2))
  t.match(again, { leafIndex: 0, duplicate: true })
  t.strictSame(again.inclusionPromise, (await store.leaf(0))?.inclusionPromise)
  t.strictSame((await store.leaf(0))?.leafValue, testSubmission('x', 1).leafValue)
  t.equal(again.checkpoint.treeHead.treeSize, 1)
  await log.close()
  t.match(await checkSubmissions(database), { submissions: 1, trees: [{ promises: 1 }] })
})

t.test('what waits is counted with what is kept beside it', async (t) => {
  const { store, key } = await createTestLog(t)
  const bytes = new Uint8Array(1000)
  const kept = (text: string) => ({ ...testLeaf(text), extraData: bytes })
  const log = await openTestLog(store, key, { limits: { ...TEST_LIMITS, maxQueuedBytes: 1999 } })
  const results = await Promise.allSettled([log.add(kept('a')), log.add(kept('b'))])
  t.match(results, [{ status: 'fulfilled' }, { reason: { code: 'overloaded' } }])
  t.equal((await log.add(kept('c'))).leafIndex, 1, 'what was taken out is no longer counted')
  await log.close()
})

t.test('a full queue refuses, and keeps what it accepted', async (t) => {
  const { database, store, key } = await createTestLog(t)
  for (const limits of [{ maxQueuedLeaves: 5 }, { maxQueuedBytes: 30 }]) {
    const log = await openTestLog(store, key, { limits: { ...TEST_LIMITS, ...limits } })
    const first = Object.keys(limits)[0] === 'maxQueuedLeaves' ? 0 : 100
    const results = await Promise.allSettled(testLeaves(40, first).map((leaf) => log.add(leaf)))
    const refused = results.filter(({ status }) => status === 'rejected')
    t.ok(refused.length > 0 && refused.length < 40, `${refused.length} of 40 refused`)
    for (const result of refused) {
      t.match(result, { reason: { code: 'overloaded', details: { retryAfterSeconds: 1 } } })
    }
    t.equal((await log.add(testLeaf(`later ${first}`))).duplicate, false, 'there is room again')
    await log.close()
  }
  await checkTestLog(database)
})

t.test('closing writes what is queued and accepts no more', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key, { limits: { ...TEST_LIMITS, maxLeaves: 7 } })
  const waiting = testLeaves(30).map((leaf) => log.add(leaf))
  const closed = log.close()
  await t.rejects(log.add(testLeaf('late')), { code: 'overloaded' })
  await closed
  t.equal((await Promise.all(waiting)).length, 30)
  t.equal((await checkTestLog(database)).trees[0]?.publishedSize, 30)
})

// The end of the process at one step: the call that does not come back, and nothing after it.
const DEATHS = [
  'before append',
  'after append',
  'before signing promises',
  'before signing the head',
  'before publish',
  'after publish'
] as const

/** What is sent, and what a client sends that tries again: a submission comes with another time in its value. */
const SENDERS = {
  leaves: () => testLeaves(5),
  submissions: (attempt: number) =>
    Array.from({ length: 5 }, (_, i) => testSubmission(`submission ${i}`, attempt))
} as const

for (const death of DEATHS) {
  for (const [batch, sent] of [
    [1, 'leaves'],
    [3, 'leaves'],
    [1, 'submissions'],
    [3, 'submissions']
  ] as const) {
    t.test(`death ${death} of batch ${batch} of ${sent}: restart resumes`, async (t) => {
      const send = SENDERS[sent]
      const { folder, key, database, store } = await createTestLog(t)
      const record = await store.record()
      let armed = false
      let dead = false
      const at = async <T>(step: string, action: () => Promise<T>): Promise<T> => {
        const died = new LogError('internal', 'the process is gone')
        if (dead) throw died
        if (armed && death === `before ${step}`) {
          dead = true
          throw died
        }
        const result = await action()
        if (armed && death === `after ${step}`) {
          dead = true
          throw died
        }
        return result
      }
      const alive = <Args extends readonly unknown[], T>(read: (...args: Args) => Promise<T>) => {
        return (...args: Args): Promise<T> => at('reading', () => read(...args))
      }
      const dying: LogStore = {
        ...store,
        treeHead: alive(store.treeHead),
        checkpoint: alive(store.checkpoint),
        leaf: alive(store.leaf),
        leaves: alive(store.leaves),
        tile: alive(store.tile),
        append: (...args) => at('append', () => store.append(...args)),
        publish: (...args) => at('publish', () => store.publish(...args))
      }
      const signing = testSigning(key, record)
      const dyingSigning: LogSigning = {
        signTreeHead: (head) => at('signing the head', () => signing.signTreeHead(head)),
        signPromises: (leaves) => at('signing promises', () => signing.signPromises(leaves))
      }

      const log = await openTestLog(dying, key, { signing: dyingSigning })
      const promised: AddedLeaf[] = []
      for (let i = 1; i < batch; i++) promised.push(await log.add(testSubmission(`batch ${i}`, 0)))
      armed = true
      const results = await Promise.allSettled(send(1).map((leaf) => log.add(leaf)))
      t.ok(dead, 'the step was reached')
      t.ok(
        results.every(({ status }) => status === 'rejected'),
        'nobody was promised anything by the batch that died'
      )
      await t.rejects(log.add(testLeaf('after the end')))
      await database.close()

      const reopened = await openTestDatabase(t, folder)
      const again = reopened.logStore(TREE_ID)
      const written = death !== 'before append'
      t.equal((await again.treeHead()).treeSize, batch - 1 + (written ? 5 : 0))
      const isKept = written && sent === 'submissions'
      const firstHash = sha256(encodeUtf8('submission 0'))
      t.equal(await again.findSubmission(firstHash), isKept ? batch - 1 : undefined)
      const nowMs = TEST_NOW_MS + 60_000
      const resumed = await openTestLog(again, key, { now: () => nowMs })
      const report = await checkSubmissions(reopened)
      t.equal(report.submissions, batch - 1 + (isKept ? 5 : 0))
      t.equal(report.trees[0]?.publishedSize, report.trees[0]?.treeSize, 'all is published')
      for (const { leafIndex, inclusionPromise } of promised) {
        t.strictSame((await again.leaf(leafIndex))?.inclusionPromise, inclusionPromise)
      }
      const retried = await Promise.all(send(2).map((leaf) => resumed.add(leaf)))
      for (const [
        i,
        { duplicate, leafIndex, integratedTimeSeconds, ...answer }
      ] of retried.entries()) {
        t.equal(duplicate, written, 'a client that tries again gets its entry')
        t.equal(leafIndex, batch - 1 + i)
        t.equal(integratedTimeSeconds, (written ? TEST_NOW_MS : nowMs) / 1000)
        const leaf = await again.leaf(leafIndex)
        t.strictSame(leaf?.leafValue, itemAt(send(written ? 1 : 2), i).leafValue)
        t.strictSame(answer.inclusionPromise, leaf?.inclusionPromise)
      }
      t.equal((await resumed.add(testLeaf('goes on'))).leafIndex, batch - 1 + 5)
      await resumed.close()
      await checkSubmissions(reopened)
    })
  }
}

t.test('a failed batch fails its own waiters; the log goes on', async (t) => {
  const { database, store, key } = await createTestLog(t)
  let fail = false
  const log = await openTestLog(
    {
      ...store,
      append: async (batch, extend) => {
        if (fail && batch.length > 0) throw new LogError('internal', 'disk is full')
        return store.append(batch, extend)
      }
    },
    key
  )
  fail = true
  await t.rejects(log.add(testLeaf('lost')), { message: 'disk is full' })
  fail = false
  t.equal((await log.add(testLeaf('kept'))).leafIndex, 0)
  t.equal(log.failure, undefined)
  await log.close()
  await checkTestLog(database)
})

t.test('losing the race to publish is normal', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const signing = testSigning(key, await store.record())
  let theirs = ''
  const log = await openTestLog(
    {
      ...store,
      publish: async (expected, next, promises) => {
        theirs = await signing.signTreeHead(next.treeHead) // same head, another signature
        await store.publish(expected, { ...next, note: theirs }, promises)
        return store.publish(expected, next, [])
      }
    },
    key
  )
  const added = await log.add(testLeaf('raced'))
  t.equal(added.checkpoint.note, theirs)
  t.equal((await store.checkpoint())?.note, theirs, 'the first one stays')
  await log.close()
  await checkTestLog(database)
})

t.test('another root for the same size stops the log', async (t) => {
  const { store, key } = await createTestLog(t)
  const events: LogEvent['type'][] = []
  let fork = false
  const log = await openTestLog(
    {
      ...store,
      publish: async (expected, next, promises) => {
        if (fork) throw new LogError('integrity', 'two roots at size 1')
        return store.publish(expected, next, promises)
      }
    },
    key,
    { onEvent: ({ type }) => events.push(type) }
  )
  fork = true
  await t.rejects(log.add(testLeaf('forked')), { code: 'integrity' })
  t.match(log.failure, { code: 'integrity' })
  await t.rejects(log.add(testLeaf('next')), { code: 'integrity', message: /the log has stopped/ })
  t.strictSame(events, ['failed', 'stopped'])
  await log.close()
})

t.test('a wrong tree head is never signed', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const signing = testSigning(key, await store.record())
  let wrong = false
  const signed: number[] = []
  const log = await openTestLog(
    {
      ...store,
      append: (batch, extend) =>
        store.append(batch, (treeSize, readTile, leafHashes) => {
          const extended = extend(treeSize, readTile, leafHashes)
          if (!wrong || leafHashes.length === 0) return extended
          const rootHash = extended.treeHead.rootHash.slice().reverse()
          return { ...extended, treeHead: { ...extended.treeHead, rootHash } }
        })
    },
    key,
    {
      signing: {
        ...signing,
        signTreeHead: (head) => {
          signed.push(head.treeSize)
          return signing.signTreeHead(head)
        }
      }
    }
  )
  wrong = true
  await t.rejects(log.add(testLeaf('x')), { code: 'integrity', message: /lead to root/ })
  t.strictSame(signed, [0], 'only the empty tree')
  t.ok(log.failure)
  await log.close()
  await t.rejects(checkTestLog(database), { code: 'integrity', details: { what: 'treeHead' } })
})

t.test('a signer that misbehaves is caught before anything is published', async (t) => {
  const { store, key } = await createTestLog(t)
  const other = testSigning(createTestKey(), await store.record())
  await t.rejects(openTestLog(store, key, { signing: other }), { code: 'verification_failed' })
  t.equal(await store.checkpoint(), undefined)
})

t.test('start: head ahead of checkpoint is published', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const pending = testLeaves(300).map((leaf) => ({ ...leaf, integratedTimeSeconds: 1 }))
  await store.append(pending, integrate)
  const log = await openTestLog(store, key)
  t.equal(log.checkpoint().treeHead.treeSize, 300)
  await log.close()
  t.equal((await checkTestLog(database)).trees[0]?.promises, 300)
})

t.test('start: refuses another log, key, or an older database', async (t) => {
  const { folder, database, store, key } = await createTestLog(t)
  const record = await store.record()
  const log = await openTestLog(store, key)
  await Promise.all(testLeaves(3).map((leaf) => log.add(leaf)))
  await log.close()
  const identity = { origin: record.origin, publicKey: key.publicKey }
  await t.rejects(
    openTestLog(store, key, { identity: { ...identity, origin: 'other.example - 1234' } }),
    { code: 'conflict', message: /Set the host name back/ }
  )
  await t.rejects(
    openTestLog(store, key, {
      identity: { ...identity, publicKey: createTestKey().publicKey }
    }),
    { code: 'conflict', message: /Put the original key back/ }
  )
  await database.close()
  const connection = new Sqlite(join(folder, 'log.sqlite'))
  connection.prepare('update tree set tree_size = 2').run()
  connection.close()
  const older = await openTestDatabase(t, folder)
  await t.rejects(openTestLog(older.logStore(TREE_ID), key), {
    code: 'integrity',
    message: /published with 3 entries but holds 2.*Restore the newest complete backup/s
  })
})

t.test('start: a closed shard takes no more', async (t) => {
  const { database, store, key } = await createTestLog(t)
  await (await openTestLog(store, key)).close()
  await database.createTree(testTree(key, '77'))
  await t.rejects(openTestLog(store, key), { code: 'log_frozen' })
})

t.test(
  'a clock that steps back a little repeats the last time, one that is wrong is refused',
  async (t) => {
    const { database, store, key } = await createTestLog(t)
    let nowMs = TEST_NOW_MS
    const log = await openTestLog(store, key, { now: () => nowMs })
    const first = await log.add(testLeaf('first'))
    nowMs -= 30_000
    t.equal((await log.add(testLeaf('second'))).integratedTimeSeconds, first.integratedTimeSeconds)
    nowMs -= 3_600_000
    await t.rejects(log.add(testLeaf('third')), { message: /clock is \d+ seconds behind/ })
    nowMs = TEST_NOW_MS + 5_000
    const fourth = await log.add(testLeaf('fourth'))
    t.equal(fourth.integratedTimeSeconds, first.integratedTimeSeconds + 5)
    await log.close()
    await checkTestLog(database)
  }
)

t.test('the heartbeat proves that the log works, and only then', async (t) => {
  const { store, key } = await createTestLog(t)
  let nowMs = TEST_NOW_MS
  let broken = false
  const log = await openTestLog(
    {
      ...store,
      treeHead: async () => {
        if (broken) throw new LogError('internal', 'cannot read')
        return store.treeHead()
      }
    },
    key,
    { now: () => nowMs, heartbeatMs: 5 }
  )
  nowMs += 1000
  while (log.freshTimeMs !== nowMs) await sleep(1) // ends with the first beat
  broken = true
  await sleep(20)
  const { freshTimeMs } = log
  nowMs += 1000
  await sleep(50)
  t.equal(log.freshTimeMs, freshTimeMs, 'ten beats later')
  await log.close()
})

/** A log whose publications wait until they are let go, and what was done in which order. */
async function openHeldLog(
  t: Test,
  limits = TEST_LIMITS
): Promise<
  TestLog & {
    readonly log: TransparencyLog
    readonly steps: string[]
    /** Lets the publication that waits end: with this error, or as the store does. */
    readonly release: (error?: LogError) => void
    readonly until: (step: string) => Promise<void>
  }
> {
  const made = await createTestLog(t)
  const { store, key } = made
  const steps: string[] = []
  let release: (error?: LogError) => void = () => undefined
  const signing = testSigning(key, await store.record())
  let isOpen = false
  const log = await openTestLog(
    {
      ...store,
      append: async (batch, given) => {
        steps.push(`append ${batch.length}`)
        return store.append(batch, given)
      },
      publish: async (expected, next, promises) => {
        steps.push(`publish ${next.treeHead.treeSize}`)
        if (isOpen) {
          const error = await new Promise<LogError | undefined>((resolve) => {
            release = resolve
          })
          if (error !== undefined) throw error
        }
        const published = await store.publish(expected, next, promises)
        steps.push(`published ${next.treeHead.treeSize}`)
        return published
      }
    },
    key,
    {
      limits,
      signing: {
        ...signing,
        signPromises: async (leaves) => {
          if (leaves.length > 0) steps.push(`sign ${leaves.length}`)
          return signing.signPromises(leaves)
        }
      }
    }
  )
  isOpen = true
  steps.length = 0
  const until = async (step: string): Promise<void> => {
    while (!steps.includes(step)) await sleep(1)
  }
  return { ...made, log, steps, release: (error) => release(error), until }
}

t.test('the next batch is written while one is published, and signed after it', async (t) => {
  const { database, store, log, steps, release, until } = await openHeldLog(t)
  const first = log.add(testLeaf('first'))
  await until('publish 1')
  const second = log.add(testLeaf('second'))
  await until('append 1') // of the first
  while (steps.length < 4) await sleep(1)
  const third = log.add(testLeaf('third'))
  await sleep(20)
  const meanwhile = ['append 1', 'sign 1', 'publish 1', 'append 1']
  t.strictSame(steps, meanwhile, 'neither is the second signed nor the third written')
  t.equal((await store.treeHead()).treeSize, 2)
  t.equal(log.checkpoint().treeHead.treeSize, 0)
  release()
  t.match(await first, { leafIndex: 0, checkpoint: { treeHead: { treeSize: 1 } } })
  await until('publish 2')
  while (!steps.slice(steps.indexOf('publish 2')).includes('append 1')) await sleep(1)
  release()
  t.match(await second, { leafIndex: 1, checkpoint: { treeHead: { treeSize: 2 } } })
  await until('publish 3')
  const closed = log.close()
  release()
  t.match(await third, { leafIndex: 2, checkpoint: { treeHead: { treeSize: 3 } } })
  await closed
  t.strictSame(steps, [
    ...meanwhile,
    'published 1',
    ...['sign 1', 'publish 2', 'append 1', 'published 2'],
    ...['sign 1', 'publish 3', 'published 3']
  ])
  t.equal((await checkTestLog(database)).trees[0]?.promises, 3)
})

t.test('a publication that fails leaves the batch behind it alone', async (t) => {
  const { database, log, steps, release, until } = await openHeldLog(t)
  const first = log.add(testLeaf('first'))
  await until('publish 1')
  const second = log.add(testLeaf('second'))
  while (steps.length < 4) await sleep(1)
  release(new LogError('internal', 'the disk is full'))
  await t.rejects(first, { code: 'internal', message: 'the disk is full' })
  await until('publish 2')
  release()
  t.match(await second, { leafIndex: 1, checkpoint: { treeHead: { treeSize: 2 } } })
  t.equal(log.failure, undefined)
  const again = await log.add(testLeaf('first'))
  t.match(
    again,
    { leafIndex: 0, duplicate: true },
    'it was committed, and published with the other'
  )
  await log.close()
  t.equal((await checkTestLog(database)).trees[0]?.promises, 2)
})

t.test('when a publication stops the log the batch behind it is not signed', async (t) => {
  const { store, log, steps, release, until } = await openHeldLog(t)
  const first = log.add(testLeaf('first'))
  await until('publish 1')
  const second = log.add(testLeaf('second'))
  while (steps.length < 4) await sleep(1)
  const stops = new LogError('integrity', 'two roots at size 1')
  release(stops)
  await t.rejects(first, stops)
  await t.rejects(second, stops)
  t.equal(log.failure, stops)
  await t.rejects(log.add(testLeaf('third')), { code: 'integrity', message: /has stopped/ })
  await log.close()
  t.equal((await store.checkpoint())?.treeHead.treeSize, 0)
  t.equal((await store.leaf(1))?.inclusionPromise, undefined)
  t.equal(steps.filter((step) => step === 'sign 1').length, 1)
})

t.test('a batch that was about to begin when the log stopped does not begin', async (t) => {
  const { store, log, steps, release, until } = await openHeldLog(t, {
    ...TEST_LIMITS,
    maxLeaves: 1
  })
  const first = log.add(testLeaf('first'))
  await until('publish 1')
  const second = log.add(testLeaf('second')) // fills a batch, which begins after this turn of the event loop
  const stops = new LogError('integrity', 'two roots at size 1')
  release(stops)
  await t.rejects(first, stops)
  await t.rejects(second, stops)
  await sleep(20)
  t.strictSame(steps, ['append 1', 'sign 1', 'publish 1'], 'nothing is written or signed any more')
  t.equal((await store.checkpoint())?.treeHead.treeSize, 0)
  await log.close()
})
