import t from 'tap'
import { helmLeafValue, helmSearchKeys } from '../../../src/entries/helm/canonical.js'
import { utf8 } from '../../helpers/pgp.js'

const key = { canonical: utf8('key'), subjects: ['A@example.com', 'b', 'a@example.com'] }
const hash = { algorithm: 'sha256', value: 'AB'.repeat(32) }

t.equal(
  Buffer.from(helmLeafValue(key, { canonical: utf8('signature') }, hash)).toString(),
  `{"apiVersion":"0.0.1","kind":"helm","spec":{"chart":{"hash":{"algorithm":"sha256","value":"${hash.value}"},` +
    '"provenance":{"signature":{"content":"c2lnbmF0dXJl"}}},"publicKey":{"content":"a2V5"}}}'
)
// SHA-256 of "key".
t.same(helmSearchKeys(key, hash), [
  '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683',
  'a@example.com',
  'b',
  `sha256:${hash.value.toLowerCase()}`
])
