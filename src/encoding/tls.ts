import { LogError } from '../errors.js'
import { concatBytes } from './bytes.js'

/** Longest content of a vector with a length of two bytes. */
const MAX_OPAQUE16_BYTES = 2 ** 16 - 1

/** Longest content of a vector with a length of three bytes. */
const MAX_OPAQUE24_BYTES = 2 ** 24 - 1

/**
 * Reads the types of the TLS presentation language one after the other. What it gives are views of the input.
 *
 * @see RFC 5246 section 4
 */
export interface TlsReader {
  /** Bytes not read yet. */
  readonly remaining: number
  uint8(): number
  uint16(): number
  /** A safe integer: RFC 6962 has times and sizes in it, which are never beyond. */
  uint64(): number
  /** Exactly `length` bytes. */
  bytes(length: number): Uint8Array
  /** `opaque<0..2^16-1>`: uint16 length and that many bytes. */
  opaque16(): Uint8Array
  /** `opaque<0..2^24-1>`: uint24 length and that many bytes. */
  opaque24(): Uint8Array
  /** @throws LogError `invalid_request` unless everything was read */
  end(): void
}

/**
 * Every function of the reader throws LogError `invalid_request` when the input ends early.
 *
 * @param label what is being read, for the message
 */
export function createTlsReader(input: Uint8Array, label: string): TlsReader {
  let offset = 0

  function bytes(length: number): Uint8Array {
    if (length > input.length - offset) throw malformed(label, 'cut short')
    offset += length
    return input.subarray(offset - length, offset)
  }

  function uint(size: number): number {
    let value = 0
    for (const byte of bytes(size)) value = value * 256 + byte
    // Rounding cannot bring a larger number back into the safe range.
    if (!Number.isSafeInteger(value)) throw malformed(label, 'number above 2^53-1')
    return value
  }

  return {
    get remaining() {
      return input.length - offset
    },
    uint8: () => uint(1),
    uint16: () => uint(2),
    uint64: () => uint(8),
    bytes,
    opaque16: () => bytes(uint(2)),
    opaque24: () => bytes(uint(3)),
    end() {
      if (offset < input.length) throw malformed(label, 'trailing data')
    }
  }
}

/** @throws LogError `invalid_request` unless it is an integer from 0 to 2^8-1 */
export function encodeTlsUint8(value: number, label: string): Uint8Array {
  return encodeUint(value, 1, label)
}

/** @throws LogError `invalid_request` unless it is an integer from 0 to 2^16-1 */
export function encodeTlsUint16(value: number, label: string): Uint8Array {
  return encodeUint(value, 2, label)
}

/** @throws LogError `invalid_request` unless it is an integer from 0 to 2^53-1 */
export function encodeTlsUint64(value: number, label: string): Uint8Array {
  return encodeUint(value, 8, label)
}

/** Bytes of a field that always has `length` of them. @throws LogError `invalid_request` on any other number */
export function encodeTlsBytes(value: Uint8Array, length: number, label: string): Uint8Array {
  if (value.length !== length) throw malformed(label, `${value.length} bytes, not ${length}`)
  return value
}

/** `opaque<0..2^16-1>` of the joined contents. @throws LogError `invalid_request` when they are longer */
export function encodeTlsOpaque16(
  contents: readonly Uint8Array[] | Uint8Array,
  label: string
): Uint8Array {
  return encodeOpaque(contents, { sizeBytes: 2, maxBytes: MAX_OPAQUE16_BYTES, label })
}

/** `opaque<0..2^24-1>` of the joined contents. @throws LogError `invalid_request` when they are longer */
export function encodeTlsOpaque24(
  contents: readonly Uint8Array[] | Uint8Array,
  label: string
): Uint8Array {
  return encodeOpaque(contents, { sizeBytes: 3, maxBytes: MAX_OPAQUE24_BYTES, label })
}

function encodeOpaque(
  contents: readonly Uint8Array[] | Uint8Array,
  vector: { readonly sizeBytes: number; readonly maxBytes: number; readonly label: string }
): Uint8Array {
  const parts = contents instanceof Uint8Array ? [contents] : contents
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  if (length > vector.maxBytes) {
    throw malformed(vector.label, `longer than ${vector.maxBytes} bytes`)
  }
  return concatBytes(encodeUint(length, vector.sizeBytes, vector.label), ...parts)
}

function encodeUint(value: number, size: number, label: string): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 256 ** size) {
    throw malformed(label, `${value} is not an unsigned integer of ${size * 8} bits below 2^53`)
  }
  const encoded = new Uint8Array(size)
  for (let i = size - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
    encoded[i] = rest % 256
  }
  return encoded
}

function malformed(label: string, problem: string): LogError {
  return new LogError('invalid_request', `${label}: ${problem}`)
}
