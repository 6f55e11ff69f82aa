import { LogError } from '../../errors.js'
import { storedAttestationKey } from '../attestation.js'
import type { EntryType } from '../entry-type.js'
import { intotoSearchKeys } from './canonical.js'
import { type CommittedIntoto, parseIntoto, type ProposedIntoto } from './parse.js'
import { verifyIntoto } from './verify.js'

/** DSSE envelope with one key; its payload is kept as attestation. @see rekor-v1 §8.3 */
export const intotoV001: EntryType<ProposedIntoto | CommittedIntoto> = {
  kind: 'intoto',
  version: '0.0.1',
  parse: parseIntoto,
  assertInsertable(entry) {
    if (entry.form === 'committed') {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing envelope content'
      )
    }
    const { payload, payloadType, signatures } = entry.envelope
    // Without a signature verification finds the better words.
    if (signatures.length > 0 && (payload === '' || payloadType === '')) {
      throw new LogError('invalid_request', 'entry not insertable into log: invalid DSSE envelope')
    }
  },
  verify: verifyIntoto,
  async storedSearchKeys(spec) {
    const entry = parseIntoto(spec)
    return entry.form === 'committed' ? intotoSearchKeys(entry) : []
  },
  attestationKey: storedAttestationKey
}
