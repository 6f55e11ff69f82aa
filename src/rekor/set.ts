import { verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { isLogError, LogError } from '../errors.js'
import type { CheckQueue } from '../keys/check-queue.js'
import type { PublicKey } from '../keys/public-key.js'
import type { NativeCheck, NativeCrypto } from '../keys/native-crypto.js'
import { encodeEntryPromise, type EntryPromise } from '../note/signed-entry-timestamp.js'
import { sha256 } from '../store/sha256.js'

const verifyOffThread = promisify<string, Uint8Array, KeyObject, Uint8Array, boolean>(verify)

/**
 * Checks a signed entry timestamp (SET) with the key of the tree: ECDSA over SHA-256, DER.
 *
 * @throws LogError `verification_failed`
 * @see rekor-v1 §5
 */
export async function verifySet(
  publicKey: KeyObject,
  promise: EntryPromise,
  signature: Uint8Array
): Promise<void> {
  if (!(await verifyOffThread('sha256', encodeEntryPromise(promise), publicKey, signature))) {
    throw invalidSet()
  }
}

/** The same where many are made at once, as we made them. */
export async function verifySetQueued(
  key: PublicKey,
  promise: EntryPromise,
  signature: Uint8Array,
  queue: CheckQueue
): Promise<void> {
  const data = encodeEntryPromise(promise)
  try {
    await queue.data({ key, hashName: 'sha256', data, signature })
  } catch (err) {
    if (!isLogError(err, 'verification_failed')) throw err
    throw invalidSet(err)
  }
}

/**
 * The same for many at once, by one key. DER as it stands, unlike verifyDigests, which takes more forms.
 *
 * @returns whether each is good, in order
 * @throws LogError `internal` when OpenSSL itself failed
 */
export function areSetsGood(
  native: NativeCrypto,
  key: NativeCheck['key'],
  sets: readonly { readonly promise: EntryPromise; readonly signature: Uint8Array }[]
): Promise<readonly boolean[]> {
  return native.areGood(
    sets.map(({ promise, signature }) => {
      return { key, hashName: 'sha256', digest: sha256(encodeEntryPromise(promise)), signature }
    })
  )
}

function invalidSet(cause?: unknown): LogError {
  return new LogError('verification_failed', 'signed entry timestamp is not valid', { cause })
}
