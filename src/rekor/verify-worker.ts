import { parentPort, workerData } from 'node:worker_threads'
import { isLogError } from '../errors.js'
import type { VerifySettings } from './entry-verifier.js'
import {
  runVerifyTask,
  type VerifyOutcome,
  type VerifyRequestMessage,
  type VerifyResponseMessage
} from './verify-task.js'

// The entry point of a thread: the one module here that acts when it is loaded.
if (parentPort !== null) serve(parentPort, workerData as VerifySettings) // as createVerifyPool passes it

/** Below this, copying is cheaper than handing a buffer over. */
const MIN_TRANSFER_BYTES = 65_536

function serve(port: NonNullable<typeof parentPort>, settings: VerifySettings): void {
  port.on('message', (request: VerifyRequestMessage) => {
    void answer(request, settings).then((response) => {
      port.postMessage(response, 'outcome' in response ? transferable(response.outcome) : [])
    })
  })
  port.postMessage('ready')
}

async function answer(
  { id, task }: VerifyRequestMessage,
  settings: VerifySettings
): Promise<VerifyResponseMessage> {
  try {
    return { id, outcome: await runVerifyTask(task, settings) }
  } catch (err) {
    if (isLogError(err)) return { id, code: err.code, message: err.message, details: err.details }
    // A mistake of ours: its stack is what the log needs.
    return { id, code: 'internal', message: String((err as Error).stack ?? err), details: {} }
  }
}

/** Large buffers that nothing else in this thread looks at. */
function transferable(outcome: VerifyOutcome): ArrayBuffer[] {
  if (outcome.type !== 'entry') return []
  const { leafValue, attestation } = outcome.leaf
  return [leafValue, attestation?.value]
    .filter((bytes) => bytes !== undefined)
    .filter(({ length, buffer }) => length >= MIN_TRANSFER_BYTES && length === buffer.byteLength)
    .map(({ buffer }) => buffer as ArrayBuffer) // never shared memory: made by the entry kinds
}
