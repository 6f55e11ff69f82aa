import t from 'tap'
import { alpineLeafValue, alpineSearchKeys } from '../../../src/entries/alpine/canonical.js'

const utf8 = (text: string) => Uint8Array.from(Buffer.from(text))
const key = { canonical: utf8('key'), subjects: ['A@example.com', 'b', 'a@example.com'] }
const hash = { algorithm: 'sha256', value: 'ab'.repeat(32) }

const pkginfo = new Map([
  ['url', 'https://example.com/?a&b'],
  ['arch', 'x86_64'],
  ['__proto__', '<"ä">']
])
t.equal(
  Buffer.from(alpineLeafValue(key, hash, pkginfo)).toString(),
  `{"apiVersion":"0.0.1","kind":"alpine","spec":{"package":{"hash":{"algorithm":"sha256","value":"${hash.value}"},` +
    '"pkginfo":{"__proto__":"<\\"ä\\">","arch":"x86_64","url":"https://example.com/?a&b"}},"publicKey":{"content":"a2V5"}}}'
)
// SHA-256 of "key".
t.same(alpineSearchKeys(key, hash), [
  '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683',
  'a@example.com',
  'b',
  `sha256:${hash.value}`
])
