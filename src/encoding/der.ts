import { LogError } from '../errors.js'
import { compareBytes } from './bytes.js'
import { decodeHex, encodeHex } from './hex.js'
import { createRecent } from './recent.js'

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
  const progress = { bytes, label, elementsLeft: MAX_DER_ELEMENTS }
  const element = readElement(progress, 0, bytes.length, 0)
  return { element, rest: bytes.subarray(element.end) }
}

/** An element by its place in the input. A certificate has 100, of which 40 are looked into: those get views of their own. */
class PlacedElement implements DerElement {
  readonly tag: number
  readonly children: readonly DerElement[]
  readonly end: number
  private readonly bytes: Uint8Array
  private readonly start: number
  private readonly contentStart: number

  constructor(
    bytes: Uint8Array,
    place: { readonly start: number; readonly contentStart: number; readonly end: number },
    children: readonly DerElement[]
  ) {
    this.tag = bytes[place.start] as number // was just read
    this.children = children
    this.end = place.end
    this.bytes = bytes
    this.start = place.start
    this.contentStart = place.contentStart
  }

  get encoded(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }

  get content(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.end)
  }
}

interface Progress {
  readonly bytes: Uint8Array
  readonly label: string
  elementsLeft: number
}

const NO_CHILDREN: readonly DerElement[] = []

/** @param limit where what is around the element ends: nothing beyond it is looked at */
function readElement(
  progress: Progress,
  start: number,
  limit: number,
  depth: number
): PlacedElement {
  const { bytes, label } = progress
  if (depth >= MAX_DER_DEPTH) throw malformed(label, `nested deeper than ${MAX_DER_DEPTH} levels`)
  if (progress.elementsLeft-- <= 0) {
    throw malformed(label, `more than ${MAX_DER_ELEMENTS} elements`)
  }
  if (start >= limit) throw malformed(label, 'element missing')
  const tag = bytes[start] as number // within
  assertTag(tag, label)
  const contentStart = start + headerLength(progress, start, limit)
  const end = contentStart + contentLength(progress, start, contentStart)
  if (end > limit) throw malformed(label, 'length beyond the end')
  let children = NO_CHILDREN
  if ((tag & CONSTRUCTED) !== 0) {
    const found: PlacedElement[] = []
    for (let at = contentStart; at < end;) {
      const child = readElement(progress, at, end, depth + 1)
      found.push(child)
      at = child.end
    }
    children = found
  }
  return new PlacedElement(bytes, { start, contentStart, end }, children)
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

/** Octets of tag and length, all of which are there. */
function headerLength({ bytes, label }: Progress, start: number, limit: number): number {
  if (start + 1 >= limit) throw malformed(label, 'length missing')
  const first = bytes[start + 1] as number // within
  if (first < 0x80) return 2
  const size = first & 0x7f
  // Three octets reach beyond MAX_DER_BYTES; zero octets would be the indefinite form of BER.
  if (size === 0 || size > 3) throw malformed(label, 'length not in DER form')
  if (start + 2 + size > limit) throw malformed(label, 'length cut short')
  return 2 + size
}

/** Octets of content, which may be more than there are. */
function contentLength({ bytes, label }: Progress, start: number, contentStart: number): number {
  const size = contentStart - start - 2
  if (size === 0) return bytes[start + 1] as number // headerLength has looked at it
  let length = 0
  for (let at = start + 2; at < contentStart; at++) length = length * 256 + (bytes[at] as number)
  if (length < 0x80 || length < 256 ** (size - 1)) {
    throw malformed(label, 'length not in its shortest form')
  }
  return length
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
  let dotted = ''
  let arc = 0
  let fresh = true
  for (const octet of content) {
    if (fresh && octet === 0x80)
      throw malformed(label, 'OBJECT IDENTIFIER not in its shortest form')
    if (arc >= MAX_SMALL_ARC) return readLargeOid(content, label)
    arc = arc * 128 + (octet & 0x7f)
    fresh = octet < 0x80
    if (fresh) {
      dotted += dotted === '' ? firstArcs(arc) : `.${arc}`
      arc = 0
    }
  }
  if (dotted === '' || !fresh) throw malformed(label, 'OBJECT IDENTIFIER cut short')
  return dotted
}

/** What an arc may be, so that seven bits more are still exact. */
const MAX_SMALL_ARC = 2 ** 46

/** The first two arcs are written as one number. */
function firstArcs(joined: number): string {
  const top = joined < 80 ? Math.floor(joined / 40) : 2
  return `${top}.${joined - top * 40}`
}

/** Some are made of random numbers of 128 bits. */
function readLargeOid(content: Uint8Array, label: string): string {
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
  if (!fresh) throw malformed(label, 'OBJECT IDENTIFIER cut short')
  const [first = 0n, ...others] = arcs // readOid has seen an arc begin
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
  const yearDigits = isUtc ? 2 : 4
  const last = yearDigits + 10
  if (content.length !== last + 1 || content[last] !== LETTER_Z || !isDigits(content, last)) {
    throw malformed(label, 'malformed time')
  }
  const written = twoDigits(content, 0)
  const short = isUtc ? written + (written < 50 ? 2000 : 1900) : 0
  const year = isUtc ? short : written * 100 + twoDigits(content, 2)
  const month = twoDigits(content, yearDigits)
  const day = twoDigits(content, yearDigits + 2)
  const hour = twoDigits(content, yearDigits + 4)
  const minute = twoDigits(content, yearDigits + 6)
  const second = twoDigits(content, yearDigits + 8)
  if (
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysOfMonth(year, month) ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  ) {
    throw malformed(label, 'no such time')
  }
  return ((daysBefore(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second
}

const LETTER_Z = 0x5a
const DIGIT_ZERO = 0x30

function isDigits(content: Uint8Array, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const octet = content[i] as number // within
    if (octet < DIGIT_ZERO || octet > DIGIT_ZERO + 9) return false
  }
  return true
}

/** Both of them digits. */
function twoDigits(content: Uint8Array, at: number): number {
  return ((content[at] as number) - DIGIT_ZERO) * 10 + (content[at + 1] as number) - DIGIT_ZERO
}

const DAYS_OF_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function daysOfMonth(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeap ? 29 : (DAYS_OF_MONTHS[month - 1] as number) // 1 to 12
}

/** Days from the epoch to the first of a month. Years are counted from March, so that the leap day ends one. */
function daysBefore(year: number, month: number): number {
  const marchYear = month > 2 ? year : year - 1
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  const daysOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5)
  return 365 * marchYear + leapDays + daysOfYear - DAYS_FROM_YEAR_ZERO
}

/** Days from the first of March of the year 0 to the epoch. */
const DAYS_FROM_YEAR_ZERO = 719_468

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
  return encodeDer(
    DER_TAG.oid,
    RECENT_OIDS.get(dotted, () => oidContent(dotted))
  )
}

/** The same few are written again and again: an extension each. */
const RECENT_OIDS = createRecent<Uint8Array>(256)

function oidContent(dotted: string): Uint8Array {
  const [top = 0n, second = 0n, ...others] = dotted.split('.').map(BigInt)
  const content: number[] = []
  for (const arc of [top * 40n + second, ...others]) {
    const octets = [Number(arc & 0x7fn)]
    for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80)
    content.push(...octets)
  }
  return Uint8Array.from(content)
}

