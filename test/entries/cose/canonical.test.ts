import t from 'tap'
import { coseLeafValue, coseSearchKeys } from '../../../src/entries/cose/canonical.js'
import { keyHash } from '../../../src/entries/leaf.js'
import { parseX509Key } from '../../../src/x509/x509-format.js'
import { rekorVector } from '../../helpers/vectors.js'

const key = parseX509Key(rekorVector('cose/test_cose.pub'))
const certified = { ...key, subjects: ['A@example.com', 'b', 'a@example.com'] }
const envelope = { algorithm: 'sha256', value: 'AB'.repeat(32) }
const payload = { algorithm: 'sha256', value: 'cd'.repeat(32) }

t.equal(
  Buffer.from(coseLeafValue(key, envelope, payload)).toString(),
  '{"apiVersion":"0.0.1","kind":"cose","spec":{"data":' +
    `{"envelopeHash":{"algorithm":"sha256","value":"${envelope.value}"},` +
    `"payloadHash":{"algorithm":"sha256","value":"${payload.value}"}},` +
    `"publicKey":"${Buffer.from(key.canonical).toString('base64')}"}}`
)
t.same(coseSearchKeys(certified, envelope, payload, ['sha1:EF']), [
  keyHash(key),
  'a@example.com',
  'b',
  `sha256:${'ab'.repeat(32)}`,
  `sha256:${'cd'.repeat(32)}`,
  'sha1:ef'
])
t.same(coseSearchKeys(key, envelope, undefined), [keyHash(key), `sha256:${'ab'.repeat(32)}`])
