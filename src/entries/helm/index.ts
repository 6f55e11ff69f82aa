import { LogError } from '../../errors.js'
import { pgpFormat } from '../../keys/pgp/format.js'
import type { EntryType } from '../entry-type.js'
import { helmSearchKeys } from './canonical.js'
import { type Helm, parseHelm } from './parse.js'
import { verifyHelm } from './verify.js'

/** Provenance file of a Helm chart: a clear-signed message that names the hash of the chart. @see rekor-v1 §8.9 */
export const helm: EntryType<Helm> = {
  kind: 'helm',
  version: '0.0.1',
  parse: parseHelm,
  assertInsertable({ provenance }) {
    if (provenance === undefined || provenance.length === 0) {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing provenance content'
      )
    }
  },
  verify: verifyHelm,
  async storedSearchKeys(spec) {
    const { publicKey, hash } = parseHelm(spec)
    const key = await pgpFormat.parseKey(publicKey)
    return hash === undefined ? [] : helmSearchKeys(key, hash)
  },
  attestationKey: () => undefined
}
