import {
  bytesToBigInt,
  DER_TAG,
  encodeSequence,
  encodeUnsignedInteger,
  parseDerPrefix,
  readInteger
} from '../encoding/der.js'
import { LogError } from '../errors.js'

/** How the two numbers of an ECDSA signature were written. The names stand in error messages. */
export type EcdsaEncoding = 'ASN.1' | 'IEEE_P1363'

/** r || s of P-521, the longest curve. */
const MAX_P1363_BYTES = 132

export interface EcdsaSignature {
  readonly encoding: EcdsaEncoding
  /** `SEQUENCE { r INTEGER, s INTEGER }` in DER. */
  readonly der: Uint8Array
}

/**
 * Reads an ECDSA signature the way sigstore's verifier does (rekor-v1 §7.1): what begins as a SEQUENCE of two INTEGERs is
 * ASN.1 and must then be exact DER; anything else is IEEE P1363 when its length is even and at most 132, whatever the curve.
 *
 * @throws LogError `verification_failed`
 */
export function readEcdsaSignature(bytes: Uint8Array): EcdsaSignature {
  if (isAsn1(bytes)) {
    const { element, rest } = parseDerPrefix(bytes)
    if (rest.length > 0 || element.children.length !== 2) throw invalidEcdsaSignature('ASN.1')
    return { encoding: 'ASN.1', der: bytes }
  }
  if (bytes.length === 0 || bytes.length > MAX_P1363_BYTES || bytes.length % 2 !== 0) {
    throw new LogError('verification_failed', 'ecdsa: Invalid IEEE_P1363 encoded bytes')
  }
  const half = bytes.length / 2
  const r = bytesToBigInt(bytes.subarray(0, half))
  const s = bytesToBigInt(bytes.subarray(half))
  return { encoding: 'IEEE_P1363', der: encodeEcdsaSignature(r, s) }
}

/** DER of an ECDSA signature. @param r not negative @param s not negative */
export function encodeEcdsaSignature(r: bigint, s: bigint): Uint8Array {
  return encodeSequence(encodeUnsignedInteger(r), encodeUnsignedInteger(s))
}

export function invalidEcdsaSignature(encoding: EcdsaEncoding): LogError {
  return new LogError(
    'verification_failed',
    `invalid signature when validating ${encoding} encoded signature`
  )
}

function isAsn1(bytes: Uint8Array): boolean {
  try {
    const { element } = parseDerPrefix(bytes)
    readInteger(element.children[0], 'r')
    readInteger(element.children[1], 's')
    return element.tag === DER_TAG.sequence
  } catch {
    return false
  }
}
