import { LogError } from '../../errors.js'
import type { EntryType } from '../entry-type.js'
import { dsseSearchKeys } from './canonical.js'
import { type CommittedDsse, parseDsse, type ProposedDsse } from './parse.js'
import { verifyDsse } from './verify.js'

/** DSSE envelope, of which only hashes, signatures and keys are kept. @see rekor-v1 §8.2 */
export const dsse: EntryType<ProposedDsse | CommittedDsse> = {
  kind: 'dsse',
  version: '0.0.1',
  parse: parseDsse,
  assertInsertable({ form }) {
    if (form === 'committed') {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing proposed content'
      )
    }
  },
  verify: verifyDsse,
  async storedSearchKeys(spec) {
    const entry = parseDsse(spec)
    return entry.form === 'committed' ? dsseSearchKeys(entry) : []
  },
  attestationKey: () => undefined
}
