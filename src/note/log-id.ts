import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '../encoding/bytes.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { isKeyName } from './signed-note.js'

/** A key that signs notes. What src/keys reads of a public key has this shape. */
export type NoteKey =
  | { readonly type: 'ed25519'; /** 32 bytes. */ readonly raw: Uint8Array }
  | {
      readonly type: 'ecdsa' | 'rsa'
      /** SubjectPublicKeyInfo, DER. */
      readonly spki: Uint8Array
    }

const ED25519 = Uint8Array.of(0x01)
const RSA = concatBytes(Uint8Array.of(0xff), encodeUtf8('PKIX-RSA-PKCS#1v1.5'))

/**
 * Full hash of a log's key, 32 bytes: the log ID of a Rekor v2 log, of which the first four bytes are the key ID on its signature
 * lines. Ed25519 and RSA keys are hashed with their name, so the ID changes with the host; ECDSA keys are hashed alone, as by
 * Rekor v1 (keyIdOf), whose log ID this is not for the other two.
 *
 *     Ed25519: SHA-256(name || 0x0A || 0x01 || 32 bytes)
 *     ECDSA:   SHA-256(SubjectPublicKeyInfo)
 *     RSA:     SHA-256(name || 0x0A || 0xFF || "PKIX-RSA-PKCS#1v1.5" || SubjectPublicKeyInfo)
 *
 * @param name of the key, which is the origin of the log
 * @throws LogError `invalid_request` when it cannot be the name of a key
 * @see rekor-v2-and-tiles §1.16, C2SP signed-note
 */
export function logIdOfKey(name: string, key: NoteKey): Uint8Array {
  if (!isKeyName(name)) throw new LogError('invalid_request', 'signed note: bad key name')
  if (key.type === 'ecdsa') return sha256(key.spki)
  return key.type === 'ed25519' ? named(name, ED25519, key.raw) : named(name, RSA, key.spki)
}

function named(name: string, type: Uint8Array, key: Uint8Array): Uint8Array {
  return sha256(concatBytes(encodeUtf8(`${name}\n`), type, key))
}
