import { concatBytes } from '../../encoding/bytes.js'
import { structuralFailure } from './failure.js'
import { encodeUint32 } from './packets.js'

/** Signature subpacket types we act upon (RFC 9580 section 5.2.3.7). */
export const SUBPACKET = {
  creationTime: 2,
  expirationTime: 3,
  exportable: 4,
  trust: 5,
  regularExpression: 6,
  keyExpirationTime: 9,
  preferredCiphers: 11,
  issuer: 16,
  notation: 20,
  preferredHashes: 21,
  preferredCompression: 22,
  keyServerPreferences: 23,
  preferredKeyServer: 24,
  primaryUserId: 25,
  policyUri: 26,
  keyFlags: 27,
  signerUserId: 28,
  revocationReason: 29,
  features: 30,
  embeddedSignature: 32,
  issuerFingerprint: 33,
  intendedRecipient: 35,
  preferredCipherSuites: 39
} as const

export interface Subpacket {
  readonly type: number
  readonly critical: boolean
  readonly contents: Uint8Array
}

/** The area of a v4 signature has no room for more; that of v6 may be as long as a packet, and then each takes 100 bytes of memory. */
export const MAX_SUBPACKETS = 32_768

/**
 * Cuts a subpacket area into subpackets.
 * @throws LogError `invalid_request`
 */
export function parseSubpackets(area: Uint8Array): readonly Subpacket[] {
  const subpackets: Subpacket[] = []
  let offset = 0
  while (offset < area.length) {
    if (subpackets.length === MAX_SUBPACKETS) {
      throw structuralFailure(`more than ${MAX_SUBPACKETS} signature subpackets`)
    }
    const { size, length } = readLength(area, offset)
    const start = offset + size
    if (length > area.length - start) throw structuralFailure('signature subpacket truncated')
    const type = area[start]
    if (length === 0 || type === undefined) {
      throw structuralFailure('zero length signature subpacket')
    }
    offset = start + length
    subpackets.push({
      type: type & 0x7f,
      critical: type >= 0x80,
      contents: area.subarray(start + 1, offset)
    })
  }
  return subpackets
}

function readLength(area: Uint8Array, offset: number): { size: number; length: number } {
  const [first, second, third, fourth, fifth] = area.subarray(offset, offset + 5)
  if (first !== undefined && first < 192) return { size: 1, length: first }
  if (first !== undefined && first < 255 && second !== undefined) {
    return { size: 2, length: (first - 192) * 256 + second + 192 }
  }
  if (second === undefined || third === undefined || fourth === undefined || fifth === undefined) {
    throw structuralFailure('signature subpacket truncated')
  }
  return { size: 5, length: ((second * 256 + third) * 256 + fourth) * 256 + fifth }
}

/** The area again, every length in as few octets as it takes. */
export function encodeSubpackets(subpackets: readonly Subpacket[]): Uint8Array {
  return concatBytes(
    ...subpackets.map(({ type, critical, contents }) =>
      concatBytes(
        encodeLength(contents.length + 1),
        Uint8Array.of(critical ? type | 0x80 : type),
        contents
      )
    )
  )
}

function encodeLength(length: number): Uint8Array {
  if (length < 192) return Uint8Array.of(length)
  if (length < 16320) return Uint8Array.of(((length - 192) >> 8) + 192, (length - 192) & 0xff)
  return concatBytes(Uint8Array.of(255), encodeUint32(length))
}
