import { LogError } from '../errors.js'

// Runs unchanged in the browser, so atob and btoa rather than Buffer. Chunks keep String.fromCharCode from
// overflowing the argument stack.
const CHUNK = 8192

/** Standard base64 (RFC 4648 section 4) with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let i = 0; i < bytes.length; i += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK))
  }
  return btoa(binary)
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
 * @throws LogError `invalid_request`: `<label>: illegal base64 data at input byte N`
 */
export function decodeBase64Loose(text: string, label = 'base64'): Uint8Array {
  const compact = /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, '') : text
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) {
    throw new LogError(
      'invalid_request',
      `${label}: illegal base64 data at input byte ${firstBadByte(text)}`
    )
  }
  const binary = atob(compact)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/** Offset of the first character that cannot stand where it is; the length when the end comes too early. */
function firstBadByte(text: string): number {
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\r' || character === '\n') continue
    if (/[A-Za-z0-9+/]/.test(character)) {
      digits++
      continue
    }
    const rest = text.slice(i).replace(/[\r\n]+/g, '')
    const missing = (4 - (digits % 4)) % 4
    if (rest === '='.repeat(missing) && missing < 3) continue
    return i
  }
  return text.length
}
