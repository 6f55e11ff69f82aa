import { bytesToBigInt } from '../../../encoding/der.js'
import { concatBytes } from '../../../encoding/bytes.js'
import { isJsonObject, parseJson } from '../../../encoding/json.js'
import { isLogError, LogError } from '../../../errors.js'
import {
  type CurveName,
  ecdsaPublicKey,
  ed25519PublicKey,
  type PublicKey,
  rsaPublicKey
} from '../../../keys/public-key.js'
import { decodeBase64Url } from '../base64url.js'
import type { Claims } from '../claims.js'

/** Most bytes of a JWK Set that are read. One RSA key has 500; the sets of the large providers stay under 20 kB. */
export const MAX_JWKS_BYTES = 512 * 1024

/** Most keys in a JWK Set. Each may have to be tried on a token without `kid`; those of the large providers have ten. */
export const MAX_JWKS_KEYS = 100

/** Sizes of RSA keys, in bits: the least that RFC 7518 section 3.3 allows, and what takes half a millisecond to verify with. */
const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 8192

/** A key of an issuer. */
export interface IssuerKey {
  readonly keyId: string | undefined
  /** The only algorithm it is for, if it says so. */
  readonly algorithm: string | undefined
  readonly publicKey: PublicKey
}

export interface KeySet {
  readonly keys: readonly IssuerKey[]
  /** Why keys of the set cannot be used, one text for each. */
  readonly unusable: readonly string[]
}

const CURVES: ReadonlyMap<unknown, { readonly curve: CurveName; readonly bytes: number }> = new Map(
  [
    ['P-256', { curve: 'P-256', bytes: 32 }],
    ['P-384', { curve: 'P-384', bytes: 48 }],
    ['P-521', { curve: 'P-521', bytes: 66 }]
  ]
)

/**
 * Reads a JWK Set. Keys that we cannot verify with, or that are not for that, are left out and told about: one new kind of
 * key must not make an issuer useless.
 *
 * @throws LogError `invalid_request` when it is none, `too_large` when it has more keys than we look at
 * @see RFC 7517 section 5
 */
export function parseKeySet(bytes: Uint8Array): KeySet {
  if (bytes.length > MAX_JWKS_BYTES) {
    throw new LogError('too_large', `JWK Set longer than ${MAX_JWKS_BYTES} bytes`)
  }
  const set = parseJson(bytes)
  const list: unknown = isJsonObject(set) ? set['keys'] : undefined
  if (!Array.isArray(list)) throw invalid('JWK Set without a list of keys')
  if (list.length > MAX_JWKS_KEYS) {
    throw new LogError('too_large', `JWK Set of ${list.length} keys, more than ${MAX_JWKS_KEYS}`)
  }
  const keys: IssuerKey[] = []
  const unusable: string[] = []
  for (const [position, jwk] of (list as readonly unknown[]).entries()) {
    try {
      keys.push(readKey(jwk))
    } catch (err) {
      if (!isLogError(err)) throw err
      unusable.push(`key ${position + 1}: ${err.message}`)
    }
  }
  return { keys, unusable }
}

function readKey(jwk: unknown): IssuerKey {
  if (!isJsonObject(jwk)) throw invalid('not an object')
  const use = readText(jwk, 'use')
  if (use !== undefined && use !== 'sig') throw invalid(`for use ${JSON.stringify(use)}`)
  const operations: unknown = jwk['key_ops']
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw invalid('not for verifying')
  }
  return {
    keyId: readText(jwk, 'kid'),
    algorithm: readText(jwk, 'alg'),
    publicKey: readPublicKey(jwk)
  }
}

function readPublicKey(jwk: Claims): PublicKey {
  const type = readText(jwk, 'kty')
  if (type === 'RSA') return readRsaKey(jwk)
  if (type === 'EC') {
    const name = readText(jwk, 'crv')
    const known = CURVES.get(name)
    if (known === undefined) throw invalid(`unknown curve ${JSON.stringify(name)}`)
    const x = readBytes(jwk, 'x')
    const y = readBytes(jwk, 'y')
    if (x.length !== known.bytes || y.length !== known.bytes) {
      throw invalid(`coordinates not of ${known.bytes} bytes`)
    }
    return ecdsaPublicKey(known.curve, concatBytes(Uint8Array.of(0x04), x, y))
  }
  if (type === 'OKP' && readText(jwk, 'crv') === 'Ed25519') {
    return ed25519PublicKey(readBytes(jwk, 'x'))
  }
  throw invalid(`unknown kind of key ${JSON.stringify(type)}`)
}

function readRsaKey(jwk: Claims): PublicKey {
  const modulus = bytesToBigInt(readBytes(jwk, 'n'))
  const exponent = bytesToBigInt(readBytes(jwk, 'e'))
  const bits = modulus.toString(2).length
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) throw invalid(`RSA key of ${bits} bits`)
  // As Go; an even exponent is none, and a large one would cost us time for nothing.
  if (exponent < 3n || exponent % 2n === 0n || exponent >= 1n << 31n) {
    throw invalid(`RSA exponent ${exponent}`)
  }
  return rsaPublicKey(modulus, exponent)
}

function readBytes(jwk: Claims, name: string): Uint8Array {
  return decodeBase64Url(readText(jwk, name) ?? '', name)
}

function readText(jwk: Claims, name: string): string | undefined {
  const value = Object.hasOwn(jwk, name) ? jwk[name] : undefined
  if (value !== undefined && typeof value !== 'string') throw invalid(`${name} is not a text`)
  return value
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
