import { Worker } from 'node:worker_threads'
import { LogError, type ErrorCode, type ErrorDetails } from '../errors.js'

/** To a thread. */
export interface TaskMessage<Task> {
  readonly id: number
  readonly task: Task
}

/** From a thread. A LogError would arrive as a bare Error, so its parts travel instead. */
export type OutcomeMessage<Outcome> =
  | { readonly id: number; readonly outcome: Outcome }
  | {
      readonly id: number
      readonly code: ErrorCode
      readonly message: string
      readonly details: ErrorDetails
    }

export interface WorkerPoolOptions {
  /** What a thread runs: it says `ready`, then answers every TaskMessage with an OutcomeMessage. */
  readonly workerUrl: URL
  /** Plain data that every thread is started with. */
  readonly workerData: unknown
  /** Threads, at least 1. */
  readonly workers: number
  /** Tasks that may wait; beyond it the pool refuses with `overloaded`. */
  readonly maxQueuedTasks: number
  /** Bytes of waiting tasks; likewise. */
  readonly maxQueuedBytes: number
  /** How long a task may wait, and then how long it may run. */
  readonly taskTimeoutMs: number
  /**
   * Megabytes of objects and text that a thread may hold, its own code included. What lies outside of V8's heap (pieces of a body,
   * what was unpacked) is not in it: the entry kinds bound that, each by numbers of its own.
   */
  readonly heapMb: number
  /** Threads that start when they are needed and end when they had nothing to do for so long. Without it they are kept. */
  readonly idleMs?: number
  /** Node's options for the threads; without it those of this process. */
  readonly execArgv?: readonly string[]
}

/** Runs tasks on a fixed number of threads. A thread that dies, takes too long or too much is replaced, and its task fails. */
export interface WorkerPool<Task, Outcome> {
  /**
   * @param byteLength of the task in memory
   * @param transfer memory that goes to the thread with the task. Even a task that was refused may have lost it
   * @throws LogError what the task says; from the pool `overloaded`, `too_large` for a task that takes more time or memory
   *   than it may, or `internal`
   */
  run(task: Task, byteLength: number, transfer?: readonly ArrayBuffer[]): Promise<Outcome>
  /** Refuses new tasks, lets the accepted ones finish, then ends the threads. */
  close(): Promise<void>
}

const TOO_MANY = 'too many entries wait to be verified'

/** Keeps a thread that cannot even start from being started in a tight loop. */
const RESTART_DELAY_MS = 1000

interface Job<Task, Outcome> {
  readonly task: Task
  readonly transfer: readonly ArrayBuffer[]
  readonly byteLength: number
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (err: LogError) => void
  timer: NodeJS.Timeout | undefined
}

/** One thread. Does one task at a time, so that a task that runs too long takes no other with it. */
interface Slot<Task, Outcome> {
  worker: Worker
  isReady: boolean
  job: Job<Task, Outcome> | undefined
  /** Ends a thread that is kept for nothing. */
  idleTimer: NodeJS.Timeout | undefined
}

export function createWorkerPool<Task, Outcome>(
  options: WorkerPoolOptions
): WorkerPool<Task, Outcome> {
  const pool = new Pool<Task, Outcome>(options)
  return {
    run: (task, byteLength, transfer = []) => pool.run(task, byteLength, transfer),
    close: () => pool.close()
  }
}

class Pool<Task, Outcome> {
  private readonly options: WorkerPoolOptions
  private readonly slots = new Set<Slot<Task, Outcome>>()
  /** Ready and without a job. */
  private readonly idle: Slot<Task, Outcome>[] = []
  /** Oldest first. A Set, because a job that waited too long leaves from the middle. */
  private readonly queue = new Set<Job<Task, Outcome>>()
  private queuedBytes = 0
  private runningJobs = 0
  private lastId = 0
  private isClosing = false
  private onDrained: (() => void) | undefined

  constructor(options: WorkerPoolOptions) {
    this.options = options
    if (options.idleMs !== undefined) return
    for (let i = 0; i < options.workers; i++) this.start()
  }

