import { LogError } from '../errors.js'
import { isClientAlgorithmAllowed } from '../keys/algorithms.js'
import { sha256 } from '../keys/sha256.js'
import { hashLeaf } from '../merkle/hash.js'
import type { ProposedEntry, VerifiedEntry, VerifyOptions } from './entry-type.js'
import { findEntryType } from './registry.js'

/**
 * Longest canonical entry. The longest real ones are PGP key rings of a few hundred kB; members that enter the leaf as sent
 * (key ids, unnormalised PEM) would otherwise let anybody fill the log with what he likes. In bytes.
 */
export const MAX_LEAF_BYTES = 1 << 20

export interface ProcessOptions extends VerifyOptions {
  /**
   * `submit`: the entry shall enter the log. `lookup`: only its leaf hash is wanted; committed bodies are welcome and
   * neither kinds nor algorithms are restricted (rekor-v1 §2.5).
   */
  readonly purpose: 'submit' | 'lookup'
  /** Looked at for what is submitted, and for nothing else. */
  readonly nowMs: () => number
  /** Kinds that may be submitted. */
  readonly enabledKinds: readonly string[]
  /** Allow list of client algorithms; names were checked at start. */
  readonly clientAlgorithms: readonly string[]
}

export interface ProcessedEntry extends VerifiedEntry {
  /** SHA-256(0x00 || leafValue). */
  readonly leafHash: Uint8Array
}

/**
 * Everything between a proposed entry and its leaf, in Rekor's order of checks (rekor-v1 §2.2), except that a kind that is
 * switched off is refused before its signatures cost anything.
 *
 * @throws LogError `invalid_request`, `unsupported`, `verification_failed`, `too_large`; its message lacks the
 *   `error processing entry: ` that the API puts before it
 */
export async function verifyProposedEntry(
  proposed: ProposedEntry,
  options: ProcessOptions
): Promise<ProcessedEntry> {
  const entryType = findEntryType(proposed.kind, proposed.apiVersion)
  const parsed = entryType.parse(proposed.spec)
  if (options.purpose === 'submit') {
    if (!options.enabledKinds.includes(proposed.kind)) {
      throw new LogError(
        'unsupported',
        `entry kind '${proposed.kind}' is not enabled for submission on this server`
      )
    }
    entryType.assertInsertable(parsed)
  }
  const verified = await entryType.verify(
    parsed,
    options.purpose === 'submit' ? options : { ...options, nowMs: undefined }
  )
  if (options.purpose === 'submit') assertAlgorithmAllowed(verified, options.clientAlgorithms)
  if (verified.leafValue.length > MAX_LEAF_BYTES) {
    throw new LogError(
      'too_large',
      `canonical entry of ${verified.leafValue.length} bytes is larger than ${MAX_LEAF_BYTES}`
    )
  }
  // With memory of its own: it may be sent to another thread.
  return { ...verified, leafHash: hashLeaf(verified.leafValue, sha256).slice() }
}

function assertAlgorithmAllowed(
  { clientAlgorithm }: VerifiedEntry,
  allowed: readonly string[]
): void {
  if (clientAlgorithm === undefined || isClientAlgorithmAllowed(clientAlgorithm, allowed)) return
  throw new LogError('unsupported', 'entry algorithms are not allowed', {
    details: { algorithm: clientAlgorithm }
  })
}
