import { LogError } from '../errors.js'
import { nodeBuffer, plainBytes, type NodeBuffer } from './node-buffer.js'

// Where there is no Buffer: tables rather than atob and btoa, which want strings of one character per byte, and building such a
// string of a request of 32 MiB takes seconds.
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const DIGITS = new TextEncoder().encode(ALPHABET)
const NO_DIGIT = 0xff
const VALUES = new Uint8Array(128).fill(NO_DIGIT)
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value
const PADDING = 0x3d // '='
const ascii = new TextDecoder()

/** Standard base64 (RFC 4648 section 4) with padding. */
export const encodeBase64: (bytes: Uint8Array) => string = base64Encoder(nodeBuffer())

/** @param native does it where there is one */
export function base64Encoder(native: NodeBuffer | undefined): (bytes: Uint8Array) => string {
  if (native === undefined) return encodeByTable
  return ({ buffer, byteOffset, byteLength }) =>
    native.from(buffer, byteOffset, byteLength).toString('base64')
}

function encodeByTable(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PADDING)
  let at = 0
  for (let i = 0; i < bytes.length; i += 3) {
    const present = Math.min(3, bytes.length - i)
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text[at] = digit(group >>> 18)
    text[at + 1] = digit(group >>> 12)
    if (present > 1) text[at + 2] = digit(group >>> 6)
    if (present > 2) text[at + 3] = digit(group)
    at += 4
  }
  return ascii.decode(text)
}

function digit(sixBits: number): number {
  return DIGITS[sixBits & 63] as number // 64 digits
}

/**
 * Bytes of standard base64 with padding. Only one spelling of a value passes: no white space, no URL alphabet, no
 * missing padding, no stray bits in the last character.
 *
 * @param label what is being decoded, for the message
 * @throws LogError `invalid_request`
 */
export function decodeBase64(text: string, label = 'base64'): Uint8Array {
  const bytes = decodeBase64Loose(text, label)
  if (encodeBase64(bytes) !== text) {
    throw new LogError('invalid_request', `${label}: not canonical base64`)
  }
  return bytes
}

/**
 * Bytes of standard base64 as Go's `base64.StdEncoding` reads it, which is what Rekor's byte fields accept: padding
 * mandatory, CR and LF ignored, stray bits in the last character tolerated, nothing else (rekor-v1 §6.2).
 *
 * Few bytes may be part of a larger piece of memory, 8 KiB with others: copy what is kept for long.
 *
 * @throws LogError `invalid_request`: `<label>: illegal base64 data at input byte N`, with the N that Go gives
 */
export const decodeBase64Loose: (text: string, label?: string) => Uint8Array =
  base64Decoder(nodeBuffer())

/** @param native does it where there is one */
export function base64Decoder(
  native: NodeBuffer | undefined
): (text: string, label?: string) => Uint8Array {
  if (native === undefined) return decodeByTable
  return (text, label) => decodeNatively(text, native) ?? decodeByTable(text, label)
}

/** In characters, a multiple of four: what is held a second time while it is compared. */
const CHUNK = 65_536

/** Bytes of canonical base64, as nearly all is. Native decoders take much else, so what they read is written anew and compared. */
function decodeNatively(text: string, native: NodeBuffer): Uint8Array | undefined {
  if (text.length <= CHUNK) return decodeChunk(text, native)
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='))
  const bytes = new Uint8Array(Math.max(0, Math.floor(text.length / 4) * 3 - padding))
  for (let at = 0; at < text.length; at += CHUNK) {
    const chunk = decodeChunk(text.slice(at, at + CHUNK), native)
    const offset = (at / 4) * 3
    // Padding within the text: the chunk is too short, and all after it would be in the wrong place.
    if (chunk === undefined || chunk.length !== Math.min((CHUNK / 4) * 3, bytes.length - offset)) {
      return undefined
    }
    bytes.set(chunk, offset)
  }
  return bytes
}

function decodeChunk(text: string, native: NodeBuffer): Uint8Array | undefined {
  const bytes = plainBytes(native.from(text, 'base64'))
  const { buffer, byteOffset, byteLength } = bytes
  return native.from(buffer, byteOffset, byteLength).toString('base64') === text ? bytes : undefined
}

function decodeByTable(text: string, label = 'base64'): Uint8Array {
  const bytes = new Uint8Array(Math.floor(text.length / 4) * 3)
  let length = 0
  let group = 0
  let digits = 0
  let i = 0
  for (; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const value = VALUES[unit] ?? NO_DIGIT
    if (value === NO_DIGIT) {
      if (isLineBreak(unit)) continue
      break
    }
    group = (group << 6) | value
    digits++
    if (digits === 4) {
      bytes[length++] = group >>> 16
      bytes[length++] = group >>> 8
      bytes[length++] = group
      group = 0
      digits = 0
    }
  }
  const illegalAt = i < text.length ? endProblem(text, i, digits) : missingDigits(text, digits)
  if (illegalAt !== undefined) {
    throw new LogError(
      'invalid_request',
      `${label}: illegal base64 data at input byte ${illegalAt}`
    )
  }
  if (digits >= 2) bytes[length++] = group >>> (digits === 2 ? 4 : 10)
  if (digits === 3) bytes[length++] = group >>> 2
  return length === bytes.length ? bytes : bytes.slice(0, length)
}

// The two below know where Go's decoder says the mistake is. All text before that is ASCII, so that offsets count
// bytes as well as characters.

/** The text ended within a group: Go points back by as many characters as the group has digits. */
function missingDigits(text: string, digits: number): number | undefined {
  return digits === 0 ? undefined : text.length - digits
}

/** What is wrong with the rest of the text from `first` on, which must be the padding after `digits` digits. */
function endProblem(text: string, first: number, digits: number): number | undefined {
  if (text.charCodeAt(first) !== PADDING || digits < 2) return first
  let next = skipLineBreaks(text, first + 1)
  if (digits === 2) {
    if (next === text.length) return next
    if (text.charCodeAt(next) !== PADDING) return next - 1
    next = skipLineBreaks(text, next + 1)
  }
  return next === text.length ? undefined : next
}

function skipLineBreaks(text: string, from: number): number {
  let at = from
  while (at < text.length && isLineBreak(text.charCodeAt(at))) at++
  return at
}

function isLineBreak(unit: number): boolean {
  return unit === 0x0a || unit === 0x0d
}
