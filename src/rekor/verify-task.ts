import { createHash } from 'node:crypto'
import type { ProposedEntry } from '../entries/entry-type.js'
import { verifyProposedEntry } from '../entries/process.js'
import { keyFormat } from '../entries/signature-formats.js'
import type { CheckQueue } from '../keys/check-queue.js'
import { LogError, isLogError } from '../errors.js'
import type {
  EntryVerifier,
  VerifiedLeaf,
  VerifyPurpose,
  VerifySettings
} from './entry-verifier.js'

/** One piece of work for a verifier, as plain data. */
export type VerifyTask =
  | { readonly type: 'entry'; readonly proposed: ProposedEntry; readonly purpose: VerifyPurpose }
  | { readonly type: 'key'; readonly format: string; readonly content: Uint8Array }

export type VerifyOutcome =
  | { readonly type: 'entry'; readonly leaf: VerifiedLeaf }
  | { readonly type: 'key'; readonly keyHash: string }

/** What the thread brings that does the work. */
export interface VerifyTools {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number
  /** See VerifyOptions. */
  readonly checkDigest?: CheckQueue['digest'] | undefined
}

/** The work itself, the same on every thread. @throws LogError */
export async function runVerifyTask(
  task: VerifyTask,
  settings: VerifySettings,
  tools: VerifyTools
): Promise<VerifyOutcome> {
  if (task.type === 'key') return { type: 'key', keyHash: await hashKey(task.format, task.content) }
  const { proposed, purpose } = task
  const leaf = await verifyProposedEntry(proposed, { purpose, ...settings, ...tools })
  return { type: 'entry', leaf }
}

/**
 * Verifies on the calling thread. For tests, for command line tools, and where there is one core only.
 * @param queue checks signatures over digests, many at once, beside this thread
 * @param nowMs milliseconds since the epoch; tests bring their own
 */
export function createInProcessVerifier(
  settings: VerifySettings,
  queue?: CheckQueue,
  nowMs: () => number = Date.now
): EntryVerifier {
  const tools: VerifyTools = { nowMs, checkDigest: queue?.digest }
  return verifierOf((task) => runVerifyTask(task, settings, tools))
}

/** A verifier over anything that runs tasks. */
export function verifierOf(
  run: (task: VerifyTask, byteLength: number) => Promise<VerifyOutcome>
): EntryVerifier {
  return {
    async verifyEntry(proposed, purpose, byteLength) {
      const outcome = await run({ type: 'entry', proposed, purpose }, byteLength)
      if (outcome.type !== 'entry') throw new LogError('internal', 'verifier mixed up its answers')
      return outcome.leaf
    },
    async keyHash(format, content) {
      const outcome = await run({ type: 'key', format, content }, content.length)
      if (outcome.type !== 'key') throw new LogError('internal', 'verifier mixed up its answers')
      return outcome.keyHash
    }
  }
}

async function hashKey(format: string, content: Uint8Array): Promise<string> {
  const keys = keyFormat(format)
  try {
    const { canonical } = await keys.parseKey(content)
    return createHash('sha256').update(canonical).digest('hex')
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError('invalid_request', 'public key provided could not be parsed', { cause: err })
  }
}
