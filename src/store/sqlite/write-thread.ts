import { type Transferable, Worker } from 'node:worker_threads'
import { LogError } from '../../errors.js'
import {
  type StartThread,
  type WriteRequest,
  type WriteResponse,
  type WriteResults,
  type WriteTask,
  type WriteThreadData,
  type WriteType,
  receiveError
} from './write-message.js'

/** The thread that writes, seen from the one that does not. */
export interface WriteThread {
  /**
   * @param transfer buffers of the task that go to the thread and are of no use here any more
   * @throws LogError as the store; what `failure` says once there is one, and then nobody knows what became of the write
   */
  run<Type extends WriteType>(
    task: WriteTask<Type>,
    transfer?: readonly ArrayBuffer[]
  ): Promise<WriteResults[Type]>
  /**
   * Sends something else to the thread: what becomes of it is for whoever started one that knows it. Nothing that was asked
   * for before comes after it.
   * @throws LogError as `run` rejects
   */
  host(guest: unknown, transfer: readonly Transferable[]): void
  /** Why nothing can be written any more, if so. */
  readonly failure: LogError | undefined
  /** Resolves when all that was asked for is answered. Takes no more. */
  drain(): Promise<void>
  /** Drains and ends the thread. */
  close(): Promise<void>
}

interface Waiter {
  readonly resolve: (result: never) => void // of its own task
  readonly reject: (err: LogError) => void
}

export const startWriter: StartThread = (workerData) =>
  new Worker(new URL('./write-worker.js', import.meta.url), { workerData })

/**
 * Starts the thread. It is not replaced when it dies: what it was doing is unknown, and a start of the server finds
 * that out and repairs it.
 */
export function startWriteThread(data: WriteThreadData, start: StartThread): WriteThread {
  const waiting = new Map<number, Waiter>()
  let lastId = 0
  let failure: LogError | undefined
  let isClosing = false
  let onIdle: (() => void) | undefined
  const worker = start(data)
  worker.unref() // whoever forgets to close should still be able to exit; see run

  let outbox: WriteRequest[] = []
  let outboxBuffers: ArrayBuffer[] = []

  /** Sends what was asked for in one go, which is then committed in one go. */
  function send(request: WriteRequest, buffers: readonly ArrayBuffer[]): void {
    if (outbox.length === 0) queueMicrotask(flush)
    outbox.push(request)
    outboxBuffers.push(...buffers)
  }

  function flush(): void {
    if (outbox.length === 0) return
    worker.postMessage(outbox, outboxBuffers)
    outbox = []
    outboxBuffers = []
  }

  function assertOpen(): void {
    if (failure !== undefined) throw failure
    if (isClosing) throw new LogError('internal', 'the database is closed')
  }

  worker.on('message', (responses: readonly WriteResponse[]) => {
    for (const response of responses) {
      const waiter = waiting.get(response.id)
      waiting.delete(response.id)
      if ('error' in response) waiter?.reject(receiveError(response.error))
      else waiter?.resolve(response.result as never) // run gave it the type of its task
    }
    rest()
  })
  worker.on('error', (cause) => fail(cause))
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      fail(undefined)
      resolve()
    })
  })

  function fail(cause: unknown): void {
    failure ??= new LogError(
      'internal',
      isClosing
        ? 'the database is closed'
        : 'the thread that writes has died. Start the server again',
      { cause }
    )
    for (const { reject } of waiting.values()) reject(failure)
    waiting.clear()
    rest()
  }

  function rest(): void {
    if (waiting.size > 0) return
    if (!isClosing) worker.unref()
    onIdle?.()
  }

  async function drain(): Promise<void> {
    isClosing = true
    if (waiting.size === 0) return
    await new Promise<void>((resolve) => {
      onIdle = resolve
    })
  }

  return {
    run: (task, transfer = []) =>
      new Promise((resolve, reject) => {
        assertOpen()
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        worker.ref()
        const request: WriteRequest = { id, task: task as WriteTask } // one of them, whichever
        send(request, transfer)
      }),
    host: (guest, transfer) => {
      assertOpen()
      flush()
      worker.postMessage({ guest }, transfer)
    },
    get failure() {
      return failure
    },
    drain,
    close: async () => {
      await drain()
      worker.ref() // its end is waited for
      worker.postMessage('close')
      await ended
    }
  }
}
