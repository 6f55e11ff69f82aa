import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { equalBytes } from '../encoding/bytes.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError, isLogError } from '../errors.js'
import { HASH_BYTES } from '../merkle/hash.js'
import { isTreeSize } from '../merkle/tiles.js'
import type { TreeHead } from '../merkle/tree.js'
import { type SignedNote, parseSignedNote } from './signed-note.js'

/** What the text of a checkpoint says. */
export interface CheckpointBody extends TreeHead {
  /** First line: which log, and for Rekor v1 which tree (`<hostname> - <tree id>`). */
  readonly origin: string
  /** Lines after the root hash. Rekor before 1.3.5 wrote a time there; we write none. */
  readonly extensionLines?: readonly string[]
}

/** A checkpoint as read: well-formed, but with nothing verified. */
export interface ParsedCheckpoint extends Required<CheckpointBody>, SignedNote {}

/**
 * Text of a checkpoint, which is what gets signed: origin, size and root hash, a line each.
 *
 * @throws LogError `invalid_request` when it could not be read back: an empty line, a control character, a size
 *   beyond safe integers, a root hash of other than 32 bytes
 * @see C2SP tlog-checkpoint
 */
export function formatCheckpointBody(checkpoint: CheckpointBody): string {
  const { origin, treeSize, rootHash, extensionLines = [] } = checkpoint
  if (!isTreeSize(treeSize)) throw malformed(`tree size ${treeSize} is not a safe integer`)
  if (rootHash.length !== HASH_BYTES) throw malformed(`root hash is not ${HASH_BYTES} bytes`)
  if (![origin, ...extensionLines].every(isLine)) throw malformed('empty line or control character')
  const lines = [origin, String(treeSize), encodeBase64(rootHash), ...extensionLines]
  return lines.map((line) => `${line}\n`).join('')
}

/**
 * Reads the text of a checkpoint. Only one spelling passes.
 *
 * @throws LogError `invalid_request`
 * @see C2SP tlog-checkpoint
 */
export function parseCheckpointBody(body: string): Required<CheckpointBody> {
  const [origin = '', size = '', root = '', ...rest] = body.split('\n')
  if (rest.pop() !== '') throw malformed('fewer than three lines, or no newline at the end')
  if (!/^[0-9]{1,16}$/.test(size)) throw malformed('tree size is not a decimal number')
  const parsed = {
    origin,
    treeSize: Number(size),
    rootHash: decodeBase64(root, 'checkpoint: root hash'),
    extensionLines: rest
  }
  if (formatCheckpointBody(parsed) !== body) throw malformed('not in canonical form')
  return parsed
}

/**
 * Reads a checkpoint with its signatures and verifies none of them.
 *
 * @throws LogError `invalid_request` | `too_large`
 */
export function parseCheckpoint(note: string): ParsedCheckpoint {
  const { body, signatures } = parseSignedNote(note)
  return { ...parseCheckpointBody(body), body, signatures }
}

/**
 * Checks a signature over `message` with one key. Returning means that it is good, whatever is returned.
 * @throws when it is not
 */
export type VerifySignature = (message: Uint8Array, signature: Uint8Array) => void | Promise<void>

/** Whose signature a checkpoint must carry. */
export interface CheckpointVerifier {
  /** Exact first line, where the caller knows it. */
  readonly origin?: string
  /** Name on the signature line. */
  readonly name: string
  /** 4 bytes (see keyIdOf). */
  readonly publicKeyId: Uint8Array
  readonly verify: VerifySignature
}

/**
 * Reads a checkpoint and checks that the expected key signed it. Every signature line with that name and key id must
 * be good and there must be one; lines of other keys are passed over.
 *
 * @throws LogError `invalid_request` | `too_large` as it cannot be read, `verification_failed` for another origin,
 *   no signature of the key, or a bad one
 * @see C2SP signed-note
 */
export async function verifyCheckpoint(
  note: string,
  { origin, name, publicKeyId, verify }: CheckpointVerifier
): Promise<ParsedCheckpoint> {
  const checkpoint = parseCheckpoint(note)
  if (origin !== undefined && checkpoint.origin !== origin) {
    throw new LogError(
      'verification_failed',
      `checkpoint of origin "${checkpoint.origin}", want "${origin}"`
    )
  }
  const ours = checkpoint.signatures.filter(
    (line) => line.name === name && equalBytes(line.keyId, publicKeyId)
  )
  if (ours.length === 0) {
    throw new LogError('verification_failed', `checkpoint has no signature of the key of "${name}"`)
  }
  const message = encodeUtf8(checkpoint.body)
  for (const { signature } of ours) {
    try {
      await verify(message, signature)
    } catch (err) {
      if (isLogError(err)) throw err
      throw new LogError('verification_failed', 'checkpoint signature is not valid', { cause: err })
    }
  }
  return checkpoint
}

/** Whether `text` can be one line of a checkpoint. */
function isLine(text: string): boolean {
  return text.isWellFormed() && /^[^\u0000-\u001f\u007f]+$/.test(text)
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `checkpoint: ${problem}`)
}
