import t from 'tap'
import {
  parseHeaderSignature,
  verifyHeaderSignature
} from '../../../src/keys/pgp/header-signature.js'
import { parseKeyRing } from '../../../src/keys/pgp/key-ring.js'
import { mutate } from '../../helpers/mutations.js'
import {
  bind,
  bytes,
  certify,
  CREATED,
  makeKey,
  makeSignature,
  oldPacket,
  packet,
  signData,
  simpleRing,
  subpacket,
  uint,
  USER_ID,
  utf8,
  type SignatureOptions,
  type TestKey
} from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'

const key = makeKey('ed25519', 1)
const other = makeKey('ed25519', 2)
const subkey = makeKey('ed25519', 3)
const v6 = makeKey('ed25519', 1, { version: 6 })
const DATA = utf8('line one\nline two\r\n')

async function verify(ring: Uint8Array, signature: Uint8Array, data = DATA): Promise<void> {
  await verifyHeaderSignature(await parseKeyRing(ring), parseHeaderSignature(signature), data)
}

/** Names its issuer by key ID alone, as old software does. */
const byKeyId = (signer: TestKey, options: SignatureOptions = {}) =>
  signData(signer, DATA, {
    anonymous: true,
    hashedSubpackets: [subpacket(16, signer.keyId)],
    ...options
  })
const withSubkey = (...bindings: Uint8Array[]) =>
  bytes(simpleRing(key), packet(14, subkey.body), ...bindings)
const revoked = (code: number) =>
  bytes(
    packet(6, key.body),
    packet(
      2,
      makeSignature(key, 0x20, key.hashed, { hashedSubpackets: [subpacket(29, bytes(code))] })
    ),
    packet(13, USER_ID),
    certify(key, key, USER_ID)
  )

t.test('what verifies', async (t) => {
  const rsa = makeKey('rsa')
  const cases: Readonly<Record<string, readonly [ring: Uint8Array, signature: Uint8Array]>> = {
    'a primary key, by fingerprint': [simpleRing(key), signData(key, DATA)],
    'a primary key, by key ID': [simpleRing(key), byKeyId(key)],
    'a subkey, by fingerprint': [withSubkey(bind(key, subkey)), signData(subkey, DATA)],
    'a subkey, by key ID': [withSubkey(bind(key, subkey)), byKeyId(subkey)],
    'the right one of several keys': [bytes(simpleRing(other), simpleRing(key)), byKeyId(key)],
    'RSA over SHA-1': [simpleRing(rsa), signData(rsa, DATA, { hash: 2 })],
    'an old packet header': [simpleRing(key), oldPacket(2, makeSignature(key, 0, DATA))],
    // What a detached signature would be refused for:
    'a primary key that may not sign': [simpleRing(key, { flags: 1 }), signData(key, DATA)],
    'a subkey for encryption': [
      withSubkey(bind(key, subkey, { flags: 0x0c })),
      signData(subkey, DATA)
    ],
    'an expired key': [
      simpleRing(key, { keyLifetime: 10 }),
      signData(key, DATA, { created: CREATED + 100 })
    ],
    'an expired subkey': [
      withSubkey(bind(key, subkey, { keyLifetime: 10 })),
      signData(subkey, DATA, { created: CREATED + 100 })
    ],
    'older than the key': [simpleRing(key), signData(key, DATA, { created: CREATED - 100 })],
    'an expired signature': [simpleRing(key), signData(key, DATA, { lifetime: 1 })],
    'a compromised key': [revoked(2), signData(key, DATA)],
    'a revoked subkey': [
      withSubkey(bind(key, subkey), bind(key, subkey, { type: 0x28, flags: 0 })),
      signData(subkey, DATA)
    ],
    'an unknown critical notation': [
      simpleRing(key),
      signData(key, DATA, {
        hashedSubpackets: [subpacket(20, bytes(uint(0, 4), 0, 1, 0, 0, utf8('a')), true)]
      })
    ],
    'any type, over the bytes as they are': [simpleRing(key), signData(key, DATA, { type: 1 })]
  }
  for (const [name, [ring, signature]] of Object.entries(cases))
    await t.resolves(verify(ring, signature), name)
})

