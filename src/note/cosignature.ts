import { concatBytes, equalBytes } from '../encoding/bytes.js'
import { encodeUtf8 } from '../encoding/text.js'
import { createTlsReader, encodeTlsBytes, encodeTlsUint64 } from '../encoding/tls.js'
import { isLogError, LogError } from '../errors.js'
import type { VerifySignature } from './checkpoint.js'
import type { NoteSignature } from './signed-note.js'
import type { VerifierKey } from './verifier-key.js'

/** Signature of a witness on a checkpoint: at that time this was the largest consistent tree it had seen of that origin. */
export interface Cosignature {
  /** Seconds since the epoch. */
  readonly timestampSeconds: number
  /** 64 bytes, Ed25519. */
  readonly signature: Uint8Array
}

const SIGNATURE_BYTES = 64
const LABEL = 'cosignature'

/**
 * What stands on a signature line after the key ID.
 *
 *     struct { u64 timestamp; opaque ed25519_signature[64]; } timestamped_signature;
 *
 * @throws LogError `invalid_request` when the time is no safe integer or the signature not of 64 bytes
 * @see C2SP tlog-cosignature
 */
export function encodeCosignature({ timestampSeconds, signature }: Cosignature): Uint8Array {
  return concatBytes(
    encodeTlsUint64(timestampSeconds, `${LABEL}: timestamp`),
    encodeTlsBytes(signature, SIGNATURE_BYTES, LABEL)
  )
}

/** @throws LogError `invalid_request` unless it is exactly that */
export function parseCosignature(bytes: Uint8Array): Cosignature {
  const reader = createTlsReader(bytes, LABEL)
  const timestampSeconds = reader.uint64()
  const signature = reader.bytes(SIGNATURE_BYTES)
  reader.end()
  return { timestampSeconds, signature }
}

/**
 * Bytes that a cosignature signs. The witness is not named in them, so each needs a key of its own.
 *
 * @param body whole text of the checkpoint with its extension lines; ends with a newline
 * @see C2SP tlog-cosignature, section on the message signed with Ed25519
 */
export function encodeCosignatureMessage(body: string, timestampSeconds: number): Uint8Array {
  return encodeUtf8(`cosignature/v1\ntime ${timestampSeconds}\n${body}`)
}

/** Makes an Ed25519 signature of 64 bytes over `message`. */
export type SignMessage = (message: Uint8Array) => Promise<Uint8Array>

/**
 * Cosigns the text of a checkpoint. What has been checked and stored before is up to the caller.
 *
 * @param key of type `ed25519-cosignature`
 * @returns the signature line
 * @throws LogError `invalid_request` when the time is no safe integer; what `sign` throws
 */
export async function signCosignature(
  body: string,
  timestampSeconds: number,
  { key, sign }: { readonly key: VerifierKey; readonly sign: SignMessage }
): Promise<NoteSignature> {
  const signature = await sign(encodeCosignatureMessage(body, timestampSeconds))
  return {
    name: key.name,
    keyId: key.keyId,
    signature: encodeCosignature({ timestampSeconds, signature })
  }
}

/** Whose cosignatures are looked for. */
export interface Cosigner {
  /** Of type `ed25519-cosignature`. */
  readonly key: VerifierKey
  readonly verify: VerifySignature
}

/** A line whose cosignature is good. */
export interface VerifiedCosignature {
  readonly line: NoteSignature
  readonly timestampSeconds: number
}

/**
 * The cosignatures of one witness among signature lines. All of its lines must be good; lines of others are passed over.
 *
 * @param body text of the checkpoint
 * @param latestSeconds refuse times after this one; the clock of a witness may be ahead a little
 * @returns none where it did not cosign
 * @throws LogError `verification_failed` when one is malformed, bad or from the future
 * @see C2SP signed-note, tlog-cosignature
 */
export async function verifyCosignatures(
  body: string,
  lines: readonly NoteSignature[],
  { key, verify }: Cosigner,
  latestSeconds: number = Number.MAX_SAFE_INTEGER
): Promise<readonly VerifiedCosignature[]> {
  const verified: VerifiedCosignature[] = []
  for (const line of lines) {
    if (line.name !== key.name || !equalBytes(line.keyId, key.keyId)) continue
    const timestampSeconds = await verifyLine(body, line, { key, verify })
    if (timestampSeconds > latestSeconds) throw failed(key, 'is from the future')
    verified.push({ line, timestampSeconds })
  }
  return verified
}

async function verifyLine(
  body: string,
  line: NoteSignature,
  { key, verify }: Cosigner
): Promise<number> {
  try {
    const { timestampSeconds, signature } = parseCosignature(line.signature)
    await verify(encodeCosignatureMessage(body, timestampSeconds), signature)
    return timestampSeconds
  } catch (err) {
    if (isLogError(err, 'internal')) throw err
    throw failed(key, 'is not valid', err)
  }
}

function failed(key: VerifierKey, problem: string, cause?: unknown): LogError {
  return new LogError('verification_failed', `cosignature of "${key.name}" ${problem}`, { cause })
}
