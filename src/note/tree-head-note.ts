import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '../encoding/bytes.js'
import { encodeUtf8 } from '../encoding/text.js'
import { createTlsReader, encodeTlsBytes, encodeTlsUint64 } from '../encoding/tls.js'
import { LogError } from '../errors.js'
import type { TreeHead } from '../merkle/tree.js'
import { formatCheckpointBody, parseCheckpoint } from './checkpoint.js'
import { KEY_ID_BYTES } from './key-id.js'
import { formatSignedNote } from './signed-note.js'

/** What a signature line of a certificate log holds. */
export interface TreeHeadNoteSignature {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** DigitallySigned over the tree head of RFC 6962 section 3.5: at least one byte, which nobody here looks into. */
  readonly digitallySigned: Uint8Array
}

/** The signed tree head of a certificate log, as a checkpoint holds it. */
export interface TreeHeadNote extends TreeHead, TreeHeadNoteSignature {
  /** First line, and name of the key. */
  readonly origin: string
}

const LOG_ID_BYTES = 32
/** Signature type of RFC 6962 tree heads. @see C2SP signed-note */
const TREE_HEAD_SIGNATURE = 0x05
const NEWLINE = 0x0a
const LABEL = 'tree head note'

/**
 * Id of a certificate log's key in its checkpoints: the first four bytes of SHA-256(origin || 0x0A || 0x05 || logId).
 *
 * @param logId 32 bytes
 * @throws LogError `invalid_request` when the log ID is of another length
 * @see C2SP static-ct-api
 */
export function ctKeyIdOf(origin: string, logId: Uint8Array): Uint8Array {
  const message = concatBytes(
    encodeUtf8(origin),
    Uint8Array.of(NEWLINE, TREE_HEAD_SIGNATURE),
    encodeTlsBytes(logId, LOG_ID_BYTES, `${LABEL}: log id`)
  )
  return sha256(message).slice(0, KEY_ID_BYTES)
}

/**
 * Signature of a line, without the key id before it.
 *
 *     struct { uint64 timestamp; TreeHeadSignature signature; } RFC6962NoteSignature;
 *
 * @throws LogError `invalid_request` when the time is no safe integer or there is no signature
 * @see C2SP static-ct-api
 */
export function encodeTreeHeadNoteSignature(signature: TreeHeadNoteSignature): Uint8Array {
  const { timestampMs, digitallySigned } = signature
  assertNotEmpty(digitallySigned)
  return concatBytes(encodeTlsUint64(timestampMs, `${LABEL}: timestamp`), digitallySigned)
}

/** @throws LogError `invalid_request` when malformed */
export function parseTreeHeadNoteSignature(bytes: Uint8Array): TreeHeadNoteSignature {
  const reader = createTlsReader(bytes, LABEL)
  const timestampMs = reader.uint64()
  const digitallySigned = reader.bytes(reader.remaining)
  assertNotEmpty(digitallySigned)
  return { timestampMs, digitallySigned }
}

/**
 * Checkpoint with the one signature of a certificate log. Nothing is signed here.
 *
 * @param logId 32 bytes
 * @throws LogError `invalid_request` when it could not be read back: see formatCheckpointBody; and the origin is the name
 *   of a key as well, without white space and plus sign
 */
export function formatTreeHeadNote(head: TreeHeadNote, logId: Uint8Array): string {
  const { origin, treeSize, rootHash } = head
  const signature = encodeTreeHeadNoteSignature(head)
  return formatSignedNote(formatCheckpointBody({ origin, treeSize, rootHash }), [
    { name: origin, keyId: ctKeyIdOf(origin, logId), signature }
  ])
}

/**
 * Reads the checkpoint of a certificate log; lines of other keys are passed over. What the log signed is not verified, and
 * would not cover the origin anyway: compare it with the one you expect.
 *
 * @param logId 32 bytes: which key must have signed
 * @throws LogError `invalid_request` when malformed, or with extension lines, which the signature does not cover;
 *   `too_large`; `verification_failed` without exactly one line of that key
 */
export function parseTreeHeadNote(note: string, logId: Uint8Array): TreeHeadNote {
  const { origin, treeSize, rootHash, extensionLines, signatures } = parseCheckpoint(note)
  if (extensionLines.length > 0) {
    throw new LogError('invalid_request', `${LABEL}: extension lines, which nobody signed`)
  }
  const keyId = ctKeyIdOf(origin, logId)
  const ours = signatures.filter((line) => line.name === origin && equalBytes(line.keyId, keyId))
  const [line, second] = ours
  if (line === undefined || second !== undefined) {
    throw new LogError(
      'verification_failed',
      `${LABEL}: ${ours.length} signatures of the log "${origin}", not one`
    )
  }
  return { origin, treeSize, rootHash, ...parseTreeHeadNoteSignature(line.signature) }
}

function assertNotEmpty(digitallySigned: Uint8Array): void {
  if (digitallySigned.length === 0) {
    throw new LogError('invalid_request', `${LABEL}: no signature`)
  }
}
