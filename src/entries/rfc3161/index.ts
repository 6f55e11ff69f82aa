import type { EntryType } from '../entry-type.js'
import { rfc3161SearchKeys } from './canonical.js'
import { parseRfc3161, type Rfc3161 } from './parse.js'
import { verifyRfc3161 } from './verify.js'

/** Answer of a timestamp authority. @see rekor-v1 §8.11 */
export const rfc3161: EntryType<Rfc3161> = {
  kind: 'rfc3161',
  version: '0.0.1',
  parse: parseRfc3161,
  assertInsertable: () => undefined, // what stands in the log is all that was proposed
  verify: verifyRfc3161,
  storedSearchKeys: async (spec) => rfc3161SearchKeys(parseRfc3161(spec)),
  attestationKey: () => undefined
}
