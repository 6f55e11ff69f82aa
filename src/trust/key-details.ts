import { LogError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'

const ECDSA_DETAILS: Readonly<Record<string, string>> = {
  'P-256': 'PKIX_ECDSA_P256_SHA_256',
  'P-384': 'PKIX_ECDSA_P384_SHA_384',
  'P-521': 'PKIX_ECDSA_P521_SHA_512'
}

const RSA_DETAILS: Readonly<Record<number, string>> = {
  2048: 'PKIX_RSA_PKCS1V15_2048_SHA256',
  3072: 'PKIX_RSA_PKCS1V15_3072_SHA256',
  4096: 'PKIX_RSA_PKCS1V15_4096_SHA256'
}

/**
 * Name of a log's key in a trusted root. A pure Ed25519 key is PKIX_ED25519 there, whatever entries call theirs.
 *
 * sigstore-js 4 reads a key under one of the RSA names as PKCS#1, all others as SubjectPublicKeyInfo; with an RSA log key
 * it cannot use the trusted root, whichever form is written. Go and Python read SubjectPublicKeyInfo, which is what we write.
 *
 * @throws LogError `unsupported` for a key that has no name there: P-224, RSA of other sizes
 * @see rekor-v2-and-tiles §4.1
 */
export function keyDetailsOf(key: PublicKey): string {
  const details = detailsOf(key)
  if (details === undefined) {
    const what = key.type === 'rsa' ? `an RSA key of ${bitsOf(key.modulus)} bits` : 'a P-224 key'
    throw new LogError('unsupported', `${what} cannot stand in a trusted root`)
  }
  return details
}

function detailsOf(key: PublicKey): string | undefined {
  if (key.type === 'ed25519') return 'PKIX_ED25519'
  return key.type === 'rsa' ? RSA_DETAILS[bitsOf(key.modulus)] : ECDSA_DETAILS[key.curve]
}

function bitsOf(modulus: bigint): number {
  return modulus.toString(2).length
}
