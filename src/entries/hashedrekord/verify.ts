import { isLogError, LogError } from '../../errors.js'
import { nameClientAlgorithm } from '../../keys/algorithms.js'
import { verifyX509Digest } from '../../x509/x509-format.js'
import type { VerifiedEntry, VerifyOptions } from '../entry-type.js'
import { hashedrekordLeafValue, hashedrekordSearchKeys } from './canonical.js'
import type { Hashedrekord } from './parse.js'

/** Checks the signature over the digest; Ed25519 keys sign with Ed25519ph here. */
export async function verifyHashedrekord(
  entry: Hashedrekord,
  { checkDigest }: Pick<VerifyOptions, 'checkDigest'> = {}
): Promise<VerifiedEntry> {
  try {
    await verifyX509Digest(entry.key, entry, checkDigest)
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError(err.code, `verifying signature: ${err.message}`, { cause: err })
  }
  return {
    leafValue: hashedrekordLeafValue(entry),
    searchKeys: hashedrekordSearchKeys(entry),
    clientAlgorithm: nameClientAlgorithm(entry.key.publicKey, entry.hashName)
  }
}
