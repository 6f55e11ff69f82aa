import { createPrivateKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import t from 'tap'
import { isSignedBy, JWS_ALGORITHM_NAMES } from '../../../../src/ca/identity/jws-algorithms.js'
import {
  MAX_JWKS_BYTES,
  MAX_JWKS_KEYS,
  parseKeySet
} from '../../../../src/ca/identity/keys/key-set.js'
import { concatBytes } from '../../../../src/encoding/bytes.js'
import { encodeUtf8 } from '../../../../src/encoding/text.js'
import { LogError } from '../../../../src/errors.js'
import { createCheckQueue } from '../../../../src/keys/check-queue.js'
import { parsePublicKey } from '../../../../src/keys/public-key.js'
import { fulcioVector } from '../../../helpers/fulcio-vectors.js'
import { mutate } from '../../../helpers/mutations.js'
import { seededRandom } from '../../../helpers/random.js'
import { refusalText, unlessRefused } from '../../../helpers/refusals.js'

const parse = (set: unknown) => parseKeySet(encodeUtf8(JSON.stringify(set)))
const { jwks } = fulcioVector<{ jwks: { keys: readonly Record<string, unknown>[] } }>('jwt.json')
const [rsa, ec, ed] = jwks.keys

t.test('the keys of the vectors', (t) => {
  const { keys, unusable } = parse(jwks)
  t.same(
    keys.map(({ keyId, algorithm, publicKey }) => [keyId, algorithm, publicKey.type]),
    [
      ['rs-1', 'RS256', 'rsa'],
      ['es-1', 'ES256', 'ecdsa'],
      ['ed-1', 'EdDSA', 'ed25519']
    ]
  )
  t.same(unusable, [])
  t.end()
})

t.test('keys that are left out, each with its reason', (t) => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const cases: readonly (readonly [unknown, string])[] = [
    [null, 'not an object'],
    ['x', 'not an object'],
    [[], 'not an object'],
    [{}, 'unknown kind of key undefined'],
    [{ kty: 'oct', k: 'AAAA' }, 'unknown kind of key "oct"'],
    [{ kty: 7 }, 'kty is not a text'],
    [{ ...rsa, kid: 1 }, 'kid is not a text'],
    [{ ...rsa, use: 'enc' }, 'for use "enc"'],
    [{ ...rsa, key_ops: ['encrypt'] }, 'not for verifying'],
    [{ ...rsa, key_ops: 'verify' }, 'not for verifying'],
    [{ ...rsa, n: undefined }, 'RSA key of 1 bits'],
    [{ ...rsa, n: `${String(rsa?.['n'])}=` }, 'n: not base64url without padding'],
    [{ ...rsa, n: String(rsa?.['n']).replace(/[-_]/g, '+') }, 'n: not base64url without padding'],
    [short.export({ format: 'jwk' }), 'RSA key of 1024 bits'],
    [{ ...rsa, e: 'AQ' }, 'RSA exponent 1'],
    [{ ...rsa, e: 'AQAA' }, 'RSA exponent 65536'],
    [{ ...rsa, e: 'AQAAAAE' }, 'RSA exponent 4294967297'],
    [{ ...ec, crv: 'secp256k1' }, 'unknown curve "secp256k1"'],
    [{ ...ec, crv: undefined }, 'unknown curve undefined'],
    [{ ...ec, crv: 'P-384' }, 'coordinates not of 48 bytes'],
    [{ ...ec, y: 'AA' }, 'coordinates not of 32 bytes'],
    [{ ...ec, x: ec?.['y'] }, 'x509: failed to unmarshal elliptic curve point'],
    [{ ...ed, crv: 'X25519' }, 'unknown kind of key "OKP"'],
    [{ ...ed, x: 'AA' }, 'x509: wrong Ed25519 public key size'],
    [
      { ...ed, x: Buffer.from([1, ...new Uint8Array(31)]).toString('base64url') },
      'x509: Ed25519 public key is not a point of large order'
    ]
  ]
  const { keys, unusable } = parse({ keys: [...cases.map(([key]) => key), ec] })
  t.equal(keys.length, 1)
  t.same(
    unusable,
    cases.map(([, reason], i) => `key ${i + 1}: ${reason}`)
  )
  t.end()
})

t.test('sets that are refused', async (t) => {
  const none = 'invalid_request: JWK Set without a list of keys'
  for (const set of [null, [], {}, { keys: {} }, { keys: null }, 'keys']) {
    t.equal(await refusalText(() => parse(set)), none, JSON.stringify(set))
  }
  t.equal(
    await refusalText(() => parse({ keys: Array(MAX_JWKS_KEYS + 1).fill({}) })),
    `too_large: JWK Set of ${MAX_JWKS_KEYS + 1} keys, more than ${MAX_JWKS_KEYS}`
  )
  t.equal(
    await refusalText(() => parseKeySet(new Uint8Array(MAX_JWKS_BYTES + 1).fill(0x20))),
    `too_large: JWK Set longer than ${MAX_JWKS_BYTES} bytes`
  )
  t.match(await refusalText(() => parseKeySet(encodeUtf8('{'))), /^invalid_request: not valid JSON/)
  t.match(await refusalText(() => parseKeySet(Uint8Array.of(0xff))), /not valid UTF-8/)
})

