import { LogError } from '../errors.js'
import { ed25519PublicKey, parsePublicKey, type PublicKey } from '../keys/public-key.js'
import { verifyData } from '../keys/verify.js'
import type { VerifySignature } from '../note/checkpoint.js'
import type { Cosigner } from '../note/cosignature.js'
import type { VerifierKey } from '../note/verifier-key.js'

/**
 * Checks signatures with a key of a log or a witness: Ed25519 over the message, ECDSA over its SHA-256.
 *
 * @throws LogError `invalid_request` when its bytes are no key, `unsupported` for ML-DSA and for anything but ECDSA under that name
 */
export function verifyWithKey({ name, type, publicKey }: VerifierKey): VerifySignature {
  if (type === 'ml-dsa-44-cosignature') {
    throw new LogError('unsupported', `key of "${name}": ML-DSA is not verified here`)
  }
  const key = type === 'ecdsa' ? ecdsaKey(name, publicKey) : ed25519PublicKey(publicKey)
  return (message, signature) => verifyData(key, 'sha256', message, signature)
}

function ecdsaKey(name: string, spki: Uint8Array): PublicKey {
  const key = parsePublicKey(spki)
  if (key.type !== 'ecdsa') throw new LogError('unsupported', `key of "${name}" is not ECDSA`)
  return key
}

/** A witness whose cosignatures can be verified; undefined for one whose kind of key nothing here verifies. */
export function cosignerOf(key: VerifierKey): Cosigner | undefined {
  return key.type === 'ml-dsa-44-cosignature' ? undefined : { key, verify: verifyWithKey(key) }
}
