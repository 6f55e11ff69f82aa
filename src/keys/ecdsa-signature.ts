import {
  DER_TAG,
  encodeSequence,
  encodeUnsignedBytes,
  encodeUnsignedInteger,
  parseDerPrefix,
  readIntegerContent
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
  if (isExactSignature(bytes)) return { encoding: 'ASN.1', der: bytes }
  if (isAsn1(bytes)) {
    const { element, rest } = parseDerPrefix(bytes)
    if (rest.length > 0 || element.children.length !== 2) throw invalidEcdsaSignature('ASN.1')
    return { encoding: 'ASN.1', der: bytes }
  }
  if (bytes.length === 0 || bytes.length > MAX_P1363_BYTES || bytes.length % 2 !== 0) {
    throw new LogError('verification_failed', 'ecdsa: Invalid IEEE_P1363 encoded bytes')
  }
  const half = bytes.length / 2
  const r = encodeUnsignedBytes(bytes.subarray(0, half))
  const s = encodeUnsignedBytes(bytes.subarray(half))
  return { encoding: 'IEEE_P1363', der: encodeSequence(r, s) }
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

/**
 * Whether this is DER of two INTEGERs and nothing else, as nearly every signature is: what reading it would find out, without
 * an object for each part. Longer ones than ECDSA has are left to the reader.
 */
function isExactSignature(bytes: Uint8Array): boolean {
  const header = bytes[1] === 0x81 ? 3 : 2
  const length = bytes[header - 1] as number // undefined is no length either
  if (bytes[0] !== DER_TAG.sequence || length !== bytes.length - header) return false
  if (header === 3 ? length < 0x80 : length >= 0x80) return false
  const second = endOfInteger(bytes, header)
  return second > 0 && endOfInteger(bytes, second) === bytes.length
}

/** Where the INTEGER at this place ends; 0 unless there is one of 1 to 127 bytes in its shortest form. */
function endOfInteger(bytes: Uint8Array, start: number): number {
  const length = bytes[start + 1]
  const first = bytes[start + 2]
  const second = bytes[start + 3]
  if (bytes[start] !== DER_TAG.integer || length === undefined || first === undefined) return 0
  const end = start + 2 + length
  if (length === 0 || length >= 0x80 || end > bytes.length) return 0
  // Of two bytes or more, the first tells something that the second does not.
  const isLong = length > 1 && second !== undefined
  if (isLong && (first === 0x00 || first === 0xff) && first >> 7 === second >> 7) return 0
  return end
}

function isAsn1(bytes: Uint8Array): boolean {
  try {
    const { element } = parseDerPrefix(bytes)
    readIntegerContent(element.children[0], 'r')
    readIntegerContent(element.children[1], 's')
    return element.tag === DER_TAG.sequence
  } catch {
    return false
  }
}
