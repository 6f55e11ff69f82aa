import { createHash } from 'node:crypto'
import t from 'tap'
import {
  keyFieldsOffset,
  keyForHash,
  parsePublicKeyPacket
} from '../../../src/keys/pgp/public-key-packet.js'
import { bytes, CREATED, makeKey, mpi, uint, type KeyKind } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'
import { seededRandom } from '../../helpers/random.js'
import { mutate } from '../../helpers/mutations.js'
import { unlessRefused } from '../../helpers/refusals.js'

const hex = (text: string) => bytes(Buffer.from(text, 'hex'))
const body = (algorithm: number, ...fields: (number | Uint8Array)[]) =>
  bytes(4, uint(CREATED, 4), algorithm, ...fields)
const bodyV6 = (algorithm: number, fields: Uint8Array) =>
  bytes(6, uint(CREATED, 4), algorithm, uint(fields.length, 4), fields)

const P256 = hex('082a8648ce3d030107')
const ED25519 = hex('092b06010401da470f01')
const CURVE25519 = hex('0a2b060104019755010501')
const X448 = hex('032b656f')
const KDF = bytes(3, 1, 8, 7)
const point = (length: number, first = 0x40) =>
  mpi(bytes(first, new Uint8Array(length - 1).fill(9)))

t.test('keys of every kind that is made here', async (t) => {
  for (const kind of ['ed25519', 'eddsa', 'p256', 'rsa', 'dsa'] satisfies KeyKind[]) {
    const made = makeKey(kind)
    const key = parsePublicKeyPacket(made.body)
    t.equal(key.version, 4)
    t.equal(key.createdSeconds, CREATED)
    t.equal(key.algorithm, made.algorithm)
    t.same(key.body, made.body)
    t.same(key.fingerprint, made.fingerprint)
    t.equal(key.keyId, Buffer.from(made.keyId).toString('hex'))
    t.same(keyForHash(key), made.hashed)
  }
  const v6 = makeKey('ed25519', 1, { version: 6 })
  const key = parsePublicKeyPacket(v6.body)
  t.equal(key.version, 6)
  t.same(key.fingerprint, v6.fingerprint)
  t.equal(key.keyId, Buffer.from(v6.keyId).toString('hex'))
  t.same(keyForHash(key), v6.hashed)
  t.equal(keyFieldsOffset(4), 6)
  t.equal(keyFieldsOffset(6), 10)
})

t.test('a fingerprint as RFC 9580 appendix A.3 has it', async (t) => {
  const key = parsePublicKeyPacket(
    hex('0663877fe31b00000020f94da7bb48d60a61e567706a6587d0331999bb9d891a08242ead84543df895a3')
  )
  t.equal(
    Buffer.from(key.fingerprint).toString('hex'),
    'cb186c4f0609a697e4d52dfa6c722b0c1f1e27c18a56708f6525ec27bad9acc9'
  )
})

t.test('the secret part is not looked into', async (t) => {
  const made = makeKey('rsa')
  const key = parsePublicKeyPacket(bytes(made.body, 254, 9, 3, 8, 1, 2, 3), true)
  t.same(key.body, made.body)
  t.same(key.fingerprint, made.fingerprint)
  t.equal(
    await refusalText(() => parsePublicKeyPacket(made.body, true)),
    'invalid_request: openpgp: invalid data: no secret key material'
  )
})

t.test('what else is read', async (t) => {
  const cases: Readonly<Record<string, Uint8Array>> = {
    'RSA for encryption': body(2, mpi(bytes(7)), mpi(bytes(3))),
    'RSA for signing': body(3, mpi(bytes(7)), mpi(bytes(1, 0, 1))),
    Elgamal: body(16, mpi(bytes(7)), mpi(bytes(8)), mpi(bytes(9))),
    'ECDH on Curve25519': body(18, CURVE25519, point(33), KDF),
    'ECDH on X448': body(18, X448, point(57), KDF),
    'ECDH on P-256, whatever the point': body(18, P256, mpi(bytes(4, 1)), KDF),
    'ECDH with more in the KDF': body(18, CURVE25519, point(33), bytes(4, 1, 8, 7, 9)),
    X25519: body(25, new Uint8Array(32)),
    X448: body(26, new Uint8Array(56)),
    Ed448: body(28, new Uint8Array(57)),
    'EdDSA on Ed448': body(22, hex('032b6571'), point(58)),
    'v6 ECDH on P-256': bodyV6(18, bytes(P256, mpi(bytes(4, 1)), KDF))
  }
  for (const [name, input] of Object.entries(cases)) {
    t.same(parsePublicKeyPacket(input).body, input, name)
  }
})

