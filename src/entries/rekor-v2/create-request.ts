import { parseProtoJson } from '../../encoding/proto-json.js'
import { decodeUtf8 } from '../../encoding/text.js'
import { LogError } from '../../errors.js'
import { CREATE_ENTRY_REQUEST, type CreateEntryRequest } from './messages.js'

/** Largest body of a request, as in Rekor: an envelope of some 3 MB fits. In bytes. */
export const MAX_CREATE_REQUEST_BYTES = 4 * 1024 * 1024

/**
 * Reads the body of a request to log an entry; nothing about it is checked but its form. A body of nothing is a request for
 * nothing, as at Rekor's gateway.
 *
 * @throws LogError `too_large`; `invalid_request` with a text that begins with `proto: `, unless it is not UTF-8. Such texts are
 *   for the client
 * @see rekor-v2-and-tiles §1.2, §1.3
 */
export function parseCreateRequest(body: Uint8Array): CreateEntryRequest {
  if (body.length > MAX_CREATE_REQUEST_BYTES) {
    throw new LogError('too_large', `request body of more than ${MAX_CREATE_REQUEST_BYTES} bytes`)
  }
  const text = decodeUtf8(body)
  return /^[ \t\r\n]*$/.test(text) ? {} : parseProtoJson(text, CREATE_ENTRY_REQUEST)
}
