import t from 'tap'
import { parseClientKey } from '../../../src/ca/client-key/parse-key.js'
import { decodeBase64, encodeBase64 } from '../../../src/encoding/base64.js'
import { encodePem } from '../../../src/encoding/pem.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { fulcioVector } from '../../helpers/fulcio-vectors.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusal, refusalText, unlessRefused } from '../../helpers/refusals.js'

interface PopVectors {
  readonly keys: Readonly<Record<string, { publicKeyPem: string; spkiDerB64: string }>>
  readonly publicKeyContent: readonly {
    readonly name: string
    readonly content: string
    readonly parses?: boolean
    readonly message?: string
  }[]
  readonly derInV1: { readonly contentB64: string }
}

const vectors = fulcioVector<PopVectors>('pop.json')
const UNPARSED = 'invalid_request: The public key supplied in the request could not be parsed'

t.test('every encoding of the vectors', async (t) => {
  t.equal(vectors.publicKeyContent.length, 7)
  for (const { name, content, parses, message } of vectors.publicKeyContent) {
    const parse = () => parseClientKey(encodeUtf8(content))
    if (parses === true) t.ok(parse().spki.length > 0, name)
    else t.equal((await refusal(parse)).message, message, name)
  }
})

t.test('PEM and DER of every kind give the same key', (t) => {
  for (const [name, { publicKeyPem, spkiDerB64 }] of Object.entries(vectors.keys)) {
    const spki = decodeBase64(spkiDerB64)
    t.same(parseClientKey(encodeUtf8(publicKeyPem)).spki, spki, name)
    t.same(parseClientKey(spki).spki, spki, name)
  }
  t.equal(parseClientKey(decodeBase64(vectors.derInV1.contentB64)).type, 'ecdsa')
  t.end()
})

t.test('the first block counts', (t) => {
  const pem = (name: string): string => vectors.keys[name]?.publicKeyPem ?? ''
  const both = encodeUtf8(pem('ed25519') + pem('rsa-2048'))
  t.equal(parseClientKey(both).type, 'ed25519')
  t.end()
})

t.test('hostile keys', async (t) => {
  const spki = decodeBase64(vectors.keys['ecdsa-p256']?.spkiDerB64 ?? '')
  const pkcs1 =
    vectors.publicKeyContent.find(({ name }) => name.startsWith('PKCS#1'))?.content ?? ''
  const cases: Readonly<Record<string, Uint8Array>> = {
    'trailing byte after DER': Uint8Array.from([...spki, 0]),
    'trailing byte inside the PEM': encodeUtf8(
      encodePem('PUBLIC KEY', Uint8Array.from([...spki, 0]))
    ),
    'point off the curve': spki.map((byte, i) => (i === spki.length - 1 ? byte ^ 1 : byte)),
    'SPKI under the PKCS#1 label': encodeUtf8(encodePem('RSA PUBLIC KEY', spki)),
    'PKCS#1 under the SPKI label': encodeUtf8(pkcs1.replaceAll('RSA PUBLIC', 'PUBLIC')),
    'three numbers in PKCS#1': encodeUtf8(
      encodePem('RSA PUBLIC KEY', Uint8Array.of(0x30, 9, 2, 1, 5, 2, 1, 3, 2, 1, 3))
    ),
    'negative modulus': encodeUtf8(
      encodePem('RSA PUBLIC KEY', Uint8Array.of(0x30, 6, 2, 1, 0x85, 2, 1, 3))
    ),
    'Ed25519 key that any signature fits': encodeUtf8(
      encodePem(
        'PUBLIC KEY',
        Uint8Array.of(
          0x30,
          0x2a,
          0x30,
          5,
          6,
          3,
          0x2b,
          0x65,
          0x70,
          3,
          0x21,
          0,
          1,
          ...new Uint8Array(31)
        )
      )
    ),
    certificate: encodeUtf8(encodePem('CERTIFICATE', spki)),
    'not PEM': encodeUtf8(encodeBase64(spki))
  }
  for (const [name, content] of Object.entries(cases)) {
    t.equal(await refusalText(() => parseClientKey(content)), UNPARSED, name)
  }
})

t.test('fuzz: nothing but LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const samples = Object.values(vectors.keys).flatMap(({ publicKeyPem, spkiDerB64 }) => [
    encodeUtf8(publicKeyPem),
    decodeBase64(spkiDerB64)
  ])
  let parsed = 0
  for (let i = 0; i < 400; i++) {
    const key = await unlessRefused(() => parseClientKey(mutate(random.pick(samples), random)))
    if (key !== undefined) {
      parsed++
      t.same(parseClientKey(key.spki).spki, key.spki)
    }
  }
  t.comment(`${parsed} of 400 parsed`)
})
