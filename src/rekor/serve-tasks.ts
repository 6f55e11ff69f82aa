import type { MessagePort } from 'node:worker_threads'
import { isLogError } from '../errors.js'
import type { VerifiedLeaf } from './entry-verifier.js'
import type { OutcomeMessage, TaskMessage } from './worker-pool.js'

/** Below this, copying is cheaper than handing a buffer over. */
const MIN_TRANSFER_BYTES = 65_536

/**
 * The thread's side of a worker pool: does what it is sent.
 *
 * @param transferOf memory of an outcome that goes back with it
 */
export function serveTasks<Task, Outcome>(
  port: MessagePort,
  run: (task: Task) => Promise<Outcome>,
  transferOf: (outcome: Outcome) => ArrayBuffer[]
): void {
  port.on('message', (message: TaskMessage<Task>) => {
    void answer(message, run).then((answered) => {
      port.postMessage(answered, 'outcome' in answered ? transferOf(answered.outcome) : [])
    })
  })
  port.postMessage('ready')
}

async function answer<Task, Outcome>(
  { id, task }: TaskMessage<Task>,
  run: (task: Task) => Promise<Outcome>
): Promise<OutcomeMessage<Outcome>> {
  try {
    return { id, outcome: await run(task) }
  } catch (err) {
    if (isLogError(err)) return { id, code: err.code, message: err.message, details: err.details }
    // A mistake of ours: its stack is what the log needs.
    return { id, code: 'internal', message: String((err as Error).stack ?? err), details: {} }
  }
}

/** Large buffers of a leaf that nothing else in this thread looks at. */
export function transferOfLeaf({ leafValue, attestation }: VerifiedLeaf): ArrayBuffer[] {
  return [leafValue, attestation?.value]
    .filter((bytes) => bytes !== undefined)
    .filter(({ length, buffer }) => length >= MIN_TRANSFER_BYTES && length === buffer.byteLength)
    .map(({ buffer }) => buffer as ArrayBuffer) // never shared memory: made by the entry kinds
}
