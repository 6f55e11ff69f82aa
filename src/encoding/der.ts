import { LogError } from '../errors.js'
import { compareBytes } from './bytes.js'

/** Largest DER value we read. Certificates stay under 10 kB; one with thousands of names still fits. */
export const MAX_DER_BYTES = 1 << 20

/** Deepest nesting we read. X.509 and CMS stay under 15. Readers recurse once a level. */
export const MAX_DER_DEPTH = 32

/** Most elements we read in one value: each becomes an object some hundred times its two bytes. A certificate has 100. */
export const MAX_DER_ELEMENTS = 10_000

/** Longest OBJECT IDENTIFIER we read. Its arcs are big numbers built octet by octet; a UUID in one takes 19 octets. */
const MAX_OID_BYTES = 128

/** Identifier octets of the universal types in use. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31
} as const

const CONSTRUCTED = 0x20
const CLASS_MASK = 0xc0
const NUMBER_MASK = 0x1f

/** One element of a DER value, with everything inside it already read. */
export interface DerElement {
  /** Identifier octet: class, constructed bit and a tag number below 31. */
  readonly tag: number
  /** Tag, length and content, as they stand in the input. */
  readonly encoded: Uint8Array
  readonly content: Uint8Array
  /** Elements inside a constructed element; empty for a primitive one. */
  readonly children: readonly DerElement[]
}

/** Identifier octet of context-specific tag `number` (below 31). */
export function contextTag(number: number, form: 'primitive' | 'constructed'): number {
  return 0x80 | (form === 'constructed' ? CONSTRUCTED : 0) | number
}

/**
 * Reads exactly one DER element and all it contains: definite lengths in their shortest form, tag numbers below 31,
 * strings primitive, sequences and sets constructed, nothing left over. What passes has one spelling, up to the
 * content of primitive elements, which their readers below check.
 *
 * @param label what is being read, for the message
 * @throws LogError `invalid_request`
 * @see ITU-T X.690 sections 8 and 10
 */
export function parseDer(bytes: Uint8Array, label = 'DER'): DerElement {
  const { element, rest } = parseDerPrefix(bytes, label)
  if (rest.length > 0) throw malformed(label, 'trailing data')
  return element
}

/** Like parseDer, but leaves what follows the first element to the caller. @throws LogError `invalid_request` */
export function parseDerPrefix(
  bytes: Uint8Array,
  label = 'DER'
): { readonly element: DerElement; readonly rest: Uint8Array } {
  if (bytes.length > MAX_DER_BYTES) {
    throw malformed(label, `longer than ${MAX_DER_BYTES} bytes`)
  }
  const element = readElement(bytes, 0, { label, elementsLeft: MAX_DER_ELEMENTS })
  return { element, rest: bytes.subarray(element.encoded.length) }
}

interface Progress {
  readonly label: string
  elementsLeft: number
}

function readElement(bytes: Uint8Array, depth: number, progress: Progress): DerElement {
  const { label } = progress
  if (depth >= MAX_DER_DEPTH) throw malformed(label, `nested deeper than ${MAX_DER_DEPTH} levels`)
  if (progress.elementsLeft-- <= 0) {
    throw malformed(label, `more than ${MAX_DER_ELEMENTS} elements`)
  }
  const tag = bytes[0]
  if (tag === undefined) throw malformed(label, 'element missing')
  assertTag(tag, label)
  const { headerLength, contentLength } = readLength(bytes, label)
  const end = headerLength + contentLength
  if (end > bytes.length) throw malformed(label, 'length beyond the end')
  const content = bytes.subarray(headerLength, end)
  return {
    tag,
    encoded: bytes.subarray(0, end),
    content,
    children: (tag & CONSTRUCTED) === 0 ? [] : readChildren(content, depth + 1, progress)
  }
}

function readChildren(content: Uint8Array, depth: number, progress: Progress): DerElement[] {
  const children: DerElement[] = []
  for (let rest = content; rest.length > 0;) {
    const child = readElement(rest, depth, progress)
    children.push(child)
    rest = rest.subarray(child.encoded.length)
  }
  return children
}

