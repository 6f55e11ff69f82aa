import { LogError } from '../../errors.js'
import { parseX509Key } from '../../x509/x509-format.js'
import type { EntryType } from '../entry-type.js'
import { alpineSearchKeys } from './canonical.js'
import { type Alpine, parseAlpine } from './parse.js'
import { verifyAlpine } from './verify.js'

/** Signed package of apk-tools 2, which is sent along and not kept. @see rekor-v1 §8.8 */
export const alpine: EntryType<Alpine> = {
  kind: 'alpine',
  version: '0.0.1',
  parse: parseAlpine,
  assertInsertable({ content }) {
    if (content === undefined) {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing package content'
      )
    }
  },
  verify: verifyAlpine,
  async storedSearchKeys(spec) {
    const { publicKey, hash } = parseAlpine(spec)
    const key = parseX509Key(publicKey)
    return hash === undefined ? [] : alpineSearchKeys(key, hash)
  },
  attestationKey: () => undefined
}
