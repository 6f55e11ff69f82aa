import { LogError } from '../errors.js'

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of `text`; lone surrogates become U+FFFD, as everywhere on the web platform. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Text of UTF-8 bytes; a byte order mark is kept. @throws LogError `invalid_request` on anything that is not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes)
  } catch (err) {
    throw new LogError('invalid_request', 'not valid UTF-8', { cause: err })
  }
}
