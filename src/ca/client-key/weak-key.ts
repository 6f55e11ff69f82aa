import { LogError } from '../../errors.js'
import type { PublicKey } from '../../keys/public-key.js'
import { findWeakness } from '../../keys/weak-key.js'
import { CLIENT_MESSAGES } from '../client-messages.js'

/**
 * Refuses keys that are of another size or curve than is certified, or that somebody may have factored.
 *
 * @throws LogError `invalid_request` with the message clients know, and the reason in its details
 * @see fulcio §11.1
 */
export function assertStrongKey(key: PublicKey): void {
  const weakness = findWeakness(key)
  if (weakness !== undefined) throw insecureKey(weakness)
}

/** The refusal of a key that could be read. */
export function insecureKey(reason: string): LogError {
  return new LogError('invalid_request', CLIENT_MESSAGES.insecurePublicKey, { details: { reason } })
}
