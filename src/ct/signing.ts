import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { parsePublicKey, type PublicKey } from '../keys/public-key.js'
import { signEach, type Signer } from '../keys/signer.js'
import { hashData } from '../keys/verify.js'
import type { LogSigning } from '../log/contract.js'
import { formatTreeHeadNote, parseTreeHeadNote } from '../note/tree-head-note.js'
import type { TreeRecord } from '../store/log-store.js'
import { assertCtLogKey, verifyDigitallySigned } from '../x509/ct-signature.js'
import { encodeDigitallySigned, parseDigitallySigned } from '../x509/sct.js'
import { encodeTreeHeadSignatureInput } from '../x509/tree-head-signature.js'
import { CT_LOG_NAME_DIGITS, type SignedTreeHead } from './contract.js'
import type { LogClock } from './log-clock.js'

/** ID of the log with this key. @param publicKey SubjectPublicKeyInfo DER @returns 32 bytes */
export function ctLogIdOf(publicKey: Uint8Array): Uint8Array {
  return hashData('sha256', publicKey)
}

/** First digits of a log ID: what a log is called in URLs. */
export function logNameOf(logId: Uint8Array): string {
  return encodeHex(logId).slice(0, CT_LOG_NAME_DIGITS)
}

/** First line of the checkpoints of a log: where it is served, without scheme. One key, one log, one origin. */
export function formatCtOrigin(hostname: string, publicKey: Uint8Array): string {
  return `${hostname}/ctlog/${logNameOf(ctLogIdOf(publicKey))}`
}

/**
 * How a certificate log signs: tree heads as checkpoints with the signature of RFC 6962 in them, timestamps of
 * certificates as signatures over leaf values, which are their signed input as well.
 */
export function createCtSigning(
  record: Pick<TreeRecord, 'origin'>,
  signer: Signer,
  clock: LogClock
): LogSigning {
  const logId = ctLogIdOf(signer.publicKey)
  return {
    async signTreeHead(treeHead) {
      const timestampMs = clock.nowMs()
      const signature = await signer.sign(
        encodeTreeHeadSignatureInput({ ...treeHead, timestampMs })
      )
      const digitallySigned = encodeDigitallySigned({ algorithm: 'ecdsa', signature })
      return formatTreeHeadNote(
        { ...treeHead, origin: record.origin, timestampMs, digitallySigned },
        logId
      )
    },
    signPromises: (leaves) =>
      signEach(
        signer,
        leaves.map(({ leafValue }) => leafValue)
      )
  }
}

/** Reads a checkpoint of one log. @throws LogError `invalid_request` when it cannot be read as one of its */
export function readTreeHead(
  record: Pick<TreeRecord, 'origin' | 'publicKey'>,
  note: string
): SignedTreeHead {
  const head = parseTreeHeadNote(note, ctLogIdOf(record.publicKey))
  if (head.origin !== record.origin) {
    throw new LogError(
      'verification_failed',
      `checkpoint of "${head.origin}", want "${record.origin}"`
    )
  }
  const { treeSize, timestampMs, rootHash, digitallySigned } = head
  return { treeSize, timestampMs, rootHash, treeHeadSignature: digitallySigned }
}

/** Checks that a checkpoint is of one log and signed by its key. @throws LogError as readTreeHead and verifyDigitallySigned */
export type VerifyCtTreeHead = (note: string) => Promise<SignedTreeHead>

/** The check for one log. Reads the key once. @throws LogError `unsupported` for a key no log can have */
export function createTreeHeadCheck(
  record: Pick<TreeRecord, 'origin' | 'publicKey'>
): VerifyCtTreeHead {
  const publicKey = logKeyOf(record)
  return async (note) => {
    const head = readTreeHead(record, note)
    const signature = parseDigitallySigned(head.treeHeadSignature)
    await verifyDigitallySigned(signature, encodeTreeHeadSignatureInput(head), publicKey)
    return head
  }
}

/** Key of a log, ready to verify with. @throws LogError `unsupported` for a key no log can have */
export function logKeyOf({ publicKey }: Pick<TreeRecord, 'publicKey'>): PublicKey {
  const key = parsePublicKey(publicKey)
  assertCtLogKey(key)
  return key
}

/** What `ct info` and others say of a log. */
export function describeCtLog(record: TreeRecord): {
  readonly logId: string
  readonly logName: string
} {
  const logId = ctLogIdOf(record.publicKey)
  return { logId: encodeHex(logId), logName: logNameOf(logId) }
}
