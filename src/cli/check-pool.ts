import { Worker } from 'node:worker_threads'
import { LogError } from '../errors.js'
import type { CheckRunner } from '../log/check-runner.js'
import type { Database } from '../store/log-store.js'
import type { CheckOutcomes, CheckResponseMessage, CheckTask } from './check-task.js'

export interface CheckPoolOptions {
  /** File of the database, which each thread opens for itself, for reading. */
  readonly path: string
  /** At least 1. */
  readonly threads: number
  /** Node's options for the threads; without it those of this process. */
  readonly execArgv?: readonly string[]
}

export interface CheckPool {
  readonly runner: CheckRunner
  /**
   * Lets the threads and `database` read as of one moment.
   * @param database opened for reading
   * @returns false when a busy server left no moment for that
   */
  shareSnapshot(database: Database): Promise<boolean>
  close(): Promise<void>
}

/** Tries to meet at one commit: at a hundred commits a second one of a few succeeds. */
const SNAPSHOT_ATTEMPTS = 100

/** So that a thread goes on with one task while signatures of another one are being verified. */
const TASKS_PER_THREAD = 2

interface Job {
  readonly resolve: (outcome: never) => void
  readonly reject: (err: LogError) => void
  readonly onMore: (more: number) => void
}

interface Thread {
  readonly worker: Worker
  /** Under way, by id. */
  readonly jobs: Map<number, Job>
  /** Why it does nothing more. */
  failure: LogError | undefined
}

/** Threads that each do parts of a check (see checkLog). One that dies fails what it was asked and will be asked. */
export function createCheckPool({
  path,
  threads: count,
  execArgv = process.execArgv
}: CheckPoolOptions): CheckPool {
  const threads = Array.from({ length: count }, () => startThread(path, execArgv))
  let lastId = 0

  function ask<Type extends CheckTask['type']>(
    thread: Thread,
    task: CheckTask & { readonly type: Type },
    onMore: (more: number) => void = () => undefined
  ): Promise<CheckOutcomes[Type]> {
    return new Promise((resolve, reject) => {
      if (thread.failure !== undefined) {
        reject(thread.failure)
        return
      }
      const id = ++lastId
      thread.jobs.set(id, { resolve, reject, onMore })
      thread.worker.postMessage({ id, task })
    })
  }

  /** The thread with the least to do. */
  function anyThread(): Thread {
    return threads.reduce((best, thread) => (thread.jobs.size < best.jobs.size ? thread : best))
  }

  const runner: CheckRunner = {
    lanes: count * TASKS_PER_THREAD,
    engineProblems: () => ask(anyThread(), { type: 'engine' }),
    checkLeaves: (range, { memory }, onLeaves) =>
      ask(anyThread(), { type: 'leaves', range, digests: memory }, onLeaves),
    checkIndex: (index, range, trees, onRows) => {
      const shared = trees.map(({ digests, ...tree }) => ({ ...tree, digests: digests.memory }))
      return ask(anyThread(), { type: 'index', index, range, trees: shared }, onRows)
    }
  }

  return {
    runner,
    async shareSnapshot(database) {
      for (let attempt = 0; attempt < SNAPSHOT_ATTEMPTS; attempt++) {
        const taken = threads.map((thread) => ask(thread, { type: 'snapshot' }))
        const own = await database.audit.takeSnapshot()
        if ((await Promise.all(taken)).every((other) => other === own)) return true
      }
      return false
    },
    async close() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()))
    }
  }
}

function startThread(path: string, execArgv: readonly string[]): Thread {
  const worker = new Worker(new URL('./check-worker.js', import.meta.url), {
    workerData: path,
    execArgv: [...execArgv]
  })
  const thread: Thread = { worker, jobs: new Map(), failure: undefined }
  const fail = (cause: unknown): void => {
    thread.failure ??= new LogError('internal', 'a thread of the check died', { cause })
    for (const { reject } of thread.jobs.values()) reject(thread.failure)
    thread.jobs.clear()
  }
  worker.on('message', (message: CheckResponseMessage) => {
    const job = thread.jobs.get(message.id)
    if (job === undefined) return
    if ('more' in message) {
      job.onMore(message.more)
      return
    }
    thread.jobs.delete(message.id)
    if ('outcome' in message)
      job.resolve(message.outcome as never) // of the task with this id
    else job.reject(new LogError(message.code, message.message, { details: message.details }))
  })
  worker.on('error', fail)
  worker.on('exit', () => fail(undefined))
  return thread
}
