import type { MessagePort } from 'node:worker_threads'
import { sendableError } from '../encoding/sent-error.js'
import type { Checkpoint } from '../store/log-store.js'
import { packAppended, packPromises, unpackLeaves } from '../store/packed-batch.js'
import type { AddedLeaf, NewLeaf, TransparencyLog } from './contract.js'
import type { StepTimes } from './instruments.js'
import type { FromLog, LogOpened, LogState, SentLogEvent, ToLog } from './log-message.js'
import { createOutbox } from './outbox.js'
import type { LogEvent } from './sequencer.js'

/** What a hosted log tells whoever asked for it. */
export interface HostedLogHooks {
  readonly onEvent: (event: LogEvent) => void
  readonly times: StepTimes
}

export interface HostedLogOptions {
  readonly port: MessagePort
  /** Opens the log. What it throws is told. */
  readonly open: (hooks: HostedLogHooks) => Promise<TransparencyLog>
  /** How often it is told how the log is, beside what happens. */
  readonly stateMs: number
}

export interface HostedLog {
  /** Closes the log and says so at the other end. */
  close(): Promise<void>
}

/** A leaf that was added and of which nobody was told yet. */
interface Added {
  readonly id: number
  readonly leaf: AddedLeaf
}

/**
 * Opens a log in this thread and does with it what is asked for through `port`, whose other end is followHostedLog's.
 * @returns once it is open, or is not
 */
export async function hostLog({ port, open, stateMs }: HostedLogOptions): Promise<HostedLog> {
  const outbox = createOutbox<FromLog>(
    (items, transfer) => port.postMessage(items, transfer),
    (flush) => process.nextTick(flush) // after everybody in a batch was told
  )
  const hooks: HostedLogHooks = {
    onEvent: (event) => outbox.send({ type: 'event', event: sendableEvent(event) }),
    times: {
      onCommit: (seconds) => outbox.send({ type: 'step', step: 'commit', seconds }),
      onPublish: (seconds) => outbox.send({ type: 'step', step: 'publish', seconds })
    }
  }
  try {
    return serveLog(await open(hooks), { port, outbox, stateMs })
  } catch (err) {
    port.postMessage({ type: 'notOpened', error: sendableError(err) } satisfies LogOpened)
    port.close()
    return { close: async () => undefined }
  }
}

interface Service extends Pick<HostedLogOptions, 'port' | 'stateMs'> {
  readonly outbox: ReturnType<typeof createOutbox<FromLog>>
}

function serveLog(log: TransparencyLog, { port, outbox, stateMs }: Service): HostedLog {
  outbox.flush() // what happened while it was being opened
  port.postMessage({
    type: 'opened',
    record: log.record,
    state: stateOf(log)
  } satisfies LogOpened)
  const timer = setInterval(sendState, stateMs)
  let waiting = 0
  let closed: Promise<void> | undefined
  /** All with the checkpoint of the first. */
  let added: Added[] = []

  function sendState(): void {
    outbox.send({ type: 'state', state: stateOf(log) })
  }

  async function add(id: number, leaf: NewLeaf): Promise<void> {
    waiting++
    try {
      const leafAdded = await log.add(leaf)
      if (added[0] !== undefined && added[0].leaf.checkpoint !== leafAdded.checkpoint) tell()
      if (added.push({ id, leaf: leafAdded }) === 1) process.nextTick(tell)
    } catch (err) {
      outbox.send({ type: 'refused', id, error: sendableError(err) })
    }
    waiting--
  }

  function tell(): void {
    const [first] = added
    if (first === undefined) return
    const leaves = added.map(({ leaf }) => leaf)
    const promises = packPromises(
      leaves.map(({ leafIndex, inclusionPromise }) => ({ leafIndex, promise: inclusionPromise }))
    )
    outbox.send(
      {
        type: 'added',
        ids: Float64Array.from(added, ({ id }) => id),
        appended: packAppended(leaves),
        promises,
        checkpoint: alone(first.leaf.checkpoint),
        freshTimeMs: log.freshTimeMs
      },
      [promises.bytes.buffer, promises.numbers.buffer]
    )
    added = []
  }

  async function close(): Promise<void> {
    clearInterval(timer)
    await log.close()
    while (waiting > 0) await new Promise((resolve) => setImmediate(resolve))
    tell()
    sendState()
    outbox.send({ type: 'closed' })
    outbox.flush()
    port.close()
  }

  port.on('close', () => clearInterval(timer))
  port.on('message', (message: ToLog) => {
    if (message.type === 'close') closed ??= close()
    else unpackLeaves(message.leaves).forEach((leaf, i) => void add(message.firstId + i, leaf))
  })
  return { close: () => (closed ??= close()) }
}

function stateOf(log: TransparencyLog): LogState {
  const { freshTimeMs, failure } = log
  return {
    freshTimeMs,
    checkpoint: alone(log.checkpoint()),
    failure: failure && sendableError(failure)
  }
}

/** Sending a view copies all of its buffer: this has one of its own. */
function alone({ treeHead, note }: Checkpoint): Checkpoint {
  return { treeHead: { ...treeHead, rootHash: Uint8Array.from(treeHead.rootHash) }, note }
}

function sendableEvent(event: LogEvent): SentLogEvent {
  return event.type === 'published' ? event : { ...event, error: sendableError(event.error) }
}
