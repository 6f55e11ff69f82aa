import { LogError } from '../../errors.js'
import type { EntryType } from '../entry-type.js'
import { signatureFormat } from '../signature-formats.js'
import { rekordSearchKeys } from './canonical.js'
import { parseRekord, type Rekord } from './parse.js'
import { verifyRekord } from './verify.js'

/** Detached signature over an artifact that is sent along and not kept. @see rekor-v1 §8.5 */
export const rekord: EntryType<Rekord> = {
  kind: 'rekord',
  version: '0.0.1',
  parse: parseRekord,
  assertInsertable({ data }) {
    if (data === undefined) {
      throw new LogError('invalid_request', 'entry not insertable into log: missing data content')
    }
  },
  verify: verifyRekord,
  async storedSearchKeys(spec) {
    const { format, publicKey, hash } = parseRekord(spec)
    const key = await signatureFormat(format).parseKey(publicKey)
    return hash === undefined ? [] : rekordSearchKeys(key, hash)
  },
  attestationKey: () => undefined
}
