import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import type { ProposedEntry } from '../../src/entries/entry-type.js'
import { createBodyPool } from '../../src/http/body-pool.js'
import type { BodyTask } from '../../src/http/body-task.js'
import { createQuickVerifier } from '../../src/rekor/quick-verifier.js'
import { createVerifyPool, type VerifyPool } from '../../src/rekor/verify-pool.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { createRekorApp, TEST_SETTINGS } from '../helpers/rekor-app.js'
import { ENTRIES, INDEX, RETRIEVE } from '../helpers/rekor-client-check.js'
import { computedVector } from '../helpers/vectors.js'

// What a client sees of a request that takes too much, and what the others see of it: order and outcome. How fast the others are
// answered is measured by `hostile` in bench/.

const helper = (name: string): URL =>
  pathToFileURL(fileURLToPath(new URL(`../helpers/${name}`, import.meta.url)))

const SMALL = computedVector('hashedrekord-model')

/** An entry that a thread of the tests takes for an order. */
const order = (behave: string) => ({ kind: 'rekord', apiVersion: '0.0.1', spec: { behave } })

interface Teardown {
  teardown(action: () => Promise<void>): unknown
}

function oddVerifyPool(t: Teardown, taskTimeoutMs: number): VerifyPool {
  const pool = createVerifyPool({
    workers: 1,
    maxQueuedTasks: 100,
    maxQueuedBytes: 1e6,
    taskTimeoutMs,
    heapMb: 16,
    settings: TEST_SETTINGS,
    workerUrl: helper('odd-verify-worker.mjs'),
    execArgv: []
  })
  t.teardown(() => pool.close())
  return pool
}

function oddBodyPool(t: Teardown, taskTimeoutMs: number) {
  const pool = createBodyPool({
    workers: 1,
    maxQueuedTasks: 100,
    taskTimeoutMs,
    idleMs: 60_000,
    settings: TEST_SETTINGS,
    workerUrl: helper('odd-body-worker.mjs'),
    execArgv: []
  })
  t.teardown(() => pool.close())
  return pool
}

t.test('a small upload is answered while a thread spins', async (t) => {
  const pool = oddVerifyPool(t, 60_000)
  const told = new Int32Array(new SharedArrayBuffer(4))
  const tellable = {
    ...pool,
    verifyEntry: (entry: ProposedEntry, purpose: 'submit' | 'lookup', bytes: number) => {
      const spec = { ...(entry.spec as object), arrived: told }
      return pool.verifyEntry({ ...entry, spec }, purpose, bytes)
    }
  }
  const verifier = createQuickVerifier(createInProcessVerifier(TEST_SETTINGS), tellable)
  const { inject } = await createRekorApp(t, { verifier })
  const answered: string[] = []
  const post = async (url: string, body: unknown) => {
    const { status } = await inject({ method: 'POST', url, body })
    answered.push(`${url} ${status}`)
  }

  const spinning = post(RETRIEVE, { entries: [order('spinUntilTold')] })
  await post(ENTRIES, SMALL.proposedEntry)
  await post(ENTRIES, SMALL.proposedEntry)
  await post(INDEX, { hash: SMALL.indexKeys[1] })
  await post(RETRIEVE, { entries: [SMALL.proposedEntry] })
  Atomics.store(told, 0, 1)
  await spinning
  t.strictSame(answered, [
    `${ENTRIES} 201`,
    `${ENTRIES} 409`,
    `${INDEX} 200`,
    `${RETRIEVE} 200`,
    `${RETRIEVE} 200`
  ])
})

t.test('a small upload is answered while a thread of large bodies spins', async (t) => {
  const pool = oddBodyPool(t, 60_000)
  const told = new Int32Array(new SharedArrayBuffer(4))
  const bodies = (task: BodyTask) => pool.read({ ...task, told } as BodyTask)
  const { inject } = await createRekorApp(t, { app: { bodies } })
  const answered: number[] = []
  const post = async (body: string) => {
    const { status } = await inject({ method: 'POST', url: ENTRIES, body })
    answered.push(status)
  }

  const spinning = post('spinUntilTold'.padEnd(70_000))
  await post(JSON.stringify(SMALL.proposedEntry))
  Atomics.store(told, 0, 1)
  await spinning
  t.strictSame(answered, [201, 422])
})

t.test('who takes too long is told so, and the next one is answered', async (t) => {
  const verifier = oddVerifyPool(t, 2000)
  const bodies = oddBodyPool(t, 2000).read
  const { inject } = await createRekorApp(t, { verifier, app: { bodies } })
  const post = (url: string, body: unknown) => inject({ method: 'POST', url, body })
  const message = 'takes longer than 2 s to check, more than one request may'
  t.strictSame((await post(ENTRIES, order('spin'))).json, {
    code: 413,
    message: `error processing entry: ${message}`
  })
  t.strictSame((await post(RETRIEVE, { entries: [order('spin')] })).json, { code: 413, message })
  t.match(await post(ENTRIES, order('refuse')), { status: 400 })
  t.strictSame((await post(ENTRIES, 'spin'.padEnd(70_000))).json, { code: 413, message })
  t.match((await post(ENTRIES, 'talk'.padEnd(70_000))).json, { message: 'did talk' })
})

t.test('who takes too much memory is told so, and the next one is answered', async (t) => {
  const verifier = oddVerifyPool(t, 60_000)
  const { inject } = await createRekorApp(t, { verifier })
  const post = (url: string, body: unknown) => inject({ method: 'POST', url, body })
  const message = 'takes more than 16 MB of memory to check, more than one request may'
  t.strictSame((await post(ENTRIES, order('hoard'))).json, {
    code: 413,
    message: `error processing entry: ${message}`
  })
  t.strictSame((await post(RETRIEVE, { entries: [order('hoard')] })).json, { code: 413, message })
  t.match(await post(ENTRIES, order('refuse')), { status: 400 })
  t.match(await post(ENTRIES, order('exit')), { status: 500 }, 'a thread that dies is our fault')
})
