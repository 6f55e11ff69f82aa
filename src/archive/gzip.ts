import { crc32, inflateRawSync } from 'node:zlib'
import { LogError } from '../errors.js'

/** Content of one member up to which no ratio is asked for: it costs next to nothing. In bytes. */
export const RATIO_FREE_BYTES = 1 << 20

/** Content may be so many times as large as what is there to read. Text stays below 20, DEFLATE itself ends at 1032. */
export const MAX_GZIP_RATIO = 200

const FIXED_HEADER_BYTES = 10
const TRAILER_BYTES = 8

const FLAG = { headerCrc: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 } as const

/** Where a member ends, and what was in it. */
export interface GzipBody {
  readonly content: Uint8Array
  /** Offset of the first byte behind the trailer: the next member, if there is one. */
  readonly end: number
}

export interface GzipLimits {
  /** Largest content, at least 1. In bytes. */
  readonly maxBytes: number
  /** What is thrown when there is more of it. */
  readonly tooLarge: () => LogError
}

/**
 * Reads the header of the gzip member that starts at `start`.
 *
 *     1f 8b | 08 DEFLATE | flags | mtime 4 | xfl | os | [extra: length 2 LE, bytes] [name 00] [comment 00] [crc16]
 *
 * @param label put before the messages
 * @returns offset of the compressed data
 * @throws LogError `invalid_request`
 * @see RFC 1952 section 2.3
 */
export function readGzipHeader(bytes: Uint8Array, start: number, label: string): number {
  const flags = bytes[start + 3] ?? 0
  if (start + FIXED_HEADER_BYTES > bytes.length) throw invalid(label, 'unexpected EOF')
  if (
    bytes[start] !== 0x1f ||
    bytes[start + 1] !== 0x8b ||
    bytes[start + 2] !== 8 ||
    (flags & FLAG.reserved) !== 0
  ) {
    throw invalid(label, 'gzip: invalid header')
  }
  let at = start + FIXED_HEADER_BYTES
  if ((flags & FLAG.extra) !== 0) at += 2 + littleEndian(bytes, at, 2, label)
  if ((flags & FLAG.name) !== 0) at = afterZero(bytes, at, label)
  if ((flags & FLAG.comment) !== 0) at = afterZero(bytes, at, label)
  if ((flags & FLAG.headerCrc) !== 0) {
    const expected = littleEndian(bytes, at, 2, label)
    if ((crc32(bytes.subarray(start, at)) & 0xffff) !== expected) {
      throw invalid(label, 'gzip: invalid header')
    }
    at += 2
  }
  if (at > bytes.length) throw invalid(label, 'unexpected EOF')
  return at
}

/**
 * Decompresses the data at `start` and checks its trailer. No more is made than the limits allow; the size the trailer
 * states is compared afterwards.
 *
 * @param start as readGzipHeader gave it
 * @throws LogError `invalid_request`; `too_large` beyond the ratio; what `tooLarge` gives
 */
export function readGzipBody(
  bytes: Uint8Array,
  start: number,
  { maxBytes, tooLarge }: GzipLimits,
  label: string
): GzipBody {
  const available = bytes.subarray(start)
  const ratioBytes = Math.max(RATIO_FREE_BYTES, available.length * MAX_GZIP_RATIO)
  const { content, consumed } = inflate(available, Math.min(maxBytes, ratioBytes), (cause) => {
    if (!isCode(cause, 'ERR_BUFFER_TOO_LARGE')) {
      return invalid(
        label,
        isCode(cause, 'Z_BUF_ERROR') ? 'unexpected EOF' : 'flate: corrupt input',
        cause
      )
    }
    if (maxBytes <= ratioBytes) return tooLarge()
    return new LogError(
      'too_large',
      `${label}: gzip: content is over ${MAX_GZIP_RATIO} times as large as what it is made from`
    )
  })
  const trailer = start + consumed
  const checksum = littleEndian(bytes, trailer, 4, label)
  const size = littleEndian(bytes, trailer + 4, 4, label)
  if (checksum !== crc32(content) || size !== content.length % 2 ** 32) {
    throw invalid(label, 'gzip: invalid checksum')
  }
  return { content, end: trailer + TRAILER_BYTES }
}

interface Inflated {
  readonly content: Uint8Array
  readonly consumed: number
}

/** Raw DEFLATE: unlike Node's gunzip it stops where the data ends, and says where that was. */
function inflate(
  data: Uint8Array,
  maxOutputLength: number,
  refusal: (cause: unknown) => LogError
): Inflated {
  try {
    // What `info` gives; the types do not know it.
    const { buffer, engine } = inflateRawSync(data, {
      maxOutputLength,
      info: true
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
    const content = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
    return { content, consumed: engine.bytesWritten }
  } catch (err) {
    throw refusal(err)
  }
}

function isCode(cause: unknown, code: string): boolean {
  return (cause as NodeJS.ErrnoException).code === code
}

/** Unsigned number of `size` bytes, lowest first. */
function littleEndian(bytes: Uint8Array, at: number, size: number, label: string): number {
  if (at + size > bytes.length) throw invalid(label, 'unexpected EOF')
  let value = 0
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number) // within
  return value
}

function afterZero(bytes: Uint8Array, at: number, label: string): number {
  const zero = bytes.indexOf(0, at)
  if (zero < 0) throw invalid(label, 'unexpected EOF')
  return zero + 1
}

function invalid(label: string, problem: string, cause?: unknown): LogError {
  return new LogError('invalid_request', `${label}: ${problem}`, { cause })
}
