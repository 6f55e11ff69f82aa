import { encodeArmor, SIGNATURE_BLOCK } from '../../keys/pgp/armor.js'
import { pgpFormat } from '../../keys/pgp/format.js'
import type { VerifiedEntry } from '../entry-type.js'
import { helmLeafValue, helmSearchKeys } from './canonical.js'
import type { Helm } from './parse.js'
import { chartHash, readProvenance } from './provenance.js'

/**
 * Checks the signature of a provenance file. The chart itself was not sent, so that its hash is what the signer says.
 *
 * A committed form has no provenance file. Looked up, it is refused, as in Rekor.
 */
export async function verifyHelm(entry: Helm): Promise<VerifiedEntry> {
  const key = await pgpFormat.parseKey(entry.publicKey)
  const provenance = readProvenance(entry.provenance ?? new Uint8Array(0))
  const { signed, signature: armor } = provenance.message
  // The armor around it is not kept: armored anew it has one canonical form. Inside must be packets, not armor once more.
  const signature = await pgpFormat.parseSignature(encodeArmor(SIGNATURE_BLOCK, armor.decode()))
  await pgpFormat.verify(key, signature, signed)
  const hash = chartHash(provenance)
  return {
    leafValue: helmLeafValue(key, signature, hash),
    searchKeys: helmSearchKeys(key, hash)
  }
}