function assertTag(tag: number, label: string): void {
  const number = tag & NUMBER_MASK
  if (number === NUMBER_MASK) throw malformed(label, 'tag number above 30')
  if ((tag & CLASS_MASK) !== 0) return
  const mustBeConstructed = number === 0x10 || number === 0x11
  if (number === 0 || ((tag & CONSTRUCTED) !== 0) !== mustBeConstructed) {
    throw malformed(label, `tag 0x${tag.toString(16).padStart(2, '0')} not allowed in DER`)
  }
}

function readLength(
  bytes: Uint8Array,
  label: string
): { readonly headerLength: number; readonly contentLength: number } {
  const first = bytes[1]
  if (first === undefined) throw malformed(label, 'length missing')
  if (first < 0x80) return { headerLength: 2, contentLength: first }
  const size = first & 0x7f
  // Three octets reach beyond MAX_DER_BYTES; zero octets would be the indefinite form of BER.
  if (size === 0 || size > 3) throw malformed(label, 'length not in DER form')
  let contentLength = 0
  for (let i = 0; i < size; i++) {
    const octet = bytes[2 + i]
    if (octet === undefined) throw malformed(label, 'length cut short')
    contentLength = contentLength * 256 + octet
  }
  if (contentLength < 0x80 || contentLength < 256 ** (size - 1)) {
    throw malformed(label, 'length not in its shortest form')
  }
  return { headerLength: 2 + size, contentLength }
}

/** Children of a constructed element with this tag. @throws LogError `invalid_request` on any other element */
export function readConstructed(
  element: DerElement | undefined,
  tag: number,
  label: string
): readonly DerElement[] {
  assertElement(element, tag, label)
  return element.children
}

/** Content of an element with this tag. @throws LogError `invalid_request` on any other element */
export function readContent(
  element: DerElement | undefined,
  tag: number,
  label: string
): Uint8Array {
  assertElement(element, tag, label)
  return element.content
}

/** Value of an INTEGER of any size and sign. @throws LogError `invalid_request` unless it is in its shortest form */
export function readInteger(element: DerElement | undefined, label: string): bigint {
  const content = readIntegerContent(element, label)
  return BigInt.asIntN(8 * content.length, bytesToBigInt(content))
}

/**
 * Content of an INTEGER of any size and sign, for one that is handed on and not counted with.
 * @throws LogError `invalid_request` unless it is in its shortest form
 */
export function readIntegerContent(element: DerElement | undefined, label: string): Uint8Array {
  const content = readContent(element, DER_TAG.integer, label)
  const [first, second] = content
  if (first === undefined) throw malformed(label, 'empty INTEGER')
  if (second !== undefined && (first === 0x00 || first === 0xff) && first >> 7 === second >> 7) {
    throw malformed(label, 'INTEGER not in its shortest form')
  }
  return content
}

/** Dotted text of an OBJECT IDENTIFIER. @throws LogError `invalid_request` */
export function readOid(element: DerElement | undefined, label: string): string {
  const content = readContent(element, DER_TAG.oid, label)
  if (content.length > MAX_OID_BYTES) {
    throw malformed(label, `OBJECT IDENTIFIER longer than ${MAX_OID_BYTES} bytes`)
  }
  const arcs: bigint[] = []
  let arc = 0n
  let fresh = true
  for (const octet of content) {
    if (fresh && octet === 0x80)
      throw malformed(label, 'OBJECT IDENTIFIER not in its shortest form')
    arc = (arc << 7n) | BigInt(octet & 0x7f)
    fresh = octet < 0x80
    if (fresh) {
      arcs.push(arc)
      arc = 0n
    }
  }
  const [first, ...others] = arcs
  if (first === undefined || !fresh) throw malformed(label, 'OBJECT IDENTIFIER cut short')
  const top = first < 80n ? first / 40n : 2n
  return [top, first - top * 40n, ...others].join('.')
}