t.test('each algorithm verifies with its own kind of key, and with no other', async (t) => {
  const pairs = {
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    ed: generateKeyPairSync('ed25519')
  }
  const data = encodeUtf8('header.payload')
  const kinds: Readonly<Record<string, keyof typeof pairs>> = {
    RS: 'rsa',
    PS: 'rsa',
    ES256: 'P-256',
    ES384: 'P-384',
    ES512: 'P-521',
    EdDSA: 'ed'
  }
  for (const algorithm of JWS_ALGORITHM_NAMES) {
    const kind = kinds[algorithm] ?? kinds[algorithm.slice(0, 2)] ?? 'ed'
    const key = createPrivateKey(pairs[kind].privateKey.export({ format: 'pem', type: 'pkcs8' }))
    const hash = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`
    const options = algorithm.startsWith('PS')
      ? { padding: 6, saltLength: Number(algorithm.slice(2)) / 8 }
      : { dsaEncoding: 'ieee-p1363' as const }
    const signature = sign(hash, data, { key, ...options })
    for (const [other, { publicKey }] of Object.entries(pairs)) {
      const [parsed] = parse({ keys: [publicKey.export({ format: 'jwk' })] }).keys
      if (parsed === undefined) throw new Error('key not read')
      for (const name of JWS_ALGORITHM_NAMES) {
        t.equal(
          await isSignedBy(parsed.publicKey, name, data, signature),
          name === algorithm && other === kind,
          `${algorithm} of ${kind} taken for ${name} of ${other}`
        )
      }
      if (other === kind) {
        t.notOk(await isSignedBy(parsed.publicKey, algorithm, encodeUtf8('x'), signature))
        t.notOk(await isSignedBy(parsed.publicKey, algorithm, data, signature.subarray(1)))
        t.notOk(await isSignedBy(parsed.publicKey, algorithm, data, new Uint8Array(0)))
      }
    }
  }
})

t.test('ECDSA in DER and PSS with another salt are not JWS', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [key] = parse({ keys: [publicKey.export({ format: 'jwk' })] }).keys
  const data = encodeUtf8('x')
  t.notOk(
    key !== undefined &&
      (await isSignedBy(key.publicKey, 'ES256', data, sign('sha256', data, privateKey)))
  )
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const [rsaKey] = parse({ keys: [pair.publicKey.export({ format: 'jwk' })] }).keys
  const salted = sign('sha256', data, { key: pair.privateKey, padding: 6, saltLength: 20 })
  t.ok(rsaKey)
  t.notOk(rsaKey !== undefined && (await isSignedBy(rsaKey.publicKey, 'PS256', data, salted)))
})

t.test('ECDSA of a token: the verdicts of node:crypto, here and in a queue', async (t) => {
  const random = seededRandom(256)
  const data = encodeUtf8('header.payload')
  const queue = createCheckQueue()
  const verdicts = new Set<boolean>()
  for (const [name, hash, namedCurve] of [
    ['ES256', 'sha256', 'P-256'],
    ['ES384', 'sha384', 'P-384'],
    ['ES512', 'sha512', 'P-521']
  ] as const) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
    const key = parsePublicKey(publicKey.export({ type: 'spki', format: 'der' }))
    const good = sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    const half = good.length / 2
    const edges = [new Uint8Array(half), new Uint8Array(half).fill(0xff), good.subarray(half)].map(
      (s) => concatBytes(good.subarray(0, half), s)
    )
    const signatures = [
      good,
      new Uint8Array(2 * half),
      concatBytes(new Uint8Array(half), good.subarray(half)),
      concatBytes(Uint8Array.of(0), good),
      sign(hash, data, privateKey),
      ...edges,
      ...Array.from({ length: 100 }, () => mutate(good, random))
    ]
    for (const signature of signatures) {
      const options = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
      const wanted = verify(hash, data, options, signature)
      verdicts.add(wanted)
      const text = `${name} ${Buffer.from(signature).toString('hex')}`
      t.equal(await isSignedBy(key, name, data, signature), wanted, text)
      t.equal(await isSignedBy(key, name, data, signature, queue.data), wanted, text)
    }
  }
  t.equal(verdicts.size, 2)
})

t.test('that OpenSSL fails says nothing of the signature', async (t) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = parsePublicKey(publicKey.export({ type: 'spki', format: 'der' }))
  const fails = () => Promise.reject(new LogError('internal', 'no memory'))
  const text = await refusalText(() =>
    isSignedBy(key, 'ES256', new Uint8Array(1), new Uint8Array(64), fails)
  )
  t.equal(text, 'internal: no memory')
})

t.test('fuzz: nothing but LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const sample = encodeUtf8(JSON.stringify(jwks))
  let read = 0
  for (let i = 0; i < 500; i++) {
    if ((await unlessRefused(() => parseKeySet(mutate(sample, random)))) !== undefined) read++
  }
  t.ok(read > 0, `${read} of 500 read`)
})
