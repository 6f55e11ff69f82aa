import { createPublicKey, type KeyObject } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { equalBytes } from '../encoding/bytes.js'
import {
  DER_TAG,
  type DerElement,
  encodeBitString,
  encodeNull,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger,
  parseDer,
  readBitString,
  readConstructed,
  readInteger,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import { handleOf, type NativeAddon, nativeAddon } from './native-addon.js'

/**
 * A public key of a kind we verify with. `spki` is its one canonical form: DER of SubjectPublicKeyInfo as Go's
 * `x509.MarshalPKIXPublicKey` writes it. Plain data and a native handle: may be posted to a worker.
 */
export type PublicKey = RsaPublicKey | EcdsaPublicKey | Ed25519PublicKey

interface NativeKey {
  readonly spki: Uint8Array
  readonly keyObject: KeyObject
}

export interface RsaPublicKey extends NativeKey {
  readonly type: 'rsa'
  readonly modulus: bigint
  readonly exponent: bigint
  /** Bytes of the modulus, and so of every signature. */
  readonly modulusBytes: number
}

/** Its `keyObject` is made when it is first asked for. */
export interface EcdsaPublicKey extends NativeKey {
  readonly type: 'ecdsa'
  readonly curve: CurveName
  /** 04 || x || y. */
  readonly point: Uint8Array
}

export interface Ed25519PublicKey extends NativeKey {
  readonly type: 'ed25519'
  /** 32 bytes. */
  readonly raw: Uint8Array
}

export type CurveName = 'P-224' | 'P-256' | 'P-384' | 'P-521'

/** The curves Go's parser knows. Not secp256k1: a leaf no Rekor client can read back helps nobody. */
const CURVE_OIDS: Readonly<Record<CurveName, string>> = {
  'P-224': '1.3.132.0.33',
  'P-256': '1.2.840.10045.3.1.7',
  'P-384': '1.3.132.0.34',
  'P-521': '1.3.132.0.35'
}
const CURVE_NAMES = Object.keys(CURVE_OIDS) as readonly CurveName[] // its keys are these

const OID_RSA = '1.2.840.113549.1.1.1'
const OID_EC = '1.2.840.10045.2.1'
const OID_ED25519 = '1.3.101.112'

/** Longest modulus OpenSSL verifies with. */
const MAX_RSA_MODULUS_BYTES = 2048

/**
 * Reads a SubjectPublicKeyInfo in DER: RSA, ECDSA on P-224 to P-521 (uncompressed point), Ed25519. Refuses whatever
 * it would not write itself, and what Go refuses: other curves, points off the curve, wrong parameters.
 *
 *     SubjectPublicKeyInfo ::= SEQUENCE {
 *       algorithm         AlgorithmIdentifier,   -- SEQUENCE { OBJECT IDENTIFIER, parameters ANY OPTIONAL }
 *       subjectPublicKey  BIT STRING }
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` for another algorithm or curve
 * @see RFC 5280 section 4.1.2.7, RFC 3279, RFC 5480, RFC 8410
 */
export function parsePublicKey(spki: Uint8Array): PublicKey {
  return readPublicKey(parseDer(spki, 'x509: public key'))
}

/** Like parsePublicKey, for an element of a larger structure. */
export function readPublicKey(element: DerElement): PublicKey {
  const label = 'x509: public key'
  const [algorithm, subjectPublicKey, extra] = readConstructed(element, DER_TAG.sequence, label)
  const [oidElement, parameters] = readConstructed(algorithm, DER_TAG.sequence, label)
  const oid = readOid(oidElement, label)
  const bytes = readBitString(subjectPublicKey, label)
  if (extra !== undefined) throw invalid('trailing data after ASN.1 of public-key')
  const key = readKeyOfAlgorithm(oid, parameters, bytes)
  if (!equalBytes(key.spki, element.encoded)) throw invalid('public key not in canonical form')
  return key
}

function readKeyOfAlgorithm(
  oid: string,
  parameters: DerElement | undefined,
  bytes: Uint8Array
): PublicKey {
  if (oid === OID_RSA) {
    if (parameters?.tag !== DER_TAG.null) throw invalid('RSA key missing NULL parameters')
    const label = 'x509: invalid RSA public key'
    const [modulus, exponent] = readConstructed(parseDer(bytes, label), DER_TAG.sequence, label)
    return rsaPublicKey(
      readInteger(modulus, 'x509: invalid RSA modulus'),
      readInteger(exponent, 'x509: invalid RSA public exponent')
    )
  }
  if (oid === OID_EC) {
    const curveOid = readOid(parameters, 'x509: invalid ECDSA parameters')
    const curve = CURVE_NAMES.find((name) => CURVE_OIDS[name] === curveOid)
    if (curve === undefined) throw unsupported('unsupported elliptic curve')
    return ecdsaPublicKey(curve, bytes)
  }
  if (oid === OID_ED25519) {
    if (parameters !== undefined) throw invalid('Ed25519 key encoded with illegal parameters')
    return ed25519PublicKey(bytes)
  }
  throw unsupported('unknown public key algorithm')
}

/** @throws LogError `invalid_request` unless both numbers are positive and the modulus has at most 16,384 bits */
export function rsaPublicKey(modulus: bigint, exponent: bigint): RsaPublicKey {
  if (modulus <= 0n) throw invalid('RSA modulus is not a positive number')
  if (exponent <= 0n) throw invalid('RSA public exponent is not a positive number')
  if (exponent >= 1n << 63n) throw invalid('invalid RSA public exponent')
  const modulusBytes = Math.ceil(modulus.toString(16).length / 2)
  if (modulusBytes > MAX_RSA_MODULUS_BYTES) {
    throw invalid(`RSA modulus longer than ${MAX_RSA_MODULUS_BYTES * 8} bits`)
  }
  const spki = encodeSequence(
    encodeSequence(encodeOid(OID_RSA), encodeNull()),
    encodeBitString(encodeSequence(encodeUnsignedInteger(modulus), encodeUnsignedInteger(exponent)))
  )
  const keyObject = importSpki(spki, 'invalid RSA public key')
  return { type: 'rsa', spki, keyObject, modulus, exponent, modulusBytes }
}

/** @param point 04 || x || y @throws LogError `invalid_request` unless it is a point of the curve in that form */
export function ecdsaPublicKey(curve: CurveName, point: Uint8Array): EcdsaPublicKey {
  const problem = 'failed to unmarshal elliptic curve point'
  // OpenSSL would read compressed points as well; Go does not.
  if (point[0] !== 0x04) throw invalid(problem)
  const spki = encodeSequence(
    encodeSequence(encodeOid(OID_EC), encodeOid(CURVE_OIDS[curve])),
    encodeBitString(point)
  )
  const addon = nativeAddon()
  let keyObject = addon === undefined ? importSpki(spki, problem) : undefined
  const key: EcdsaPublicKey = {
    type: 'ecdsa',
    spki,
    curve,
    point,
    // 150 us for P-256, twice what a verification takes, and not needed for one over a digest.
    get keyObject() {
      keyObject ??= importSpki(spki, problem)
      return keyObject
    }
  }
  if (addon !== undefined) loadNative(addon, key, problem)
  return key
}

/** What importing the key would find out, in a twentieth of the time. */
function loadNative(addon: NativeAddon, key: EcdsaPublicKey, problem: string): void {
  try {
    handleOf(addon, key)
  } catch (err) {
    throw new LogError('invalid_request', `x509: ${problem}`, { cause: err })
  }
}

/**
 * @param raw 32 bytes
 * @throws LogError `invalid_request` unless it is a point, and not one of small order: with such a key anybody can make
 *   a signature over anything
 */
export function ed25519PublicKey(raw: Uint8Array): Ed25519PublicKey {
  if (raw.length !== 32) throw invalid('wrong Ed25519 public key size')
  if (isSmallOrderOrNoPoint(raw)) throw invalid('Ed25519 public key is not a point of large order')
  const spki = encodeSequence(encodeSequence(encodeOid(OID_ED25519)), encodeBitString(raw))
  const keyObject = importSpki(spki, 'invalid Ed25519 public key')
  return { type: 'ed25519', spki, keyObject, raw }
}

function isSmallOrderOrNoPoint(raw: Uint8Array): boolean {
  try {
    // `true`: ZIP 215 rules, which like Go take an encoding with y >= p.
    return ed25519.Point.fromBytes(raw, true).isSmallOrder()
  } catch {
    return true
  }
}

function importSpki(spki: Uint8Array, problem: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch (err) {
    throw new LogError('invalid_request', `x509: ${problem}`, { cause: err })
  }
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', `x509: ${problem}`)
}

function unsupported(problem: string): LogError {
  return new LogError('unsupported', `x509: ${problem}`)
}
