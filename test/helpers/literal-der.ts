import {
  DER_TAG,
  type DerElement,
  MAX_DER_BYTES,
  MAX_DER_DEPTH,
  MAX_DER_ELEMENTS,
  readContent
} from '../../src/encoding/der.js'
import { LogError } from '../../src/errors.js'

// DER read word for word as X.690 has it, octet by octet, with a copy of the rest at each step and big numbers throughout: what
// src/encoding/der.ts is held against.

export interface LiteralElement {
  readonly tag: number
  readonly encoded: Uint8Array
  readonly content: Uint8Array
  readonly children: readonly LiteralElement[]
}

const MAX_OID_BYTES = 128
const CONSTRUCTED = 0x20
const CLASS_MASK = 0xc0
const NUMBER_MASK = 0x1f

/** See parseDerPrefix. */
export function literalDerPrefix(
  bytes: Uint8Array,
  label = 'DER'
): { readonly element: LiteralElement; readonly rest: Uint8Array } {
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

function readElement(bytes: Uint8Array, depth: number, progress: Progress): LiteralElement {
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

function readChildren(content: Uint8Array, depth: number, progress: Progress): LiteralElement[] {
  const children: LiteralElement[] = []
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

/** See readOid. */
export function literalOid(element: DerElement | undefined, label: string): string {
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

/** See readTimeSeconds. */
export function literalTimeSeconds(element: DerElement | undefined, label: string): number {
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

function malformed(label: string, problem: string): LogError {
  return new LogError('invalid_request', `${label}: ${problem}`)
}