t.test('what is passed over, refused, or ends everything', async (t) => {
  const unsupported = 'unsupported: openpgp: unsupported feature: '
  const structural = 'invalid_request: openpgp: invalid data: '
  const short = 'invalid_request: unexpected EOF'
  const cases: readonly (readonly [name: string, input: Uint8Array, message: string])[] = [
    ['nothing', bytes(), short],
    ['too short', bytes(4, 0, 0), short],
    ['version 3', bytes(3, uint(CREATED, 4), 1, 0, 0), `${unsupported}public key version 3`],
    ['version 5', bytes(5, uint(CREATED, 4), 1, 0, 0), `${unsupported}public key version 5`],
    ['unknown algorithm', body(99), `${unsupported}public key type: 99`],
    ['RSA cut off', body(1, 0, 9, 1), short],
    [
      'RSA exponent',
      body(1, mpi(bytes(7)), mpi(bytes(1, 0, 0, 1))),
      `${unsupported}large public exponent`
    ],
    ['DSA cut off', body(17, mpi(bytes(7)), mpi(bytes(7)), mpi(bytes(7))), short],
    ['reserved curve', body(19, 0, 1), `${unsupported}reserved for future extensions`],
    ['reserved curve length', body(19, 255, 1), `${unsupported}reserved for future extensions`],
    ['unknown curve', body(19, 1, 7, mpi(bytes(4))), `${unsupported}unknown oid: 07`],
    ['ECDSA on Ed25519', body(19, ED25519, point(33)), `${unsupported}unsupported oid: ed25519`],
    [
      'ECDSA short point',
      body(19, P256, point(64, 4)),
      'invalid_request: ecdsa: failed to parse EC point'
    ],
    [
      'ECDSA compressed',
      body(19, P256, point(65, 2)),
      'invalid_request: ecdsa: failed to parse EC point'
    ],
    [
      'ECDSA off the curve',
      body(19, P256, point(65, 4)),
      'invalid_request: ecdsa: failed to parse EC point'
    ],
    [
      'ECDH on Ed25519',
      body(18, ED25519, point(33), KDF),
      `${unsupported}unsupported oid: ed25519`
    ],
    [
      'ECDH short KDF',
      body(18, CURVE25519, point(33), 2, 1, 8),
      `${unsupported}unsupported ECDH KDF length: 2`
    ],
    [
      'ECDH shorter KDF',
      body(18, CURVE25519, point(33), 1, 1),
      `${unsupported}unsupported ECDH KDF length: 1`
    ],
    [
      'ECDH KDF field',
      body(18, CURVE25519, point(33), 3, 2, 8, 7),
      `${unsupported}unsupported KDF reserved field: 2`
    ],
    [
      'ECDH KDF hash',
      body(18, CURVE25519, point(33), 3, 1, 2, 7),
      `${unsupported}unsupported ECDH KDF hash: 2`
    ],
    [
      'ECDH KDF cipher',
      body(18, CURVE25519, point(33), 3, 1, 8, 1),
      `${unsupported}unsupported ECDH KDF cipher: 1`
    ],
    [
      'ECDH point',
      body(18, CURVE25519, point(32), KDF),
      'invalid_request: ecdh: failed to parse EC point'
    ],
    [
      'v6 ECDH on Curve25519',
      bodyV6(18, bytes(CURVE25519, point(33), KDF)),
      `${structural}cannot read v6 key with deprecated OID: Curve25519Legacy`
    ],
    [
      'EdDSA on Curve25519',
      body(22, CURVE25519, point(33)),
      `${unsupported}unsupported oid: x25519`
    ],
    ['EdDSA no point', body(22, ED25519, mpi(bytes())), `${structural}empty EdDSA public key`],
    [
      'EdDSA other point',
      body(22, ED25519, point(33, 4)),
      `${unsupported}unsupported EdDSA compression: 4`
    ],
    [
      'EdDSA short point',
      body(22, ED25519, point(32)),
      'invalid_request: eddsa: failed to parse EC point'
    ],
    [
      'v6 EdDSA',
      bodyV6(22, bytes(ED25519, point(33))),
      `${structural}cannot generate v6 key with deprecated algorithm: EdDSALegacy`
    ],
    [
      'v6 length',
      bytes(6, uint(CREATED, 4), 27, uint(31, 4), new Uint8Array(32)),
      `${structural}wrong length of key material`
    ],
    ['Ed25519 cut off', body(27, new Uint8Array(31)), short],
    ['trailing byte', body(27, new Uint8Array(33)), `${structural}data after the key material`]
  ]
  for (const [name, input, message] of cases) {
    t.equal(await refusalText(() => parsePublicKeyPacket(input)), message, name)
  }
})

t.test('what parses is kept to the byte; nothing but refusals otherwise', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const bodies = (['ed25519', 'eddsa', 'p256', 'rsa', 'dsa'] satisfies KeyKind[]).map(
    (kind) => makeKey(kind).body
  )
  bodies.push(makeKey('ed25519', 1, { version: 6 }).body, body(18, CURVE25519, point(33), KDF))
  let read = 0
  for (let i = 0; i < 3000; i++) {
    const mutated = mutate(random.pick(bodies), random)
    const key = await unlessRefused(() => parsePublicKeyPacket(mutated))
    if (key === undefined) continue
    read++
    if (!Buffer.from(key.body).equals(mutated))
      t.fail(`not kept: ${Buffer.from(mutated).toString('hex')}`)
    const hash = createHash(key.version === 6 ? 'sha256' : 'sha1')
      .update(keyForHash(key))
      .digest()
    if (!hash.equals(key.fingerprint)) t.fail('fingerprint')
  }
  t.ok(read > 10, `${read} of 3000 were read`)
})
