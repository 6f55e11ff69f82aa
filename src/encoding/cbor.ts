import { SequenceEvents } from 'cbor2/decoder'
import { LogError } from '../errors.js'
import { concatBytes } from './bytes.js'
import { encodeHex } from './hex.js'
import { encodeUtf8, excerpt } from './text.js'

/** Deepest nesting of arrays, maps and tags: what COSE readers written in Go take. */
export const MAX_CBOR_DEPTH = 32

/** Most items in one piece, counting those inside others: headers have a few dozen. Bounds memory. */
export const MAX_CBOR_ITEMS = 10_000

/** One data item. Bytes are a view of the input. */
export type CborItem =
  | { readonly type: 'integer'; readonly value: bigint }
  | { readonly type: 'bytes'; readonly value: Uint8Array }
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'array'; readonly items: readonly CborItem[] }
  | { readonly type: 'map'; readonly entries: readonly CborEntry[] }
  | { readonly type: 'tag'; readonly content: CborItem }
  | { readonly type: 'null' }
  /** Numbers with a fraction part and all the other simple values, which nothing of ours looks at. */
  | { readonly type: 'other' }

export interface CborEntry {
  readonly key: CborItem
  readonly value: CborItem
}

/** What stands at one place: for arrays and maps how many items follow. */
interface Head {
  readonly major: number
  readonly value: unknown
}

interface Reader {
  /** Reads on. */
  next(): Head
  /** Counts items that are announced. */
  expect(count: number): void
  readonly tags: 'kept' | 'refused'
}

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 }
const NAMES = ['', '', 'byte string', 'UTF-8 text string', 'array', 'map']
const INDEFINITE = 31

/** Beyond this, and as far below zero, an integer does not fit 64 bits with a sign. */
const MAX_INTEGER = (1n << 63n) - 1n

/**
 * Reads one item of CBOR, which must be all of the input: definite lengths, text in UTF-8, integers of 64 bits with a sign,
 * keys that are integers, texts or bytes and differ. Lengths need not be in their shortest form. As the COSE reader of Rekor,
 * but for keys of other types and for the number of items, of which it takes more.
 *
 * @param options.tags whether tags are passed over or refused
 * @throws LogError `invalid_request`, with the words of that reader where it has some
 * @see RFC 8949
 */
export function parseCbor(
  bytes: Uint8Array,
  options: { readonly tags: 'kept' | 'refused' }
): CborItem {
  // The library has its own idea of depth: two for an array.
  const events = new SequenceEvents(bytes, { maxDepth: 3 * MAX_CBOR_DEPTH })
  let end = 0
  let expected = 1
  const item = readItem(
    {
      next() {
        const [major, info, value, offset, length] = readEvent(events)
        if (info === INDEFINITE) throw indefinite(major)
        const isString = major === MAJOR.bytes || major === MAJOR.text
        end = offset + headBytes(info) + (isString ? Number(length) : 0)
        return { major, value }
      },
      expect(count) {
        expected += count
        if (expected > MAX_CBOR_ITEMS) {
          throw malformed(`exceeded max number of elements ${MAX_CBOR_ITEMS}`)
        }
      },
      tags: options.tags
    },
    0
  )
  if (end !== bytes.length) {
    const extra = bytes.length - end
    throw malformed(`${extra} bytes of extraneous data starting at index ${end}`)
  }
  return item
}

/** CBOR of an array of texts and byte strings, lengths in their shortest form. At most 2^32 - 1 bytes each. */
export function encodeCborStrings(items: readonly (string | Uint8Array)[]): Uint8Array {
  // Not with the library, which writes a Buffer as what its toJSON gives.
  return concatBytes(
    encodeHead(MAJOR.array, items.length),
    ...items.flatMap((item) => {
      const bytes = typeof item === 'string' ? encodeUtf8(item) : item
      const major = typeof item === 'string' ? MAJOR.text : MAJOR.bytes
      return [encodeHead(major, bytes.length), bytes]
    })
  )
}

