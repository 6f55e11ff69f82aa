import { DEFAULT_MAX_JAR_METADATA_BYTES, MAX_JAR_METADATA_BYTES } from '../../archive/jar-files.js'
import { LogError } from '../../errors.js'
import { pkcs7Key, pkcs7Signature } from '../../x509/pkcs7-format.js'
import type { VerifiedEntry, VerifyOptions } from '../entry-type.js'
import { sha256Value } from '../leaf.js'
import { jarLeafValue, jarSearchKeys } from './canonical.js'
import type { Jar } from './parse.js'
import { verifySignedJar } from './signed-jar.js'

/**
 * Checks hash and signature of the archive, and takes signature and certificate out of it.
 *
 * A committed form has no archive. Looked up, it is taken for one over nothing, and its hash does not match: as in Rekor.
 */
export async function verifyJar(
  entry: Jar,
  {
    maxJarMetadataBytes = DEFAULT_MAX_JAR_METADATA_BYTES
  }: Pick<VerifyOptions, 'maxJarMetadataBytes'>
): Promise<VerifiedEntry> {
  const archive = entry.archive ?? new Uint8Array(0)
  const hash = sha256Value(archive)
  if (entry.hash !== undefined && entry.hash.value !== hash.value) {
    throw new LogError('verification_failed', `SHA mismatch: ${hash.value} != ${entry.hash.value}`)
  }
  const pkcs7 = await verifySignedJar(
    archive,
    maxJarMetadataBytes === 0 ? MAX_JAR_METADATA_BYTES : maxJarMetadataBytes
  )
  const signature = pkcs7Signature(pkcs7)
  return {
    leafValue: jarLeafValue(signature, pkcs7Key(pkcs7), hash),
    searchKeys: jarSearchKeys(signature, hash)
  }
}
