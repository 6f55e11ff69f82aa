import { LogError } from '../errors.js'
import { nodeBuffer, type NodeBuffer } from './node-buffer.js'

// Whole requests of many megabytes pass through here, so table look-ups, and no string grown digit by digit.
const DIGITS = new TextEncoder().encode('0123456789abcdef')
const NO_DIGIT = 0xff
const VALUES = new Uint8Array(128).fill(NO_DIGIT)
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16)
  VALUES[digit.charCodeAt(0)] = value
  VALUES[digit.toUpperCase().charCodeAt(0)] = value
}
const ascii = new TextDecoder()

/** Lower-case hex, two digits a byte. */
export const encodeHex: (bytes: Uint8Array) => string = hexEncoder(nodeBuffer())

/** @param native does it where there is one */
export function hexEncoder(native: NodeBuffer | undefined): (bytes: Uint8Array) => string {
  if (native === undefined) return encodeByTable
  return ({ buffer, byteOffset, byteLength }) =>
    native.from(buffer, byteOffset, byteLength).toString('hex')
}

function encodeByTable(bytes: Uint8Array): string {
  const text = new Uint8Array(2 * bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number // i is within
    text[2 * i] = DIGITS[byte >>> 4] as number // 16 digits
    text[2 * i + 1] = DIGITS[byte & 15] as number // likewise
  }
  return ascii.decode(text)
}

/** More than a proof has in hashes. */
const gathered = new Uint8Array(4096)

/** Hex of each. One conversion for all of them takes a third of the time that one each would. */
export function encodeHexEach(list: readonly Uint8Array[]): readonly string[] {
  let length = 0
  for (const bytes of list) length += bytes.length
  if (length > gathered.length) return list.map(encodeHex)
  let at = 0
  for (const bytes of list) {
    gathered.set(bytes, at)
    at += bytes.length
  }
  const text = encodeHex(gathered.subarray(0, length))
  at = 0
  return list.map((bytes) => {
    const start = at
    at += 2 * bytes.length
    return text.slice(start, at)
  })
}

/** Bytes of hex digits of either case. @throws LogError `invalid_request` on an odd length or any other character */
export function decodeHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new LogError('invalid_request', 'not valid hex: odd length')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = VALUES[text.charCodeAt(2 * i)] ?? NO_DIGIT
    const low = VALUES[text.charCodeAt(2 * i + 1)] ?? NO_DIGIT
    if (high === NO_DIGIT || low === NO_DIGIT) {
      throw new LogError('invalid_request', 'not valid hex')
    }
    bytes[i] = high * 16 + low
  }
  return bytes
}
