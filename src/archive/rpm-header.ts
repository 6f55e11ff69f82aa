import { decodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'

/** The value of one tag, as it lies in the header. */
export interface RpmEntry {
  /** See `RPM_TYPE`. */
  readonly type: number
  /** Number of items, at least 1. */
  readonly count: number
  /** All items, text with the zero byte after each. */
  readonly data: Uint8Array
}

/** One header structure: values by tag. */
export interface RpmHeader {
  /** The whole of it, from its magic to the end of its data. */
  readonly bytes: Uint8Array
  /** Where a tag comes twice, the later value, as for Rekor. */
  readonly entries: ReadonlyMap<number, RpmEntry>
}

/** What a header may declare. The limits of rpm itself: beyond them no package can be installed. */
export interface RpmHeaderLimits {
  readonly entries: number
  readonly dataBytes: number
}

export const SIGNATURE_HEADER_LIMITS: RpmHeaderLimits = { entries: 32, dataBytes: 64 * 1024 * 1024 }
export const GENERAL_HEADER_LIMITS: RpmHeaderLimits = { entries: 0xffff, dataBytes: 0x0fffffff }

/** Types of values. */
export const RPM_TYPE = {
  char: 1,
  int8: 2,
  int16: 3,
  int32: 4,
  int64: 5,
  text: 6,
  bytes: 7,
  texts: 8,
  translatedTexts: 9
} as const

const TEXT_TYPES: readonly number[] = [RPM_TYPE.text, RPM_TYPE.texts, RPM_TYPE.translatedTexts]

/** Bytes of one integer. */
const INTEGER_BYTES: ReadonlyMap<number, number> = new Map([
  [RPM_TYPE.char, 1],
  [RPM_TYPE.int8, 1],
  [RPM_TYPE.int16, 2],
  [RPM_TYPE.int32, 4],
  [RPM_TYPE.int64, 8]
])

const MAGIC = 0x8eade801
const INTRO_BYTES = 16
const INDEX_ENTRY_BYTES = 16

/**
 * Reads the header structure that begins at `offset`.
 *
 * ```
 * magic(4) reserved(4) entries(4) data bytes(4)
 * entries × { tag(4) type(4) offset(4) count(4) }
 * data
 * ```
 *
 * All numbers are big-endian and signed. Every value must lie within the data and none may share a byte with another, which
 * rpm demands too and Rekor does not. What rpm also demands, and is not looked at: alignment, and the order of the values.
 *
 * @throws LogError `invalid_request`, with Rekor's text where it has one
 */
export function parseRpmHeader(
  bytes: Uint8Array,
  offset: number,
  limits: RpmHeaderLimits
): RpmHeader {
  const intro = viewOf(take(bytes, offset, INTRO_BYTES, 'header'))
  if (intro.getUint32(0) !== MAGIC) throw malformed('bad magic for header')
  const entryCount = declared(intro.getInt32(8), limits.entries, 'index entries')
  const dataLength = declared(intro.getInt32(12), limits.dataBytes, 'bytes of data')
  const tableOffset = offset + INTRO_BYTES
  const tableLength = entryCount * INDEX_ENTRY_BYTES
  const table = viewOf(take(bytes, tableOffset, tableLength, 'header table'))
  const dataOffset = tableOffset + tableLength
  const data = take(bytes, dataOffset, dataLength, 'header data')
  const index = readIndex(table, entryCount)
  return {
    bytes: bytes.subarray(offset, dataOffset + dataLength),
    entries: cutData(index, data)
  }
}

/** `length` bytes from `offset` on, which is no further than the end. */
export function take(bytes: Uint8Array, offset: number, length: number, what: string): Uint8Array {
  const left = bytes.length - offset
  if (length > left) {
    throw malformed(`error reading RPM ${what}: ${left === 0 ? 'EOF' : 'unexpected EOF'}`)
  }
  return bytes.subarray(offset, offset + length)
}

/** A size that was declared, before anything is done with it. */
function declared(size: number, limit: number, what: string): number {
  if (size < 0) throw malformed(`RPM header with ${size} ${what}`)
  if (size > limit) throw malformed(`RPM header with ${size} ${what}, more than ${limit}`)
  return size
}

interface IndexEntry {
  readonly tag: number
  readonly type: number
  readonly offset: number
  readonly count: number
}

function readIndex(table: DataView, entryCount: number): readonly IndexEntry[] {
  // As long as the table that was read, not as was declared.
  return Array.from({ length: entryCount }, (_, i) => ({
    tag: table.getInt32(i * INDEX_ENTRY_BYTES),
    type: table.getInt32(i * INDEX_ENTRY_BYTES + 4),
    offset: table.getInt32(i * INDEX_ENTRY_BYTES + 8),
    count: table.getInt32(i * INDEX_ENTRY_BYTES + 12)
  }))
}

/**
 * Finds the values. From the first byte of the data to the last: since they may not overlap, looking for the ends of texts
 * reads no byte twice, however many entries there are.
 */
function cutData(index: readonly IndexEntry[], data: Uint8Array): ReadonlyMap<number, RpmEntry> {
  const ends = new Map<IndexEntry, number>()
  let previousEnd = 0
  for (const entry of [...index].sort((a, b) => a.offset - b.offset)) {
    const { tag, offset, count } = entry
    if (offset < 0) throw malformed(`tag ${tag} has a negative offset`)
    if (count < 1) throw malformed(`tag ${tag} has ${count} values`)
    if (offset < previousEnd) throw malformed(`tag ${tag} overlaps another`)
    previousEnd = endOf(entry, data)
    ends.set(entry, previousEnd)
  }
  return new Map(
    index.map((entry) => {
      const { tag, type, count, offset } = entry
      return [tag, { type, count, data: data.subarray(offset, ends.get(entry)) }]
    })
  )
}

function endOf({ tag, type, offset, count }: IndexEntry, data: Uint8Array): number {
  if (TEXT_TYPES.includes(type)) return endOfTexts(tag, offset, count, data)
  const size = type === RPM_TYPE.bytes ? 1 : INTEGER_BYTES.get(type)
  if (size === undefined) throw malformed(`tag ${tag} has unknown type ${type}`)
  // Both factors are below 2^31 and 2^4: exact.
  const end = offset + count * size
  if (end > data.length) throw malformed(`tag ${tag} is truncated`)
  return end
}

function endOfTexts(tag: number, offset: number, count: number, data: Uint8Array): number {
  let left = count
  let at = offset
  for (; left > 0 && at < data.length; at++) if (data[at] === 0) left--
  if (left > 0) throw malformed(`tag ${tag} is truncated`)
  return at
}

/**
 * The first text of a tag; undefined without the tag.
 * @throws LogError `invalid_request` when it holds something else, or is not UTF-8
 */
export function firstText({ entries }: RpmHeader, tag: number): string | undefined {
  const entry = entries.get(tag)
  if (entry === undefined) return undefined
  if (!TEXT_TYPES.includes(entry.type)) {
    throw malformed(`unsupported datatype for string: ${entry.type}, tag: ${tag}`)
  }
  return decodeUtf8(entry.data.subarray(0, entry.data.indexOf(0)))
}

/**
 * The bytes of a tag; undefined without the tag.
 * @throws LogError `invalid_request` when it holds something else
 */
export function bytesOf({ entries }: RpmHeader, tag: number): Uint8Array | undefined {
  const entry = entries.get(tag)
  if (entry === undefined) return undefined
  if (entry.type !== RPM_TYPE.bytes) {
    throw malformed(`unsupported datatype for bytes: ${entry.type}, tag: ${tag}`)
  }
  return entry.data
}

/**
 * The first integer of a tag, unsigned; undefined without the tag.
 * @throws LogError `invalid_request` when it holds something else
 */
export function firstInteger({ entries }: RpmHeader, tag: number): bigint | undefined {
  const entry = entries.get(tag)
  if (entry === undefined) return undefined
  const size = INTEGER_BYTES.get(entry.type)
  if (size === undefined) throw malformed(`tag ${tag} isn't an int type`)
  return entry.data.subarray(0, size).reduce((value, byte) => value * 256n + BigInt(byte), 0n)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
