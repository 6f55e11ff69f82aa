import type { EntryType } from '../entry-type.js'
import { tufSearchKeys } from './canonical.js'
import { readContent } from './metadata.js'
import { parseTuf, type Tuf } from './parse.js'
import { verifyTuf } from './verify.js'

/** Metadata of a TUF repository with the root that vouches for them. @see rekor-v1 §8.10 */
export const tuf: EntryType<Tuf> = {
  kind: 'tuf',
  version: '0.0.1',
  parse: parseTuf,
  assertInsertable() {
    // The committed form may be submitted again.
  },
  verify: verifyTuf,
  async storedSearchKeys(spec) {
    const { metadata, root } = parseTuf(spec)
    return tufSearchKeys(readContent(metadata, 'metadata'), readContent(root, 'root'))
  },
  attestationKey: () => undefined
}
