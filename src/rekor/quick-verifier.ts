import { isJsonObject } from '../encoding/json.js'
import type { ProposedEntry } from '../entries/entry-type.js'
import type { EntryVerifier } from './entry-verifier.js'

/** Larger requests are worth another thread, whatever is in them. */
const MAX_QUICK_BYTES = 16 * 1024

/** Base64 of `-----BEGIN PUBLIC KEY`: a certificate takes ten times as long to read. */
const PUBLIC_KEY_PREFIX = Buffer.from('-----BEGIN PUBLIC KEY').toString('base64')

/**
 * Sends every entry where it is checked with the least work. Most are a hash, a signature and a key that was seen before:
 * handing one of these to another thread costs more than all of it but the signature, which `quick` checks with others at
 * once.
 *
 * @param quick on this thread
 * @param thorough on others
 */
export function createQuickVerifier(quick: EntryVerifier, thorough: EntryVerifier): EntryVerifier {
  return {
    verifyEntry: (proposed, purpose, byteLength) =>
      (byteLength <= MAX_QUICK_BYTES && isQuick(proposed) ? quick : thorough).verifyEntry(
        proposed,
        purpose,
        byteLength
      ),
    keyHash: (format, content) => thorough.keyHash(format, content)
  }
}

function isQuick({ kind, spec }: ProposedEntry): boolean {
  if (kind !== 'hashedrekord' || !isJsonObject(spec)) return false
  const { signature } = spec
  if (!isJsonObject(signature)) return false
  const { publicKey } = signature
  if (!isJsonObject(publicKey)) return false
  const { content } = publicKey
  return typeof content === 'string' && content.startsWith(PUBLIC_KEY_PREFIX)
}
