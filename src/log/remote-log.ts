import type { MessagePort } from 'node:worker_threads'
import { receivedError } from '../encoding/sent-error.js'
import { LogError, isLogError } from '../errors.js'
import type { LogStore, TreeRecord } from '../store/log-store.js'
import { packLeaves, unpackAppended, unpackPromises } from '../store/packed-batch.js'
import type { AddedLeaf, NewLeaf, TransparencyLog } from './contract.js'
import type { StepTimes } from './instruments.js'
import type {
  AddedMessage,
  FromLog,
  LogOpened,
  LogState,
  SentLogEvent,
  ToLog
} from './log-message.js'
import { type LogEvent, hasStopped, isStopping } from './sequencer.js'

export interface RemoteLogOptions {
  /** The other end is hostLog's. */
  readonly port: MessagePort
  /** The store of a tree as this thread has it. */
  readonly storeOf: (treeId: string) => LogStore
  readonly onEvent: (event: LogEvent, tree: TreeRecord) => void
  readonly times: StepTimes
}

interface Waiter {
  resolve(added: AddedLeaf): void
  reject(err: Error): void
}

/**
 * Waits for the log that another thread opens. Leaves go there and answers come back many at a time.
 *
 * @throws what the other thread threw when it opened the log; LogError `internal` when it died
 */
export function openRemoteLog(options: RemoteLogOptions): Promise<TransparencyLog> {
  const { port } = options
  return new Promise((resolve, reject) => {
    const early: FromLog[] = []
    port.on('close', () => reject(threadDied()))
    port.on('message', (message: LogOpened | readonly FromLog[]) => {
      if (!('type' in message)) {
        early.push(...message)
        return
      }
      port.removeAllListeners()
      if (message.type === 'opened') resolve(followLog(options, message, early))
      else reject(receivedError(message.error))
    })
  })
}

function followLog(
  { port, storeOf, onEvent, times }: RemoteLogOptions,
  { record, state: first }: Extract<LogOpened, { readonly type: 'opened' }>,
  early: readonly FromLog[]
): TransparencyLog {
  const waiting = new Map<number, Waiter>()
  let { freshTimeMs, checkpoint } = first
  let failure: Error | undefined
  let lastId = 0
  /** Of this turn: sent when it ends. */
  let leaves: NewLeaf[] = []
  let isGone = false
  let closed: Promise<void> | undefined
  let onClosed: (() => void) | undefined

  function post(message: ToLog, transfer: readonly ArrayBuffer[] = []): void {
    port.postMessage(message, transfer)
  }

  function send(): void {
    if (leaves.length === 0) return
    const packed = packLeaves(leaves.map((leaf) => ({ ...leaf, integratedTimeSeconds: 0 })))
    const firstId = lastId - leaves.length + 1
    leaves = []
    post({ type: 'add', firstId, leaves: packed }, [packed.bytes.buffer, packed.numbers.buffer])
  }

  function receive(item: FromLog): void {
    switch (item.type) {
      case 'added':
        checkpoint = item.checkpoint
        freshTimeMs = item.freshTimeMs
        resolveAll(item)
        break
      case 'refused':
        take(item.id)?.reject(receivedError(item.error))
        break
      case 'event':
        tellEvent(receivedEvent(item.event))
        break
      case 'step':
        if (item.step === 'commit') times.onCommit(item.seconds)
        else times.onPublish(item.seconds)
        break
      case 'state':
        adopt(item.state)
        break
      case 'closed':
        over(undefined)
    }
    if (waiting.size === 0 && closed === undefined) port.unref()
  }

  function tellEvent(event: LogEvent): void {
    if (event.type === 'stopped') failure ??= event.error
    onEvent(event, record)
  }

  function resolveAll(message: AddedMessage): void {
    const appended = unpackAppended(message.appended)
    const promises = unpackPromises(message.promises)
    message.ids.forEach((id, i) => {
      const leaf = appended[i]
      const promise = promises[i]
      if (leaf === undefined || promise === undefined) return // one for each id
      take(id)?.resolve({
        ...leaf,
        inclusionPromise: promise.promise,
        checkpoint: message.checkpoint
      })
    })
  }

  function take(id: number): Waiter | undefined {
    const waiter = waiting.get(id)
    waiting.delete(id)
    return waiter
  }

  function adopt(state: LogState): void {
    checkpoint = state.checkpoint
    freshTimeMs = state.freshTimeMs
    if (state.failure !== undefined) failure ??= receivedError(state.failure)
  }

  /** The other thread says no more. @param err why, if it was not asked to */
  function over(err: LogError | undefined): void {
    if (isGone) return
    isGone = true
    port.removeAllListeners()
    port.close()
    for (const { reject } of waiting.values()) reject(err ?? isStopping())
    waiting.clear()
    if (err !== undefined) tellEvent({ type: 'stopped', error: err })
    onClosed?.()
  }

  port.on('message', (items: readonly FromLog[]) => items.forEach(receive))
  port.on('close', () => over(threadDied()))
  port.unref() // whoever forgets to close should still be able to exit; see add
  adopt(first)
  early.forEach(receive)

  return {
    record,
    store: storeOf(record.treeId),
    add: (leaf) =>
      new Promise((resolve, reject) => {
        if (closed !== undefined) throw isStopping()
        if (failure !== undefined) throw hasStopped(failure)
        if (waiting.size === 0) port.ref()
        waiting.set(++lastId, { resolve, reject })
        // Once everybody who was called in this turn has added.
        if (leaves.push(leaf) === 1) process.nextTick(send)
      }),
    checkpoint: () => checkpoint,
    get freshTimeMs() {
      return freshTimeMs
    },
    get failure() {
      return failure
    },
    close: () =>
      (closed ??= new Promise((resolve) => {
        if (isGone) {
          resolve()
          return
        }
        onClosed = resolve
        port.ref()
        send()
        post({ type: 'close' })
      }))
  }
}

function threadDied(): LogError {
  return new LogError('internal', 'the thread that writes has died. Start the server again')
}

function receivedEvent(event: SentLogEvent): LogEvent {
  switch (event.type) {
    case 'published':
      return event
    case 'failed':
      return { ...event, error: receivedError(event.error) }
    case 'stopped':
      return { ...event, error: logErrorOf(receivedError(event.error)) }
  }
}

/** A log stops with a LogError. */
function logErrorOf(err: Error): LogError {
  return isLogError(err) ? err : new LogError('internal', err.message, { cause: err })
}
