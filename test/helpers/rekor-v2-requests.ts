import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { encodeUtf8 } from '../../src/encoding/text.js'

/** Body of a request for a `hashedrekord`, whose parts a test may change. */
export interface HashedrekordBody {
  readonly digest?: unknown
  readonly signature?: {
    readonly content?: unknown
    readonly verifier?:
      | {
          readonly publicKey?: unknown
          readonly x509Certificate?: unknown
          readonly keyDetails?: unknown
        }
      | undefined
  }
}

const KEYS = {
  PKIX_ECDSA_P256_SHA_256: ['ec', { namedCurve: 'P-256' }, 'sha256'],
  PKIX_ECDSA_P384_SHA_384: ['ec', { namedCurve: 'P-384' }, 'sha384'],
  PKIX_ECDSA_P521_SHA_512: ['ec', { namedCurve: 'P-521' }, 'sha512'],
  PKIX_RSA_PKCS1V15_2048_SHA256: ['rsa', { modulusLength: 2048 }, 'sha256'],
  PKIX_RSA_PKCS1V15_3072_SHA256: ['rsa', { modulusLength: 3072 }, 'sha256'],
  PKIX_RSA_PKCS1V15_4096_SHA256: ['rsa', { modulusLength: 4096 }, 'sha256']
} as const

export type SignedWith = keyof typeof KEYS

export const SIGNED_WITH = Object.keys(KEYS) as readonly SignedWith[]

/** A new key signs `message`. RSA keys of 4096 bits take seconds. */
export function signedHashedrekord(
  keyDetails: SignedWith,
  message: Uint8Array = encodeUtf8('message')
): HashedrekordBody {
  const [type, options, hashName] = KEYS[keyDetails]
  // The overloads want to know which of them it is.
  const { publicKey, privateKey } = generateKeyPairSync(
    type as 'ec',
    options as { namedCurve: string }
  )
  return {
    digest: createHash(hashName).update(message).digest('base64'),
    signature: {
      content: sign(hashName, message, privateKey).toString('base64'),
      verifier: { publicKey: { rawBytes: spkiBase64(publicKey) }, keyDetails }
    }
  }
}

export function spkiBase64(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
}

/** Bytes of a request. */
export function requestBytes(request: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(request))
}
