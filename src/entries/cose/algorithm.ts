import { encodeSequence, encodeUnsignedBytes } from '../../encoding/der.js'
import { excerpt } from '../../encoding/text.js'
import { isLogError, LogError } from '../../errors.js'
import type { PublicKey } from '../../keys/public-key.js'
import { isGoodPs256 } from '../../keys/rsa-pss.js'
import { verifyData } from '../../keys/verify.js'
import { algorithmOf, type CoseHeader } from './headers.js'

/** How a key signs COSE messages: each kind of key has one way. */
export interface CoseVerifier {
  readonly name: 'ES256' | 'PS256'
  /** Checks a signature over the data. @throws LogError `verification_failed` */
  verify(data: Uint8Array, signature: Uint8Array): Promise<void>
}

/** Names of the COSE registry, for messages. */
const NAMES: ReadonlyMap<bigint, string> = new Map([
  [-7n, 'ES256'],
  [-35n, 'ES384'],
  [-36n, 'ES512'],
  [-8n, 'EdDSA'],
  [-37n, 'PS256'],
  [-38n, 'PS384'],
  [-39n, 'PS512'],
  [-257n, 'RS256'],
  [-258n, 'RS384'],
  [-259n, 'RS512'],
  [0n, 'Reserved']
])

/** RFC 8230 section 6.1. In bits. */
const MIN_RSA_BITS = 2048

/** r and s of P-256, 32 bytes each. */
const ES256_SIGNATURE_BYTES = 64

/**
 * ES256 for keys on P-256, PS256 for RSA of 2048 bits or more.
 *
 * @throws LogError `unsupported` for any other key
 * @see rekor-v1 §8.12
 */
export function coseVerifier(key: PublicKey): CoseVerifier {
  switch (key.type) {
    case 'ed25519':
      throw unsupported('unsupported algorithm type ed25519.PublicKey')
    case 'ecdsa':
      if (key.curve !== 'P-256') throw unsupported(`unsupported elliptic curve ${key.curve}`)
      return {
        name: 'ES256',
        async verify(data, signature) {
          if (signature.length !== ES256_SIGNATURE_BYTES) throw verificationFailed()
          const half = ES256_SIGNATURE_BYTES / 2
          const der = encodeSequence(
            encodeUnsignedBytes(signature.subarray(0, half)),
            encodeUnsignedBytes(signature.subarray(half))
          )
          try {
            await verifyData(key, 'sha256', data, der)
          } catch (err) {
            throw isLogError(err, 'verification_failed') ? verificationFailed(err) : err
          }
        }
      }
    case 'rsa':
      if (key.modulus >> BigInt(MIN_RSA_BITS - 1) === 0n) {
        throw unsupported(`RSA key must be at least ${MIN_RSA_BITS} bits long`)
      }
      return {
        name: 'PS256',
        async verify(data, signature) {
          if (!isGoodPs256(key, data, signature)) throw verificationFailed()
        }
      }
  }
}

/**
 * Refuses a message that names another algorithm than the one of the key, or none. It need not name one when there is AAD.
 *
 * @throws LogError `verification_failed`
 * @see RFC 9052 section 4.4
 */
export function assertAlgorithm(
  protectedHeader: CoseHeader,
  { name }: CoseVerifier,
  aad: Uint8Array
): void {
  const algorithm = algorithmOf(protectedHeader)
  if (algorithm === undefined) {
    if (aad.length > 0) return
    throw new LogError('verification_failed', 'algorithm not found')
  }
  if (typeof algorithm === 'string') {
    throw new LogError('verification_failed', `Algorithm(${JSON.stringify(excerpt(algorithm))})`)
  }
  const named = NAMES.get(algorithm) ?? `Algorithm(${algorithm})`
  if (named !== name) {
    throw new LogError(
      'verification_failed',
      `algorithm mismatch: verifier ${name}: header ${named}`
    )
  }
}

function verificationFailed(cause?: unknown): LogError {
  return new LogError('verification_failed', 'verification error', { cause })
}

function unsupported(message: string): LogError {
  return new LogError('unsupported', message)
}
