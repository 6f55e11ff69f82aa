import { LogError } from '../../errors.js'
import { decodePkcs7, pkcs7Signature } from '../../x509/pkcs7-format.js'
import type { EntryType } from '../entry-type.js'
import { jarSearchKeys } from './canonical.js'
import { type Jar, parseJar } from './parse.js'
import { verifyJar } from './verify.js'

/** Signed JAR file; signature and certificate come out of the archive. @see rekor-v1 §8.7 */
export const jar: EntryType<Jar> = {
  kind: 'jar',
  version: '0.0.1',
  parse: parseJar,
  assertInsertable({ archive }) {
    if (archive === undefined) {
      throw new LogError(
        'invalid_request',
        'entry not insertable into log: missing archive content'
      )
    }
  },
  verify: verifyJar,
  async storedSearchKeys(spec) {
    const { signature, hash } = parseJar(spec)
    return jarSearchKeys(signature && pkcs7Signature(decodePkcs7(signature)), hash)
  },
  attestationKey: () => undefined
}