/**
 * UTCTime through 2049, GeneralizedTime from 2050, as RFC 5280 section 4.1.2.5 has it.
 *
 * @param seconds since the epoch, a whole number, from 1950 to 9999
 */
export function encodeTime(seconds: number): Uint8Array {
  const digits = timeDigits(seconds)
  const isShort = digits < '2050'
  const text = `${isShort ? digits.slice(2) : digits}Z`
  return encodeDer(isShort ? DER_TAG.utcTime : DER_TAG.generalizedTime, encodeAscii(text))
}

/** GeneralizedTime in UTC, without fraction. @param seconds since the epoch, a whole number, up to the year 9999 */
export function encodeGeneralizedTime(seconds: number): Uint8Array {
  const digits = timeDigits(seconds)
  return encodeDer(DER_TAG.generalizedTime, encodeAscii(`${digits}Z`))
}

/** Servers write the same few seconds again and again. */
const RECENT_TIMES = createRecent<string>(64)

/** Year, month, day, hour, minute and second: 14 digits. */
function timeDigits(seconds: number): string {
  return RECENT_TIMES.get(String(seconds), () =>
    new Date(seconds * 1000).toISOString().replace(/\D/g, '').slice(0, 14)
  )
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
  return BigInt(`0x0${encodeHex(bytes)}`)
}

/** Big-endian bytes of a number, not negative, that fits `length` bytes. */
export function bigIntToBytes(value: bigint, length: number): Uint8Array {
  return length === 0 ? new Uint8Array(0) : decodeHex(value.toString(16).padStart(2 * length, '0'))
}

function encodeAscii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
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