/** Value of a BOOLEAN. @throws LogError `invalid_request` unless it is 00 or ff */
export function readBoolean(element: DerElement | undefined, label: string): boolean {
  const content = readContent(element, DER_TAG.boolean, label)
  if (content.length !== 1 || (content[0] !== 0x00 && content[0] !== 0xff)) {
    throw malformed(label, 'BOOLEAN neither 00 nor ff')
  }
  return content[0] === 0xff
}

/** Bytes of a BIT STRING that is a whole number of bytes. @throws LogError `invalid_request` */
export function readBitString(element: DerElement | undefined, label: string): Uint8Array {
  const { bytes, unusedBits } = readBits(element, label)
  if (unusedBits !== 0) throw malformed(label, 'BIT STRING not a whole number of bytes')
  return bytes
}

/** Bits of a BIT STRING, first bit of the first byte first. @throws LogError `invalid_request` unless unused bits are zero */
export function readBits(
  element: DerElement | undefined,
  label: string
): { readonly bytes: Uint8Array; readonly unusedBits: number } {
  const content = readContent(element, DER_TAG.bitString, label)
  const unusedBits = content[0]
  const last = content[content.length - 1] ?? 0
  if (
    unusedBits === undefined ||
    unusedBits > 7 ||
    (content.length === 1 && unusedBits > 0) ||
    (content.length > 1 && (last & ((1 << unusedBits) - 1)) !== 0)
  ) {
    throw malformed(label, 'BIT STRING with wrong unused bits')
  }
  return { bytes: content.subarray(1), unusedBits }
}

/**
 * Seconds since the epoch of a UTCTime or GeneralizedTime in the only forms RFC 5280 section 4.1.2.5 allows: with
 * seconds, in UTC, without fraction. @throws LogError `invalid_request`
 */
export function readTimeSeconds(element: DerElement | undefined, label: string): number {
  const isUtc = element?.tag === DER_TAG.utcTime
  const content = readContent(element, isUtc ? DER_TAG.utcTime : DER_TAG.generalizedTime, label)
  const text = String.fromCharCode(...content.subarray(0, 16))
  const match = /^(\d\d|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  const yearText = match?.[1] ?? ''
  if (match === null || yearText.length !== (isUtc ? 2 : 4))
    throw malformed(label, 'malformed time')
  const [month, day, hour, minute, second] = match.slice(2).map(Number) as [
    number,
    number,
    number,
    number,
    number
  ] // the expression has these five groups
  const year = isUtc ? Number(yearText) + (Number(yearText) < 50 ? 2000 : 1900) : Number(yearText)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const written = date.toISOString().replace(/\D/g, '').slice(0, 14)
  if (written !== `${String(year).padStart(4, '0')}${text.slice(yearText.length, -1)}`) {
    throw malformed(label, 'no such time')
  }
  return date.getTime() / 1000
}

/**
 * Element with identifier octet `tag` around the joined contents. Written in one piece: structures are built from the inside,
 * and what is copied twice at each level took most of the time of a timestamp.
 */
export function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const content of contents) length += content.length
  let lengthOctets = 0
  if (length >= 0x80)
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) lengthOctets++
  const encoded = new Uint8Array(2 + lengthOctets + length)
  encoded[0] = tag
  encoded[1] = lengthOctets === 0 ? length : 0x80 | lengthOctets
  let rest = length
  for (let i = 1 + lengthOctets; i > 1; i--) {
    encoded[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  let offset = 2 + lengthOctets
  for (const content of contents) {
    encoded.set(content, offset)
    offset += content.length
  }
  return encoded
}

/** SEQUENCE of already encoded elements. */
export function encodeSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return encodeDer(DER_TAG.sequence, ...elements)
}

/** INTEGER, not negative. */
export function encodeUnsignedInteger(value: bigint): Uint8Array {
  const hex = value.toString(16)
  const bytes = bigIntToBytes(value, Math.ceil(hex.length / 2))
  const isHigh = (bytes[0] as number) >= 0x80 // there is one byte at least
  const sign = new Uint8Array(isHigh ? 1 : 0)
  return encodeDer(DER_TAG.integer, sign, bytes)
}

