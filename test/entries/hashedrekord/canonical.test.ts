import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { decodeUtf8, encodeUtf8 } from '../../../src/encoding/text.js'
import {
  hashedrekordLeafValue,
  hashedrekordSearchKeys
} from '../../../src/entries/hashedrekord/canonical.js'
import { parseHashedrekord } from '../../../src/entries/hashedrekord/parse.js'
import { encodeLeafValue, keyHash } from '../../../src/entries/leaf.js'
import { encodePem } from '../../../src/encoding/pem.js'
import { certificate, general, subjectAltName } from '../../helpers/certificates.js'
import { seededRandom } from '../../helpers/random.js'
import { computedVector, rekorVector } from '../../helpers/vectors.js'

t.test('the recorded body, however the key was written', (t) => {
  const vector = computedVector('hashedrekord-ecdsa-p256-sha256')
  const body = JSON.parse(vector.canonicalBody) as {
    spec: { signature: { publicKey: { content: string } } }
  }
  const pem = Buffer.from(body.spec.signature.publicKey.content, 'base64').toString()
  for (const written of [pem, pem.trim(), pem.replaceAll('\n', '\r\n'), `text\n${pem}`]) {
    body.spec.signature.publicKey.content = encodeBase64(encodeUtf8(written))
    const parsed = parseHashedrekord(body.spec)
    t.equal(decodeUtf8(hashedrekordLeafValue(parsed)), vector.canonicalBody)
    t.same(hashedrekordSearchKeys(parsed), vector.indexKeys)
  }
  t.end()
})

t.test(
  'names of a certificate are search keys in lower case; the hash keeps its case in the leaf',
  (t) => {
    const der = certificate({
      extensions: [
        subjectAltName([general.email('Signer@Example.com'), general.uri('https://example.com/A')])
      ]
    })
    const value = 'AB'.repeat(32)
    const parsed = parseHashedrekord({
      signature: {
        content: 'AAAA',
        publicKey: { content: encodeBase64(encodeUtf8(encodePem('CERTIFICATE', der))) }
      },
      data: { hash: { algorithm: 'sha256', value } }
    })
    const [keyHash, ...others] = hashedrekordSearchKeys(parsed)
    t.match(keyHash, /^[0-9a-f]{64}$/)
    t.same(others, ['signer@example.com', 'https://example.com/a', `sha256:${value.toLowerCase()}`])
    t.ok(decodeUtf8(hashedrekordLeafValue(parsed)).includes(value))
    t.end()
  }
)

t.test('the same as the canonical form of the members', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const chain = encodePem('CERTIFICATE', certificate({ extensions: [] })).repeat(2)
  const keys = [rekorVector('hashedrekord/ec_public.pem'), encodeUtf8(chain)]
  const algorithms = { sha256: 32, sha384: 48, sha512: 64 }
  for (let i = 0; i < 300; i++) {
    const [algorithm, bytes] = random.pick(Object.entries(algorithms))
    const hex = Buffer.from(random.bytes(bytes)).toString('hex')
    const value = random.pick([
      hex,
      hex.toUpperCase(),
      hex.slice(0, 9) + hex.slice(9).toUpperCase()
    ])
    const parsed = parseHashedrekord({
      signature: {
        content: encodeBase64(random.bytes(random.below(140))),
        publicKey: { content: encodeBase64(random.pick(keys)) }
      },
      data: { hash: { algorithm, value } }
    })
    const want = encodeLeafValue('hashedrekord', '0.0.1', {
      data: { hash: { algorithm, value } },
      signature: {
        content: encodeBase64(parsed.signature),
        publicKey: { content: encodeBase64(parsed.key.canonical) }
      }
    })
    if (Buffer.compare(hashedrekordLeafValue(parsed), want) !== 0) t.fail(decodeUtf8(want))
    const [hash] = hashedrekordSearchKeys(parsed)
    if (hash !== keyHash(parsed.key)) t.fail('hash of the key')
  }
  t.end()
})
