import { decodeBase64 } from '../../encoding/base64.js'
import { LogError } from '../../errors.js'

/**
 * Bytes of base64url without padding, as JOSE has it. One spelling of a value passes.
 *
 * @throws LogError `invalid_request`
 * @see RFC 7515 section 2
 */
export function decodeBase64Url(text: string, label: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) {
    throw new LogError('invalid_request', `${label}: not base64url without padding`)
  }
  const padding = '='.repeat((4 - (text.length % 4)) % 4)
  return decodeBase64(text.replaceAll('-', '+').replaceAll('_', '/') + padding, label)
}
