import { sha256 } from '@noble/hashes/sha2.js'

/** Bytes of the id that names a key in a signature line. */
export const KEY_ID_BYTES = 4

/**
 * Id of a Rekor log key in its checkpoints: the first four bytes of SHA-256 over the key. Rekor does so for every key
 * type and leaves the name out, unlike the Ed25519 rule of C2SP signed-note.
 *
 * @param publicKey SubjectPublicKeyInfo, DER
 */
export function keyIdOf(publicKey: Uint8Array): Uint8Array {
  return sha256(publicKey).slice(0, KEY_ID_BYTES)
}
