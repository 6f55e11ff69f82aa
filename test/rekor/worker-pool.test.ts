import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { createWorkerPool, type WorkerPoolOptions } from '../../src/rekor/worker-pool.js'

// What is the same for threads that are kept is held by verify-pool.test.ts.

const ODD_WORKER = pathToFileURL(
  fileURLToPath(new URL('../helpers/odd-verify-worker.mjs', import.meta.url))
)

interface Task {
  readonly proposed: { readonly spec: { readonly behave: string; readonly text: string } }
  readonly bytes?: Uint8Array
}

interface Outcome {
  readonly leaf: { readonly leafValue: Uint8Array }
}

interface Teardown {
  teardown(action: () => Promise<void>): unknown
}

function pool(t: Teardown, options: Partial<WorkerPoolOptions> = {}) {
  const pool = createWorkerPool<Task, Outcome>({
    workerUrl: ODD_WORKER,
    workerData: undefined,
    workers: 1,
    maxQueuedTasks: 100,
    maxQueuedBytes: 1000,
    taskTimeoutMs: 60_000,
    heapMb: 64,
    execArgv: [], // not through the compiler, which takes seconds for each thread
    ...options
  })
  t.teardown(() => pool.close())
  return pool
}

const task = (behave: string, text = ''): Task => ({ proposed: { spec: { behave, text } } })

/** The text, and how many tasks the thread has had. */
const said = ({ leaf }: Outcome): string => new TextDecoder().decode(leaf.leafValue)

const codeOf = (err: unknown): string => (err as { code: string }).code

t.test('threads that start when they are needed', async (t) => {
  const { run } = pool(t, { idleMs: 60_000 })
  const answers = await Promise.all(['a', 'b', 'c'].map((text) => run(task('answer', text), 1)))
  t.strictSame(answers.map(said), ['a 1', 'b 2', 'c 3'], 'one thread, in order')
  t.equal(said(await run(task('answer', 'd'), 1)), 'd 4', 'and it is still there')
})

t.test('no more of them than there may be', async (t) => {
  const { run } = pool(t, { idleMs: 60_000, workers: 2 })
  const answers = await Promise.all(Array.from({ length: 10 }, () => run(task('wait'), 1)))
  const firsts = answers.map(said).filter((text) => text === ' 1')
  t.equal(firsts.length, 2)
})

t.test('a thread with nothing to do ends, and another one takes its place', async (t) => {
  const { run } = pool(t, { idleMs: 1 })
  t.equal(said(await run(task('answer', 'a'), 1)), 'a 1')
  let last = ''
  // Until it was idle for a millisecond.
  while (last !== 'b 1') {
    await new Promise((resolve) => setTimeout(resolve, 5))
    last = said(await run(task('answer', 'b'), 1))
  }
  t.equal(last, 'b 1')
})

t.test('a thread that dies is replaced when it is needed', async (t) => {
  const { run } = pool(t, { idleMs: 60_000 })
  t.equal(await run(task('exit'), 1).catch(codeOf), 'internal')
  t.equal(said(await run(task('answer', 'a'), 1)), 'a 1')
  const both = await Promise.all([
    run(task('throw'), 1).catch(codeOf),
    run(task('answer', 'b'), 1).then(said)
  ])
  t.strictSame(both, ['internal', 'b 1'])
})

t.test('a thread that cannot start fails what waits for it', async (t) => {
  const { run } = pool(t, {
    idleMs: 60_000,
    workerUrl: new URL('file:///nowhere/worker.mjs'),
    taskTimeoutMs: 300
  })
  t.equal(await run(task('answer'), 1).catch(codeOf), 'overloaded')
})

t.test('memory goes with a task', async (t) => {
  const { run } = pool(t)
  const bytes = Uint8Array.of(1, 2, 3)
  await run({ ...task('answer'), bytes }, 3, [bytes.buffer])
  t.equal(bytes.length, 0)
})

t.test('close lets what was accepted finish, on a thread that has yet to start', async (t) => {
  const { run, close } = pool(t, { idleMs: 60_000 })
  const accepted = [run(task('answer', 'a'), 1), run(task('answer', 'b'), 1)]
  const closed = close()
  t.equal(await run(task('answer'), 1).catch(codeOf), 'overloaded')
  t.strictSame((await Promise.all(accepted)).map(said), ['a 1', 'b 2'])
  await closed
})
