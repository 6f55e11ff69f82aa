import { LogError } from '../../errors.js'
import { pgpFormat } from '../../keys/pgp/format.js'
import type { EntryType } from '../entry-type.js'
import { rpmSearchKeys } from './canonical.js'
import { parseRpmSpec, type Rpm } from './parse.js'
import { verifyRpm } from './verify.js'

/** RPM package that carries its own OpenPGP signatures; it is sent along and not kept. @see rekor-v1 §8.6 */
export const rpm: EntryType<Rpm> = {
  kind: 'rpm',
  version: '0.0.1',
  parse: parseRpmSpec,
  assertInsertable({ content }) {
    if (content === undefined) {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing package content'
      )
    }
  },
  verify: verifyRpm,
  async storedSearchKeys(spec) {
    const { publicKey, hash } = parseRpmSpec(spec)
    const key = await pgpFormat.parseKey(publicKey)
    return hash === undefined ? [] : rpmSearchKeys(key, hash)
  },
  attestationKey: () => undefined
}
