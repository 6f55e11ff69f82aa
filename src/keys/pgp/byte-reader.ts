import { LogError } from '../../errors.js'

/** Reads big-endian fields one after the other. Every method refuses to go past the end. */
export interface ByteReader {
  /** @throws LogError `invalid_request` when fewer than `count` bytes are left */
  bytes(count: number): Uint8Array
  /** Unsigned integer of `size` bytes, at most 4. @throws LogError `invalid_request` */
  uint(size: 1 | 2 | 4): number
  /** Multiprecision integer, without its length. @throws LogError `invalid_request` */
  mpi(): Uint8Array
  /** Bytes read so far. */
  offset(): number
  /** Bytes not yet read. */
  left(): number
}

/** A reader over `data` that starts at its first byte. Values share memory with `data`. */
export function createByteReader(data: Uint8Array): ByteReader {
  let offset = 0

  function bytes(count: number): Uint8Array {
    if (count > data.length - offset) throw new LogError('invalid_request', 'unexpected EOF')
    offset += count
    return data.subarray(offset - count, offset)
  }

  function uint(size: 1 | 2 | 4): number {
    let value = 0
    for (const byte of bytes(size)) value = value * 256 + byte
    return value
  }

  return {
    bytes,
    uint,
    // RFC 9580 section 3.2: two octets with the length in bits, then that many bits, rounded up to whole octets.
    mpi: () => bytes(Math.ceil(uint(2) / 8)),
    offset: () => offset,
    left: () => data.length - offset
  }
}
