import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import t from 'tap'
import { parseCbor } from '../../../src/encoding/cbor.js'
import { assertAlgorithm, coseVerifier } from '../../../src/entries/cose/algorithm.js'
import { readHeaders } from '../../../src/entries/cose/headers.js'
import type { EcdsaPublicKey } from '../../../src/keys/public-key.js'
import { parseX509Key } from '../../../src/x509/x509-format.js'
import { pemOf } from '../../helpers/cose.js'
import { bstr, int, map, tstr } from '../../helpers/literal-cbor.js'
import { refusal, refusalText } from '../../helpers/refusals.js'
import { rekorVector } from '../../helpers/vectors.js'

const data = Buffer.from('what is signed')
const keyOf = (publicKey: KeyObject) => parseX509Key(pemOf(publicKey)).publicKey
const FAILED = 'verification_failed: verification error'

t.test('ES256', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const verifier = coseVerifier(keyOf(publicKey))
  t.equal(verifier.name, 'ES256')
  const made = (hash: string, dsaEncoding: 'der' | 'ieee-p1363') =>
    sign(hash, data, { key: privateKey, dsaEncoding })
  // Enough for numbers with leading zeros and with the highest bit set.
  for (let i = 0; i < 20; i++) await verifier.verify(data, made('sha256', 'ieee-p1363'))
  const good = made('sha256', 'ieee-p1363')
  for (const [name, signature] of [
    ['DER', made('sha256', 'der')],
    ['SHA-384', made('sha384', 'ieee-p1363')],
    ['cut off', good.subarray(2)],
    [
      'longer',
      Buffer.concat([Buffer.alloc(1), good.subarray(0, 32), Buffer.alloc(1), good.subarray(32)])
    ],
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(64)],
    ['ones', new Uint8Array(64).fill(0xff)],
    ['something like DER', Uint8Array.of(0x30, 62, 2, 1, 1, 2, 57, 1, ...new Uint8Array(56))]
  ] as const) {
    t.equal(await refusalText(() => verifier.verify(data, signature)), FAILED, name)
  }
  t.equal(await refusalText(() => verifier.verify(Buffer.from('else'), good)), FAILED)
})

t.test('a fault of our own is no verdict', async (t) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const broken = {
    ...(keyOf(publicKey) as EcdsaPublicKey),
    get spki(): Uint8Array {
      throw new Error('broken')
    },
    get keyObject(): KeyObject {
      throw new Error('broken')
    }
  }
  await t.rejects(
    coseVerifier(broken).verify(data, new Uint8Array(64).fill(1)),
    /broken|OpenSSL failed/
  )
})

t.test('PS256', async (t) => {
  for (const modulusLength of [2048, 3072]) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
    const verifier = coseVerifier(keyOf(publicKey))
    t.equal(verifier.name, 'PS256')
    const good = sign('sha256', data, {
      key: privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32
    })
    await verifier.verify(data, good)
    for (const [name, signature] of [
      ['PKCS#1 v1.5', sign('sha256', data, privateKey)],
      ['cut off', good.subarray(1)],
      ['nothing', new Uint8Array(0)]
    ] as const) {
      t.equal(await refusalText(() => verifier.verify(data, signature)), FAILED, name)
    }
  }
})

t.test('keys that cannot sign', async (t) => {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).publicKey
  for (const [key, message] of [
    [
      keyOf(generateKeyPairSync('ed25519').publicKey),
      'unsupported algorithm type ed25519.PublicKey'
    ],
    [keyOf(ec('P-224')), 'unsupported elliptic curve P-224'],
    [keyOf(ec('P-384')), 'unsupported elliptic curve P-384'],
    [keyOf(ec('P-521')), 'unsupported elliptic curve P-521'],
    [keyOf(rsa(1024)), 'RSA key must be at least 2048 bits long'],
    [keyOf(rsa(2040)), 'RSA key must be at least 2048 bits long']
  ] as const) {
    t.equal(await refusalText(() => coseVerifier(key)), `unsupported: ${message}`)
  }
  // Those of the tests of Rekor.
  for (const name of ['Ed25519', 'P384', 'P521']) {
    const { publicKey } = parseX509Key(rekorVector(`inline/keys/pubKey${name}.pem`))
    t.equal((await refusal(() => coseVerifier(publicKey))).code, 'unsupported', name)
  }
  const verifierOf = (name: string) =>
    coseVerifier(parseX509Key(rekorVector(`inline/keys/pubKey${name}.pem`)).publicKey).name
  t.same([verifierOf('P256'), verifierOf('RSA2048')], ['ES256', 'PS256'])
})

t.test('algorithm of key and of message', async (t) => {
  const es256 = { name: 'ES256', verify: async () => undefined } as const
  const ps256 = { name: 'PS256', verify: async () => undefined } as const
  const nothing = new Uint8Array(0)
  const aad = Uint8Array.of(1)
  const header = (...entries: readonly Uint8Array[]) =>
    readHeaders(parseCbor(bstr(map(...entries)), { tags: 'kept' }), { type: 'map', entries: [] })
      .protectedHeader
  t.doesNotThrow(() => assertAlgorithm(header(int(1), int(-7)), es256, nothing))
  t.doesNotThrow(() => assertAlgorithm(header(int(1), int(-37)), ps256, aad))
  t.doesNotThrow(() => assertAlgorithm(header(), es256, aad), 'none, with AAD')
  const mismatch = 'algorithm mismatch: verifier'
  for (const [algorithm, verifier, message] of [
    [int(-37), es256, `${mismatch} ES256: header PS256`],
    [int(-7), ps256, `${mismatch} PS256: header ES256`],
    [int(-8), es256, `${mismatch} ES256: header EdDSA`],
    [int(-257), ps256, `${mismatch} PS256: header RS256`],
    [int(0), es256, `${mismatch} ES256: header Reserved`],
    [int(7), es256, `${mismatch} ES256: header Algorithm(7)`],
    [int(-(2n ** 63n)), es256, `${mismatch} ES256: header Algorithm(-9223372036854775808)`],
    [tstr('ES256'), es256, 'Algorithm("ES256")']
  ] as const) {
    for (const external of [nothing, aad]) {
      t.equal(
        await refusalText(() => assertAlgorithm(header(int(1), algorithm), verifier, external)),
        `verification_failed: ${message}`
      )
    }
  }
  t.equal(
    await refusalText(() => assertAlgorithm(header(), es256, nothing)),
    'verification_failed: algorithm not found'
  )
})