/** INTEGER of any size and sign. */
export function encodeInteger(value: bigint): Uint8Array {
  // Two's complement: as many bits as the magnitude has, and one for the sign.
  const bits = 1 + (value < 0n ? ~value : value).toString(2).length
  const length = Math.ceil(bits / 8)
  return encodeDer(DER_TAG.integer, bigIntToBytes(BigInt.asUintN(8 * length, value), length))
}

/** INTEGER, not negative, of its big-endian bytes, however many of them are zero. */
export function encodeUnsignedBytes(bytes: Uint8Array): Uint8Array {
  const firstDigit = bytes.findIndex((byte) => byte !== 0)
  const digits = firstDigit < 0 ? Uint8Array.of(0) : bytes.subarray(firstDigit)
  const sign = new Uint8Array((digits[0] as number) >= 0x80 ? 1 : 0) // there is one byte at least
  return encodeDer(DER_TAG.integer, sign, digits)
}

/** OBJECT IDENTIFIER of dotted text, which the caller vouches for. */
export function encodeOid(dotted: string): Uint8Array {
  const [top = 0n, second = 0n, ...others] = dotted.split('.').map(BigInt)
  const content: number[] = []
  for (const arc of [top * 40n + second, ...others]) {
    const octets = [Number(arc & 0x7fn)]
    for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80)
    content.push(...octets)
  }
  return encodeDer(DER_TAG.oid, Uint8Array.from(content))
}

/**
 * UTCTime through 2049, GeneralizedTime from 2050, as RFC 5280 section 4.1.2.5 has it.
 *
 * @param seconds since the epoch, a whole number, from 1950 to 9999
 */
export function encodeTime(seconds: number): Uint8Array {
  const digits = new Date(seconds * 1000).toISOString().replace(/\D/g, '').slice(0, 14)
  const isShort = digits < '2050'
  const text = `${isShort ? digits.slice(2) : digits}Z`
  return encodeDer(isShort ? DER_TAG.utcTime : DER_TAG.generalizedTime, encodeAscii(text))
}

/** GeneralizedTime in UTC, without fraction. @param seconds since the epoch, a whole number, up to the year 9999 */
export function encodeGeneralizedTime(seconds: number): Uint8Array {
  const digits = new Date(seconds * 1000).toISOString().replace(/\D/g, '').slice(0, 14)
  return encodeDer(DER_TAG.generalizedTime, encodeAscii(`${digits}Z`))
}

/** SET OF already encoded elements, in the order DER wants them. */
export function encodeSetOf(...elements: readonly Uint8Array[]): Uint8Array {
  return encodeDer(DER_TAG.set, ...[...elements].sort(compareBytes))
}

export function encodeOctetString(bytes: Uint8Array): Uint8Array {
  return encodeDer(DER_TAG.octetString, bytes)
}

/** BIT STRING of whole bytes. */
export function encodeBitString(bytes: Uint8Array): Uint8Array {
  return encodeDer(DER_TAG.bitString, Uint8Array.of(0), bytes)
}

export function encodeNull(): Uint8Array {
  return encodeDer(DER_TAG.null)
}

/** Big-endian bytes as a number, not negative. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  let hex = '0x0'
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return BigInt(hex)
}

/** Big-endian bytes of a number, not negative, that fits `length` bytes. */
export function bigIntToBytes(value: bigint, length: number): Uint8Array {
  const hex = value.toString(16).padStart(2 * length, '0')
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

function encodeAscii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function assertElement(
  element: DerElement | undefined,
  tag: number,
  label: string
): asserts element is DerElement {
  if (element?.tag !== tag) {
    const found = element === undefined ? 'nothing' : `tag 0x${element.tag.toString(16)}`
    throw malformed(label, `expected tag 0x${tag.toString(16)}, found ${found}`)
  }
}

function malformed(label: string, problem: string): LogError {
  return new LogError('invalid_request', `${label}: ${problem}`)
}
