import type { ProposedEntry } from '../entries/entry-type.js'
import { LogError, isLogError } from '../errors.js'
import type { EntryVerifier, VerifiedLeaf } from './entry-verifier.js'

/**
 * Verifies what shall enter the log, and says what is wrong with it as Rekor does.
 *
 * @param byteLength of the request it came in
 * @throws LogError what the entry kind says; `overloaded`, `too_large` or `internal` from a pool
 */
export async function verifyForSubmit(
  verifier: Pick<EntryVerifier, 'verifyEntry'>,
  proposed: ProposedEntry,
  byteLength: number
): Promise<VerifiedLeaf> {
  try {
    return await verifier.verifyEntry(proposed, 'submit', byteLength)
  } catch (err) {
    if (!isLogError(err, 'invalid_request', 'unsupported', 'verification_failed', 'too_large')) {
      throw err
    }
    const { code, details } = err
    throw new LogError(code, `error processing entry: ${err.message}`, { cause: err, details })
  }
}
