import { Worker } from 'node:worker_threads'
import { LogError } from '../errors.js'
import type { EntryVerifier, VerifySettings } from './entry-verifier.js'
import {
  verifierOf,
  type VerifyOutcome,
  type VerifyRequestMessage,
  type VerifyResponseMessage,
  type VerifyTask
} from './verify-task.js'

export interface VerifyPoolOptions {
  /** Threads, at least 1. */
  readonly workers: number
  /** Tasks that may wait; beyond it the pool refuses with `overloaded`. */
  readonly maxQueuedTasks: number
  /** Bytes of waiting tasks; likewise. */
  readonly maxQueuedBytes: number
  /** How long a task may wait, and then how long it may run. */
  readonly taskTimeoutMs: number
  readonly settings: VerifySettings
  /** Tests bring their own. */
  readonly workerUrl?: URL
  /** Node's options for the threads; without it those of this process. */
  readonly execArgv?: readonly string[]
}

export interface VerifyPool extends EntryVerifier {
  /** Refuses new tasks, lets the accepted ones finish, then ends the threads. */
  close(): Promise<void>
}

/** Keeps a thread that cannot even start from being started in a tight loop. */
const RESTART_DELAY_MS = 1000

interface Job {
  readonly task: VerifyTask
  readonly byteLength: number
  readonly resolve: (outcome: VerifyOutcome) => void
  readonly reject: (err: LogError) => void
  timer: NodeJS.Timeout | undefined
}

/** One thread. Does one task at a time, so that a task that runs too long takes no other with it. */
interface Slot {
  worker: Worker
  isReady: boolean
  job: Job | undefined
}

/** Verifies on a fixed number of threads. A thread that dies or takes too long is replaced, and its task fails. */
export function createVerifyPool(options: VerifyPoolOptions): VerifyPool {
  const pool = new WorkerPool(options)
  return {
    ...verifierOf((task, byteLength) => pool.run(task, byteLength)),
    close: () => pool.close()
  }
}

class WorkerPool {
  private readonly options: VerifyPoolOptions
  private readonly slots = new Set<Slot>()
  /** Ready and without a job. */
  private readonly idle: Slot[] = []
  /** Oldest first. A Set, because a job that waited too long leaves from the middle. */
  private readonly queue = new Set<Job>()
  private queuedBytes = 0
  private runningJobs = 0
  private lastId = 0
  private isClosing = false
  private onDrained: (() => void) | undefined

  constructor(options: VerifyPoolOptions) {
    this.options = options
    for (let i = 0; i < options.workers; i++) this.start()
  }

  run(task: VerifyTask, byteLength: number): Promise<VerifyOutcome> {
    return new Promise((resolve, reject) => {
      const job: Job = { task, byteLength, resolve, reject, timer: undefined }
      if (this.isClosing) {
        reject(new LogError('overloaded', 'the server is stopping'))
        return
      }
      const slot = this.idle.pop()
      if (slot !== undefined) {
        this.dispatch(slot, job)
      } else {
        this.enqueue(job)
      }
    })
  }

  async close(): Promise<void> {
    this.isClosing = true
    if (this.queue.size > 0 || this.runningJobs > 0) {
      await new Promise<void>((resolve) => {
        this.onDrained = resolve
      })
    }
    await Promise.all([...this.slots].map(({ worker }) => worker.terminate()))
  }

  private enqueue(job: Job): void {
    const { maxQueuedTasks, maxQueuedBytes, taskTimeoutMs } = this.options
    if (
      this.queue.size >= maxQueuedTasks ||
      // One task larger than the whole allowance must still be possible when nothing else waits.
      (this.queue.size > 0 && this.queuedBytes + job.byteLength > maxQueuedBytes)
    ) {
      job.reject(new LogError('overloaded', 'too many entries wait to be verified'))
      return
    }
    this.queue.add(job)
    this.queuedBytes += job.byteLength
    job.timer = setTimeout(() => {
      this.dequeue(job)
      this.finish(job, new LogError('overloaded', 'too many entries wait to be verified'))
    }, taskTimeoutMs)
  }

  private dequeue(job: Job): void {
    clearTimeout(job.timer)
    this.queue.delete(job)
    this.queuedBytes -= job.byteLength
  }

  private dispatch(slot: Slot, job: Job): void {
    slot.job = job
    this.runningJobs++
    const id = ++this.lastId
    job.timer = setTimeout(() => {
      this.replace(
        slot,
        new LogError('timeout', `not verified within ${this.options.taskTimeoutMs} ms`)
      )
    }, this.options.taskTimeoutMs)
    slot.worker.postMessage({ id, task: job.task } satisfies VerifyRequestMessage)
  }

  /** The slot has nothing to do: the oldest waiting job, or none. */
  private release(slot: Slot): void {
    const [next] = this.queue
    if (next === undefined) {
      this.idle.push(slot)
    } else {
      this.dequeue(next)
      this.dispatch(slot, next)
    }
  }

  private receive(slot: Slot, message: VerifyResponseMessage | 'ready'): void {
    if (message === 'ready') {
      slot.isReady = true
      this.release(slot)
      return
    }
    const { job } = slot
    if (job === undefined) return // timed out in the same turn; the thread is being replaced
    slot.job = undefined
    this.runningJobs--
    this.finish(
      job,
      'outcome' in message
        ? message.outcome
        : new LogError(message.code, message.message, { details: message.details })
    )
    this.release(slot)
  }

  private finish(job: Job, result: VerifyOutcome | LogError): void {
    clearTimeout(job.timer)
    if (result instanceof LogError) job.reject(result)
    else job.resolve(result)
    if (this.queue.size === 0 && this.runningJobs === 0) this.onDrained?.()
  }

  private start(): void {
    const { workerUrl = new URL('./verify-worker.js', import.meta.url), settings } = this.options
    const { execArgv = process.execArgv } = this.options
    const worker = new Worker(workerUrl, { workerData: settings, execArgv: [...execArgv] })
    const slot: Slot = { worker, isReady: false, job: undefined }
    this.slots.add(slot)
    worker.on('message', (message: VerifyResponseMessage | 'ready') => this.receive(slot, message))
    worker.on('error', (err) => this.replace(slot, died(err)))
    worker.on('exit', () => this.replace(slot, died(undefined)))
  }

  /** Takes a thread out of service, fails its job, and starts another one in its place. */
  private replace(slot: Slot, reason: LogError): void {
    if (!this.slots.delete(slot)) return // both `error` and `exit` come for one death
    const place = this.idle.indexOf(slot)
    if (place >= 0) this.idle.splice(place, 1)
    void slot.worker.terminate()
    const { job } = slot
    if (job !== undefined) {
      slot.job = undefined
      this.runningJobs--
      this.finish(job, reason)
    }
    if (slot.isReady) this.startUnlessDone()
    else setTimeout(() => this.startUnlessDone(), RESTART_DELAY_MS).unref()
  }

  private startUnlessDone(): void {
    if (!this.isClosing || this.queue.size > 0) this.start()
  }
}

function died(cause: unknown): LogError {
  return new LogError('internal', 'a verification thread died', { cause })
}
