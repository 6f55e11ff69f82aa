import { isJsonObject } from '../encoding/json.js'
import type { ProposedEntry } from '../entries/entry-type.js'
import type { EntryVerifier } from './entry-verifier.js'

/** Larger requests are worth another thread, whatever is in them. */
const MAX_QUICK_BYTES = 16 * 1024

const BEGIN = '-----BEGIN '

/** Base64 of how a key begins, and a certificate, which takes 0.02 ms to read. As much as comes out even. */
const PUBLIC_KEY_PREFIX = Buffer.from(`${BEGIN}PUBLIC KEY`).toString('base64')
const CERTIFICATE_PREFIX = Buffer.from(`${BEGIN}CERTIFICAT`).toString('base64')

/**
 * Sends every entry where it is checked with the least work. Most are a hash, a signature and a key that was seen before, or a
 * certificate: handing one of these to another thread costs more than all of it but the signature, which `quick` checks
 * with others at once. In a chain there are more signatures, which are checked one by one. Every other kind goes to another thread
 * even when it is small: a few kilobytes may be packed megabytes, and cose and rfc3161, which are not, come too seldom to matter.
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
  if (typeof content !== 'string') return false
  return (
    content.startsWith(PUBLIC_KEY_PREFIX) ||
    (content.startsWith(CERTIFICATE_PREFIX) && !hasSecondBlock(content))
  )
}

/** Whether another block may begin in this base64 of PEM, malformed or not. */
function hasSecondBlock(content: string): boolean {
  return Buffer.from(content, 'base64').includes(BEGIN, BEGIN.length)
}
