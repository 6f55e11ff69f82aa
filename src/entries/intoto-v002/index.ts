import { LogError } from '../../errors.js'
import { storedAttestationKey } from '../attestation.js'
import type { EntryType } from '../entry-type.js'
import { intotoV002SearchKeys } from './canonical.js'
import { type IntotoV002, parseIntotoV002 } from './parse.js'
import { verifyIntotoV002 } from './verify.js'

/** DSSE envelope with a key in every signature; its payload is kept as attestation. @see rekor-v1 §8.4 */
export const intotoV002: EntryType<IntotoV002> = {
  kind: 'intoto',
  version: '0.0.2',
  parse: parseIntotoV002,
  assertInsertable({ payloadText, payloadType }) {
    if (payloadText === undefined) {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing envelope content'
      )
    }
    if (payloadType === '') {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing payloadType content'
      )
    }
  },
  verify: verifyIntotoV002,
  storedSearchKeys: async (spec) => intotoV002SearchKeys(parseIntotoV002(spec)),
  attestationKey: storedAttestationKey
}
