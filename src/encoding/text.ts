import { LogError } from '../errors.js'
import { nodeBuffer, plainBytes, type NodeBuffer } from './node-buffer.js'

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * UTF-8 bytes of `text`; lone surrogates become U+FFFD, as everywhere on the web platform. Few bytes may be part of a larger
 * piece of memory, 8 KiB with others: copy what is kept for long.
 */
export const encodeUtf8: (text: string) => Uint8Array = utf8Encoder(nodeBuffer())

/** @param native does it where there is one */
export function utf8Encoder(native: NodeBuffer | undefined): (text: string) => Uint8Array {
  if (native === undefined) return (text) => encoder.encode(text)
  return (text) => plainBytes(native.from(text, 'utf8'))
}

/** Longest piece of what a client sent that a message repeats. Escaped for JSON it may become six times as long. */
const MAX_EXCERPT_LENGTH = 200

/** Text of anybody's as it stands in a message: its beginning, if it is long. */
export function excerpt(text: string): string {
  return text.length > MAX_EXCERPT_LENGTH ? `${text.slice(0, MAX_EXCERPT_LENGTH)}…` : text
}

/** Text of UTF-8 bytes; a byte order mark is kept. @throws LogError `invalid_request` on anything that is not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes)
  } catch (err) {
    throw new LogError('invalid_request', 'not valid UTF-8', { cause: err })
  }
}
