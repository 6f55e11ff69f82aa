import { parseRpm } from '../../archive/rpm.js'
import { LogError } from '../../errors.js'
import { pgpFormat } from '../../keys/pgp/format.js'
import { verifyHeaderSignature } from '../../keys/pgp/header-signature.js'
import type { VerifiedEntry } from '../entry-type.js'
import { sha256Value } from '../leaf.js'
import { rpmLeafValue, rpmSearchKeys } from './canonical.js'
import { assertHeaderDigest, assertPayloadDigest } from './digests.js'
import { packageHeaders } from './package-headers.js'
import type { Rpm } from './parse.js'
import { readRpmSignatures } from './signatures.js'

/**
 * Checks hash, digests and every signature of the package; it needs one at least.
 *
 * A committed form has no package. Looked up, it is taken for one of no bytes, and its hash does not match: as in Rekor.
 *
 * @see rekor-v1 §8.6
 */
export async function verifyRpm(entry: Rpm): Promise<VerifiedEntry> {
  const key = await pgpFormat.parseKey(entry.publicKey)
  const content = entry.content ?? new Uint8Array(0)
  const hash = sha256Value(content)
  if (entry.hash !== undefined && entry.hash.value !== hash.value) {
    throw new LogError('verification_failed', `SHA mismatch: ${hash.value} != ${entry.hash.value}`)
  }
  const rpm = parseRpm(content)
  assertHeaderDigest(rpm)
  const signatures = readRpmSignatures(rpm)
  assertPayloadDigest(rpm)
  for (const { signature, signed } of signatures) {
    await verifyHeaderSignature(key.entities, signature, signed)
  }
  if (signatures.length === 0) {
    throw new LogError('verification_failed', 'no supported PGP signature found in RPM')
  }
  return {
    leafValue: rpmLeafValue(key, hash, packageHeaders(rpm)),
    searchKeys: rpmSearchKeys(key, hash)
  }
}
