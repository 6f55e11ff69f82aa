import { isJsonObject } from '../../encoding/json.js'
import { LogError } from '../../errors.js'
import type { EntryType } from '../entry-type.js'
import { hashMember, prefixedHash } from '../hash-value.js'
import { objectMember } from '../spec-reader.js'
import { coseSearchKeys } from './canonical.js'
import { type CommittedCose, parseCose, type ProposedCose } from './parse.js'
import { verifyCose } from './verify.js'

/** COSE_Sign1 message, which is kept as attestation. @see rekor-v1 §8.12 */
export const cose: EntryType<ProposedCose | CommittedCose> = {
  kind: 'cose',
  version: '0.0.1',
  parse: parseCose,
  assertInsertable({ form }) {
    if (form === 'committed') {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing COSE Sign1 message'
      )
    }
  },
  verify: verifyCose,
  async storedSearchKeys(spec) {
    const entry = parseCose(spec)
    if (entry.form === 'proposed') return []
    return coseSearchKeys(entry.key, entry.envelopeHash, entry.payloadHash)
  },
  attestationKey(spec) {
    const data = isJsonObject(spec) ? objectMember(spec, 'data') : undefined
    const hash = data && hashMember(data, 'envelopeHash')
    if (hash?.algorithm === undefined || hash.value === undefined) return undefined
    return prefixedHash({ algorithm: hash.algorithm, value: hash.value })
  }
}