function encodeHead(major: number, argument: number): Uint8Array {
  const width = argument < 24 ? 0 : argument < 1 << 8 ? 1 : argument < 1 << 16 ? 2 : 4
  if (width === 0) return Uint8Array.of((major << 5) | argument)
  const head = new Uint8Array(1 + width)
  head[0] = (major << 5) | (24 + Math.log2(width))
  for (let i = width, rest = argument; i > 0; i--, rest = Math.floor(rest / 256))
    head[i] = rest % 256
  return head
}

function readItem(reader: Reader, depth: number): CborItem {
  const { major, value } = reader.next()
  switch (major) {
    case MAJOR.unsigned:
    case MAJOR.negative:
      return { type: 'integer', value: checkedInteger(BigInt(value as number | bigint)) }
    case MAJOR.bytes:
      return { type: 'bytes', value: value as Uint8Array }
    case MAJOR.text:
      return { type: 'text', value: value as string }
    case MAJOR.array:
      return { type: 'array', items: readItems(reader, value as number, nested(depth)) }
    case MAJOR.map:
      return { type: 'map', entries: readEntries(reader, value as number, nested(depth)) }
    case MAJOR.tag: {
      if (reader.tags === 'refused') throw malformed("CBOR tag isn't allowed")
      reader.expect(1)
      return { type: 'tag', content: readItem(reader, nested(depth)) }
    }
    default:
      return { type: value === null ? 'null' : 'other' }
  }
}

function readItems(reader: Reader, count: number, depth: number): readonly CborItem[] {
  reader.expect(count)
  const items: CborItem[] = []
  while (items.length < count) items.push(readItem(reader, depth))
  return items
}

function readEntries(reader: Reader, count: number, depth: number): readonly CborEntry[] {
  reader.expect(2 * count)
  const entries: CborEntry[] = []
  const seen = new Set<string>()
  while (entries.length < count) {
    const key = readItem(reader, depth)
    const identity = identityOf(key)
    if (seen.has(identity)) {
      throw malformed(
        `found duplicate map key ${excerpt(identity)} at map element index ${entries.length}`
      )
    }
    seen.add(identity)
    entries.push({ key, value: readItem(reader, depth) })
  }
  return entries
}

/** The same text for the same key, however it was written. */
function identityOf(key: CborItem): string {
  switch (key.type) {
    case 'integer':
      return String(key.value)
    case 'text':
      return `"${key.value}"` // not escaped: a long one would get six times as long
    case 'bytes':
      return `h'${encodeHex(key.value)}'`
    default:
      throw malformed('invalid map key type')
  }
}

function nested(depth: number): number {
  if (depth >= MAX_CBOR_DEPTH) throw malformed(`exceeded max nested level ${MAX_CBOR_DEPTH}`)
  return depth + 1
}

function checkedInteger(value: bigint): bigint {
  if (value > MAX_INTEGER || value < -MAX_INTEGER - 1n) {
    throw malformed('integer does not fit 64 bits with a sign')
  }
  return value
}

/** Bytes before what an item holds. */
function headBytes(info: number): number {
  return info < 24 ? 1 : 1 + 2 ** (info - 24)
}

type CborEvent = NonNullable<ReturnType<SequenceEvents['read']>>

function readEvent(events: SequenceEvents): CborEvent {
  let event: CborEvent | undefined
  try {
    event = events.read()
  } catch (err) {
    throw new LogError('invalid_request', problemOf(err as Error), { cause: err })
  }
  if (event === undefined) throw new LogError('invalid_request', END)
  return event
}

const END = 'unexpected EOF'

/** The library reads beyond the end to find it, and does not expect lengths of 2^53 and more. */
function problemOf(err: Error): string {
  if (err instanceof RangeError || /end of stream|BigInt/.test(err.message)) return END
  return `cbor: ${err instanceof TypeError ? 'invalid UTF-8 string' : err.message}`
}

function indefinite(major: number): LogError {
  const name = NAMES[major]
  return malformed(
    name === undefined ? 'unexpected "break" code' : `indefinite-length ${name} isn't allowed`
  )
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `cbor: ${problem}`)
}
