import type { EntryType } from '../entry-type.js'
import { hashedrekordSearchKeys } from './canonical.js'
import { type Hashedrekord, parseHashedrekord } from './parse.js'
import { verifyHashedrekord } from './verify.js'

/** Signature over the hash of an artifact that stays with its owner. @see rekor-v1 §8.1 */
export const hashedrekord: EntryType<Hashedrekord> = {
  kind: 'hashedrekord',
  version: '0.0.1',
  parse: parseHashedrekord,
  assertInsertable() {
    // A committed body is a complete proposal; what could be missing, parse and verify report.
  },
  verify: verifyHashedrekord,
  storedSearchKeys: async (spec) => hashedrekordSearchKeys(parseHashedrekord(spec)),
  attestationKey: () => undefined
}
