import { concatBytes } from '../../encoding/bytes.js'
import { LogError } from '../../errors.js'
import { structuralFailure } from './failure.js'

/** Packet types we have a use for (RFC 9580 section 5). */
export const PACKET_TAG = {
  signature: 2,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  marker: 10,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
  padding: 21
} as const

/** Types from here on may be passed over by who does not know them (RFC 9580 section 4.3). */
export const FIRST_NON_CRITICAL_TAG = 40

/**
 * Most packets read from one input. The fattest key in daily use (many user IDs, thousands of certifications) has fewer;
 * rings flooded with certifications have more and are what this is for.
 */
export const MAX_PACKETS = 20_000

export interface Packet {
  readonly tag: number
  readonly body: Uint8Array
}

/**
 * Cuts `bytes` into packets. Both header formats are read; bodies of unknown or partial length, which only message data
 * may have, are refused.
 *
 * @throws LogError `invalid_request`
 * @see RFC 9580 section 4.2
 */
export function splitPackets(bytes: Uint8Array): readonly Packet[] {
  const packets: Packet[] = []
  let offset = 0
  while (offset < bytes.length) {
    if (packets.length >= MAX_PACKETS) {
      throw new LogError('invalid_request', `openpgp: more than ${MAX_PACKETS} packets`)
    }
    const { packet, end } = readPacket(bytes, offset)
    packets.push(packet)
    offset = end
  }
  return packets
}

/**
 * The packet that begins at `offset`, and where it ends.
 * @throws LogError `invalid_request`
 */
export function readPacket(bytes: Uint8Array, offset: number): { packet: Packet; end: number } {
  const { tag, bodyOffset, length } = readHeader(bytes, offset)
  const end = bodyOffset + length
  if (end > bytes.length) throw endOfData()
  return { packet: { tag, body: bytes.subarray(bodyOffset, end) }, end }
}

interface Header {
  readonly tag: number
  readonly bodyOffset: number
  readonly length: number
}

function readHeader(bytes: Uint8Array, offset: number): Header {
  const first = byteAt(bytes, offset)
  if ((first & 0x80) === 0) throw structuralFailure('tag byte does not have MSB set')
  if ((first & 0x40) === 0) {
    const lengthType = first & 3
    if (lengthType === 3) throw structuralFailure('packet of indeterminate length')
    const size = 1 << lengthType
    return {
      tag: (first & 0x3f) >> 2,
      bodyOffset: offset + 1 + size,
      length: uintAt(bytes, offset + 1, size)
    }
  }
  const tag = first & 0x3f
  const second = byteAt(bytes, offset + 1)
  if (second < 192) return { tag, bodyOffset: offset + 2, length: second }
  if (second < 224) {
    const length = (second - 192) * 256 + byteAt(bytes, offset + 2) + 192
    return { tag, bodyOffset: offset + 3, length }
  }
  if (second < 255) throw structuralFailure('packet of partial length')
  return { tag, bodyOffset: offset + 6, length: uintAt(bytes, offset + 2, 4) }
}

/** One packet with a new-format header, its length in as few octets as it takes. */
export function encodePacket(tag: number, body: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0xc0 | tag), encodePacketLength(body.length), body)
}

function encodePacketLength(length: number): Uint8Array {
  if (length < 192) return Uint8Array.of(length)
  if (length < 8384) return Uint8Array.of(((length - 192) >> 8) + 192, (length - 192) & 0xff)
  return concatBytes(Uint8Array.of(255), encodeUint32(length))
}

/** Four octets, big-endian. */
export function encodeUint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff)
}

function uintAt(bytes: Uint8Array, offset: number, size: number): number {
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + byteAt(bytes, offset + i)
  return value
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset]
  if (byte === undefined) throw endOfData()
  return byte
}

function endOfData(): LogError {
  return new LogError('invalid_request', 'unexpected EOF')
}