  run(task: Task, byteLength: number, transfer: readonly ArrayBuffer[]): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const job: Job<Task, Outcome> = {
        task,
        transfer,
        byteLength,
        resolve,
        reject,
        timer: undefined
      }
      if (this.isClosing) {
        reject(new LogError('overloaded', 'the server is stopping'))
        return
      }
      const slot = this.idle.pop()
      if (slot !== undefined) {
        this.dispatch(slot, job)
        return
      }
      this.enqueue(job)
      if (
        this.options.idleMs !== undefined &&
        this.slots.size < this.runningJobs + this.queue.size
      ) {
        this.startIfFew()
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

  private enqueue(job: Job<Task, Outcome>): void {
    const { maxQueuedTasks, maxQueuedBytes, taskTimeoutMs } = this.options
    if (
      this.queue.size >= maxQueuedTasks ||
      // One task larger than the whole allowance must still be possible when nothing else waits.
      (this.queue.size > 0 && this.queuedBytes + job.byteLength > maxQueuedBytes)
    ) {
      job.reject(new LogError('overloaded', TOO_MANY))
      return
    }
    this.queue.add(job)
    this.queuedBytes += job.byteLength
    job.timer = setTimeout(() => {
      this.dequeue(job)
      this.finish(job, new LogError('overloaded', TOO_MANY))
    }, taskTimeoutMs)
  }

  private dequeue(job: Job<Task, Outcome>): void {
    clearTimeout(job.timer)
    this.queue.delete(job)
    this.queuedBytes -= job.byteLength
  }

  private dispatch(slot: Slot<Task, Outcome>, job: Job<Task, Outcome>): void {
    clearTimeout(slot.idleTimer)
    slot.job = job
    this.runningJobs++
    const id = ++this.lastId
    job.timer = setTimeout(() => {
      this.replace(slot, tookTooLong(this.options.taskTimeoutMs))
    }, this.options.taskTimeoutMs)
    slot.worker.postMessage({ id, task: job.task } satisfies TaskMessage<Task>, job.transfer)
  }

  /** The slot has nothing to do: the oldest waiting job, or none. */
  private release(slot: Slot<Task, Outcome>): void {
    const [next] = this.queue
    if (next === undefined) {
      this.idle.push(slot)
      this.endLater(slot)
    } else {
      this.dequeue(next)
      this.dispatch(slot, next)
    }
  }

  /** A thread keeps the memory of its largest task: it goes with it. */
  private endLater(slot: Slot<Task, Outcome>): void {
    const { idleMs } = this.options
    if (idleMs === undefined) return
    slot.idleTimer = setTimeout(() => this.retire(slot), idleMs).unref()
  }

  private receive(slot: Slot<Task, Outcome>, message: OutcomeMessage<Outcome> | 'ready'): void {
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

  private finish(job: Job<Task, Outcome>, result: Outcome | LogError): void {
    clearTimeout(job.timer)
    if (result instanceof LogError) job.reject(result)
    else job.resolve(result)
    if (this.queue.size === 0 && this.runningJobs === 0) this.onDrained?.()
  }

  private start(): void {
    const { workerUrl, workerData, heapMb, execArgv = process.execArgv } = this.options
    const worker = new Worker(workerUrl, {
      workerData,
      execArgv: [...execArgv],
      resourceLimits: { maxOldGenerationSizeMb: heapMb }
    })
    const slot: Slot<Task, Outcome> = {
      worker,
      isReady: false,
      job: undefined,
      idleTimer: undefined
    }
    this.slots.add(slot)
    worker.on('message', (message: OutcomeMessage<Outcome> | 'ready') =>
      this.receive(slot, message)
    )
    worker.on('error', (err: NodeJS.ErrnoException) => {
      this.replace(
        slot,
        err.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tookTooMuch(heapMb, err) : died(err)
      )
    })
    worker.on('exit', () => this.replace(slot, died(undefined)))
  }

  /** Takes a thread out of service, fails its job, and starts another one in its place. */
  private replace(slot: Slot<Task, Outcome>, reason: LogError): void {
    if (!this.retire(slot)) return // both `error` and `exit` come for one death
    const { job } = slot
    if (job !== undefined) {
      slot.job = undefined
      this.runningJobs--
      this.finish(job, reason)
    }
    if (slot.isReady) this.startUnlessDone()
    else setTimeout(() => this.startUnlessDone(), RESTART_DELAY_MS).unref()
  }

  /** Takes a thread out of service. @returns whether it was in service */
  private retire(slot: Slot<Task, Outcome>): boolean {
    if (!this.slots.delete(slot)) return false
    clearTimeout(slot.idleTimer)
    const place = this.idle.indexOf(slot)
    if (place >= 0) this.idle.splice(place, 1)
    void slot.worker.terminate()
    return true
  }

  private startUnlessDone(): void {
    const isKept = this.options.idleMs === undefined && !this.isClosing
    if (isKept || this.queue.size > 0) this.startIfFew()
  }

  private startIfFew(): void {
    if (this.slots.size < this.options.workers) this.start()
  }
}

// Both are the client's to change, and nothing is gained by sending the same again: so not `timeout`, after which clients try again.

function tookTooLong(limitMs: number): LogError {
  return new LogError(
    'too_large',
    `takes longer than ${limitMs / 1000} s to check, more than one request may`
  )
}

function tookTooMuch(heapMb: number, cause: unknown): LogError {
  return new LogError(
    'too_large',
    `takes more than ${heapMb} MB of memory to check, more than one request may`,
    { cause }
  )
}

function died(cause: unknown): LogError {
  return new LogError('internal', 'a verification thread died', { cause })
}
