import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { LogError } from '../errors.js'
import { HASH_BYTES } from '../merkle/hash.js'
import { isTreeSize } from '../merkle/tiles.js'

/** Most hashes that a proof may have, by the protocol of witnesses. Trees that we can count need 54. */
export const MAX_PROOF_HASHES = 63

/** A line for each hash. What is wrong with one, the reader finds: see parseProofLines. */
export function formatProofLines(hashes: readonly Uint8Array[]): string {
  return hashes.map((hash) => `${encodeBase64(hash)}\n`).join('')
}

/**
 * Hashes of 32 bytes from their lines.
 *
 * @param label what is being read, for the message
 * @throws LogError `invalid_request` when one is malformed or there are more than MAX_PROOF_HASHES
 */
export function parseProofLines(lines: readonly string[], label: string): readonly Uint8Array[] {
  if (lines.length > MAX_PROOF_HASHES) {
    throw new LogError('invalid_request', `${label}: proof of more than ${MAX_PROOF_HASHES} hashes`)
  }
  return lines.map((line) => {
    const hash = decodeBase64(line, `${label}: proof line`)
    if (hash.length !== HASH_BYTES) {
      throw new LogError('invalid_request', `${label}: proof line is not ${HASH_BYTES} bytes`)
    }
    return hash
  })
}

/**
 * A size or an index: decimal, without leading zeros, no larger than 2^53 − 1.
 *
 * @throws LogError `invalid_request`
 */
export function parseDecimal(text: string, label: string): number {
  const value = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN
  if (!isTreeSize(value)) {
    throw new LogError('invalid_request', `${label}: not a decimal number below 2^53`)
  }
  return value
}
