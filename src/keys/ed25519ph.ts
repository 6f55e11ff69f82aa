import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { concatBytes, equalBytes } from '../encoding/bytes.js'
import { bytesToBigInt } from '../encoding/der.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { Ed25519PublicKey } from './public-key.js'

// dom2(F = 1: prehash, C = empty context), RFC 8032 section 2.
const DOMAIN = concatBytes(encodeUtf8('SigEd25519 no Ed25519 collisions'), Uint8Array.of(1, 0))

/**
 * Checks an Ed25519ph signature over a SHA-512 digest, empty context. For Node with an OpenSSL before 3.4, which cannot; with
 * a later one `native/` does.
 *
 * The equation is Go's (and OpenSSL's for pure Ed25519): encode([s]B − [k]A) must be R byte for byte. noble's own
 * `verify` multiplies by the cofactor and so takes signatures that Rekor's clients refuse; hence only its points here.
 *
 * @param digest 64 bytes
 * @throws LogError `verification_failed`
 * @see RFC 8032 section 5.1.7
 */
export function verifyEd25519phDigest(
  key: Ed25519PublicKey,
  digest: Uint8Array,
  signature: Uint8Array
): void {
  if (signature.length !== 64 || !satisfiesEquation(key.raw, digest, signature)) {
    throw invalidEd25519phSignature()
  }
}

export function invalidEd25519phSignature(): LogError {
  return new LogError(
    'verification_failed',
    'failed to verify signature: ed25519: invalid signature'
  )
}

function satisfiesEquation(raw: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const { Point } = ed25519
  const order = Point.Fn.ORDER
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= order) return false
  const hash = createHash('sha512').update(DOMAIN).update(r).update(raw).update(digest).digest()
  const k = littleEndian(hash) % order
  const a = Point.fromBytes(raw, true)
  // Everything here is public, so the variable-time multiplication will do.
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k))
  return equalBytes(expected.toBytes(), r)
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytesToBigInt(Uint8Array.from(bytes).reverse())
}
