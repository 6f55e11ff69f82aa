import { LogError } from '../errors.js'

const HEX = /^(?:[0-9a-fA-F]{2})*$/
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hex, two digits a byte. */
export function encodeHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += DIGITS[byte]
  return text
}

/** Bytes of hex digits of either case. @throws LogError `invalid_request` on an odd length or any other character */
export function decodeHex(text: string): Uint8Array {
  if (!HEX.test(text)) throw new LogError('invalid_request', 'not valid hex')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  }
  return bytes
}
