import type { VerifiedEntry, VerifyOptions } from '../entry-type.js'
import { tufLeafValue, tufSearchKeys } from './canonical.js'
import { readContent } from './metadata.js'
import type { Tuf } from './parse.js'
import { readRoot } from './root.js'
import { verifyMetadata } from './verify-metadata.js'

/**
 * Checks that a root has signed itself, and the metadata with the keys of their role. Where there is a clock neither may have
 * expired.
 */
export async function verifyTuf(
  entry: Tuf,
  { nowMs }: Pick<VerifyOptions, 'nowMs'>
): Promise<VerifiedEntry> {
  const now = nowMs?.()
  const metadata = readContent(entry.metadata, 'metadata')
  const root = readRoot(readContent(entry.root, 'root'))
  verifyMetadata(root, 'root', root.metadata, now)
  verifyMetadata(root, metadata.type, metadata, now)
  return {
    leafValue: tufLeafValue(metadata, root.metadata),
    searchKeys: tufSearchKeys(metadata, root.metadata)
  }
}
