import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { CheckQueue } from '../keys/check-queue.js'
import { parsePublicKey } from '../keys/public-key.js'
import { signEach, type Signer } from '../keys/signer.js'
import type { LogSigning } from '../log/contract.js'
import {
  formatCheckpointBody,
  verifyCheckpoint,
  type ParsedCheckpoint
} from '../note/checkpoint.js'
import { keyIdOf } from '../note/key-id.js'
import { encodeEntryPromise } from '../note/signed-entry-timestamp.js'
import { formatSignedNote } from '../note/signed-note.js'
import type { TreeRecord } from '../store/log-store.js'
import { logIdOf } from './statement.js'

/** First line of the checkpoints of a tree: what makes clients take it for a Rekor v1 log (rekor-v1 §4). */
export function formatOrigin(hostname: string, treeId: string): string {
  return `${hostname} - ${treeId}`
}

/** Name on the signature lines of a tree's checkpoints: its origin without the tree ID. */
export function checkpointNameOf({
  origin,
  treeId
}: Pick<TreeRecord, 'origin' | 'treeId'>): string {
  const suffix = ` - ${treeId}`
  if (!origin.endsWith(suffix)) {
    throw new LogError('integrity', `origin "${origin}" does not end with tree id ${treeId}`)
  }
  return origin.slice(0, -suffix.length)
}

type SigningTree = Pick<TreeRecord, 'origin' | 'treeId' | 'offset'>

/** How a Rekor v1 tree signs: checkpoints as notes, promises as signed entry timestamps. */
export function createRekorSigning(record: SigningTree, signer: Signer): LogSigning {
  const name = checkpointNameOf(record)
  const keyId = keyIdOf(signer.publicKey)
  const logId = logIdOf(signer.publicKey)
  return {
    async signTreeHead(treeHead) {
      const body = formatCheckpointBody({ origin: record.origin, ...treeHead })
      const signature = await signer.sign(encodeUtf8(body))
      return formatSignedNote(body, [{ name, keyId, signature }])
    },
    signPromises: (leaves) =>
      signEach(
        signer,
        leaves.map(({ leafValue, leafIndex, integratedTimeSeconds }) => {
          const logIndex = record.offset + leafIndex
          return encodeEntryPromise({ leafValue, integratedTimeSeconds, logId, logIndex })
        })
      )
  }
}

/** The public key of a tree, ready to verify with. */
export function publicKeyOf({ publicKey }: Pick<TreeRecord, 'publicKey'>): KeyObject {
  return createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
}

/**
 * Checks that a checkpoint is of one tree and signed by its key.
 *
 * @throws LogError `verification_failed`, or `invalid_request` when it cannot be read
 */
export type VerifyTreeCheckpoint = (note: string) => Promise<ParsedCheckpoint>

/**
 * The check for one tree. Reads the key once: that takes as long as verifying with it.
 *
 * @param queue checks the signature beside this thread, with others; without it: at once
 */
export function createCheckpointCheck(
  record: Pick<TreeRecord, 'origin' | 'treeId' | 'publicKey'>,
  queue?: Pick<CheckQueue, 'data'>
): VerifyTreeCheckpoint {
  const verifier = {
    origin: record.origin,
    name: checkpointNameOf(record),
    publicKeyId: keyIdOf(record.publicKey),
    verify: queue === undefined ? checkHere(record) : checkIn(queue, record)
  }
  return (note) => verifyCheckpoint(note, verifier)
}

type CheckSignature = (message: Uint8Array, signature: Uint8Array) => void | Promise<void>

function checkHere(record: Pick<TreeRecord, 'publicKey'>): CheckSignature {
  const key = publicKeyOf(record)
  return (message, signature) => {
    if (!verify('sha256', message, key, signature)) throw new Error('ECDSA signature is wrong')
  }
}

function checkIn(
  queue: Pick<CheckQueue, 'data'>,
  record: Pick<TreeRecord, 'publicKey'>
): CheckSignature {
  const key = parsePublicKey(record.publicKey)
  return async (data, signature) => {
    try {
      await queue.data({ key, hashName: 'sha256', data, signature })
    } catch (err) {
      throw new Error('ECDSA signature is wrong', { cause: err })
    }
  }
}
