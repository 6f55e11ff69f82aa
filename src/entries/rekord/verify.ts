import { LogError } from '../../errors.js'
import type { VerifiedEntry } from '../entry-type.js'
import { sha256Value } from '../leaf.js'
import { signatureFormat } from '../signature-formats.js'
import { rekordLeafValue, rekordSearchKeys } from './canonical.js'
import type { Rekord } from './parse.js'

/**
 * Checks hash and signature of the artifact.
 *
 * A committed form has no artifact. Looked up, it is taken for one over nothing, and its hash does not match: as in Rekor.
 */
export async function verifyRekord(entry: Rekord): Promise<VerifiedEntry> {
  const data = entry.data ?? new Uint8Array(0)
  const hash = sha256Value(data)
  if (entry.hash !== undefined && entry.hash.value !== hash.value) {
    throw new LogError('verification_failed', `SHA mismatch: ${hash.value} != ${entry.hash.value}`)
  }
  const format = signatureFormat(entry.format)
  const signature = await format.parseSignature(entry.signature)
  const key = await format.parseKey(entry.publicKey)
  await format.verify(key, signature, data)
  return {
    leafValue: rekordLeafValue(format.name, signature, key, hash),
    searchKeys: rekordSearchKeys(key, hash)
  }
}
