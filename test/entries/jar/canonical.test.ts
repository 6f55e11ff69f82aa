import t from 'tap'
import { jarLeafValue, jarSearchKeys } from '../../../src/entries/jar/canonical.js'
import { text } from '../../helpers/pkcs7.js'

const signature = { canonical: text('signature') }
const key = { canonical: text('key'), subjects: ['a@example.com'] }
const hash = { algorithm: 'sha256', value: 'ab'.repeat(32) }

t.equal(
  Buffer.from(jarLeafValue(signature, key, hash)).toString(),
  `{"apiVersion":"0.0.1","kind":"jar","spec":{"archive":{"hash":{"algorithm":"sha256","value":"${hash.value}"}},` +
    '"signature":{"content":"c2lnbmF0dXJl","publicKey":{"content":"a2V5"}}}}'
)
// SHA-256 of "signature".
const digest = '1a2fc26dc7ea5a2a4748b7cb2b1ef193d96ab2c99f93092f69e63075b28d1278'
t.same(jarSearchKeys(signature, hash), [digest, `sha256:${hash.value}`])
t.same(jarSearchKeys(undefined, hash), [`sha256:${hash.value}`])
t.same(jarSearchKeys(undefined, undefined), [])