t.test('what does not', async (t) => {
  const wrong = 'verification_failed: openpgp: invalid signature: Ed25519 verification failure'
  const id = (signer: TestKey) => Buffer.from(signer.keyId).toString('hex')
  const fromId = (hex: string) =>
    byKeyId(key, { hashedSubpackets: [subpacket(16, bytes(Buffer.from(hex, 'hex')))] })
  const ring = simpleRing(key)
  const cases: Readonly<
    Record<string, readonly [ring: Uint8Array, signature: Uint8Array, message: string]>
  > = {
    'somebody else, by fingerprint': [
      simpleRing(other),
      signData(key, DATA),
      `verification_failed: keyid ${id(key)} not found`
    ],
    'somebody else, by key ID': [
      simpleRing(other),
      byKeyId(key),
      `verification_failed: keyid ${id(key)} not found`
    ],
    'key ID with leading zeros': [
      ring,
      fromId('000123456789abcd'),
      'verification_failed: keyid 123456789abcd not found'
    ],
    'key ID of little else': [
      ring,
      fromId('0000000000000012'),
      'verification_failed: keyid 00000012 not found'
    ],
    'the fingerprint counts, not the key ID': [
      ring,
      signData(key, DATA, {
        hashedArea: bytes(
          subpacket(2, uint(CREATED, 4)),
          subpacket(33, bytes(4, other.fingerprint)),
          subpacket(16, key.keyId)
        )
      }),
      `verification_failed: keyid ${id(key)} not found`
    ],
    'a v6 signature': [
      bytes(packet(6, v6.body), packet(2, makeSignature(v6, 0x1f, v6.hashed, { flags: 2 }))),
      signData(v6, DATA),
      'unsupported: openpgp: unsupported feature: signature packet version 6'
    ],
    'another signer under this key ID': [
      ring,
      signData(other, DATA, { anonymous: true, hashedSubpackets: [subpacket(16, key.keyId)] }),
      wrong
    ]
  }
  for (const [name, [keys, signature, message]] of Object.entries(cases))
    t.equal(await refusalText(() => verify(keys, signature)), message, name)
  t.equal(
    await refusalText(() => verify(ring, signData(key, DATA), utf8('line one\nline two\n'))),
    wrong,
    'other data'
  )
})

t.test('values that are no single v4 signature', async (t) => {
  const good = signData(key, DATA)
  const trailing = 'invalid_request: trailing garbage after PGP signature packet'
  const none = 'invalid_request: no supported PGP signature packet found'
  // version, length 5, type, time, key ID, algorithms, hash tag, one MPI
  const v3 = packet(2, bytes(3, 5, 0, uint(CREATED, 4), key.keyId, 1, 2, 0, 0, uint(8, 2), 0xff))
  const cases: readonly (readonly [name: string, value: Uint8Array, message: string])[] = [
    ['v3', v3, 'unsupported: openpgp: unsupported feature: signature packet version 3'],
    [
      'v3 and more',
      bytes(v3, good),
      'unsupported: openpgp: unsupported feature: signature packet version 3'
    ],
    ['two signatures', bytes(good, good), trailing],
    ['a zero byte after it', bytes(good, 0), trailing],
    ['user ID', packet(13, USER_ID), none],
    ['user ID, then a signature', bytes(packet(13, USER_ID), good), trailing],
    ['without issuer', signData(key, DATA, { anonymous: true }), none],
    ['nothing', bytes(), 'invalid_request: unexpected EOF'],
    ['empty packet', packet(2, bytes()), 'invalid_request: unexpected EOF'],
    ['cut off', good.subarray(0, -1), 'invalid_request: unexpected EOF'],
    [
      'text',
      utf8('signature'),
      'invalid_request: openpgp: invalid data: tag byte does not have MSB set'
    ],
    [
      'MD5',
      signData(key, DATA, { hash: 1 }),
      'unsupported: openpgp: unsupported feature: hash function 1'
    ]
  ]
  for (const [name, value, message] of cases)
    t.equal(await refusalText(() => parseHeaderSignature(value)), message, name)
})

t.test('fuzz: no mutated signature verifies for other data', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const entities = await parseKeyRing(withSubkey(bind(key, subkey)))
  const bases = [signData(key, DATA), byKeyId(subkey)]
  const wrong: string[] = []
  let read = 0
  for (let i = 0; i < 1500; i++) {
    const input =
      random.below(20) === 0 ? random.bytes(random.below(60)) : mutate(random.pick(bases), random)
    const signature = await unlessRefused(() => parseHeaderSignature(input))
    if (signature === undefined) continue
    read++
    const accepted = await unlessRefused(async () => {
      await verifyHeaderSignature(entities, signature, bytes(DATA, 0))
      return true
    })
    if (accepted) wrong.push(Buffer.from(input).toString('hex'))
  }
  t.same(wrong, [])
  t.ok(read > 100, `${read} were read`)
})
