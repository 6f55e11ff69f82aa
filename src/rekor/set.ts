import { verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { LogError } from '../errors.js'
import { encodeEntryPromise, type EntryPromise } from '../note/signed-entry-timestamp.js'

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
    throw new LogError('verification_failed', 'signed entry timestamp is not valid')
  }
}
