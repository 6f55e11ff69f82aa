import t from 'tap'
import {
  emailsOf,
  MAX_KEY_RING_BYTES,
  MAX_SIGNATURE_CHECKS,
  parseKeyRing
} from '../../../src/keys/pgp/key-ring.js'
import {
  armored,
  bind,
  bytes,
  certify,
  CREATED,
  describeKey,
  makeKey,
  packet,
  simpleRing,
  uint,
  USER_ID,
  utf8,
  type TestKey
} from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

const key = makeKey('ed25519', 1)
const other = makeKey('ed25519', 2)
const x25519 = describeKey(
  'ed25519',
  4,
  25,
  key.secret,
  bytes(4, uint(CREATED, 4), 25, new Uint8Array(32))
)
const unsigned = bytes(packet(6, key.body), packet(13, USER_ID))
const publicBlock = (ring: Uint8Array) => armored('PGP PUBLIC KEY BLOCK', ring)

async function bodiesOf(ring: Uint8Array): Promise<readonly Uint8Array[]> {
  return (await parseKeyRing(ring)).map(({ primaryKey }) => primaryKey.body)
}

t.test('binary and armored, one key and several', async (t) => {
  const one = simpleRing(key)
  const two = bytes(one, simpleRing(other))
  t.same(await bodiesOf(one), [key.body])
  t.same(await bodiesOf(two), [key.body, other.body])
  t.same(await bodiesOf(publicBlock(two)), [key.body, other.body])
  t.same(
    await bodiesOf(
      bytes(publicBlock(one), utf8('between\n'), publicBlock(simpleRing(other)), utf8('after'))
    ),
    [key.body, other.body]
  )
  t.same(await bodiesOf(armored('PGP PRIVATE KEY BLOCK', one)), [key.body])
})

t.test('keys that cannot be read are passed over as long as one remains', async (t) => {
  const good = simpleRing(other)
  const cases: Readonly<Record<string, Uint8Array>> = {
    'no user ID signed': bytes(unsigned, good),
    'version 3': bytes(packet(6, bytes(3, 0, 0, 0, 0, 0)), packet(13, USER_ID), good),
    'packets before': bytes(packet(13, USER_ID), packet(17, bytes()), good),
    'after it': bytes(good, unsigned),
    'with a subkey': bytes(unsigned, packet(14, x25519.body), good)
  }
  for (const [name, ring] of Object.entries(cases)) t.same(await bodiesOf(ring), [other.body], name)
})

const secret = (made: TestKey, tag = 5) => packet(tag, bytes(made.body, 0, 1, 2, 3))
const secretRing = (...subkeys: Uint8Array[]) =>
  bytes(secret(key), packet(13, USER_ID), certify(key, key, USER_ID), ...subkeys)
const encryption = (flags = 12) => bytes(secret(x25519, 7), bind(key, x25519, { flags }))

t.test('secret keys', async (t) => {
  const refused = 'invalid_request: no PGP public keys could be read'
  t.equal(await refusalText(() => parseKeyRing(secretRing(encryption()))), refused)
  t.equal(await refusalText(() => parseKeyRing(secretRing(encryption(4)))), refused)
  t.equal(
    await refusalText(() =>
      parseKeyRing(armored('PGP PRIVATE KEY BLOCK', secretRing(encryption())))
    ),
    refused
  )
  // As many as there are keys, not these keys themselves: what slips through is only ever public.
  for (const ring of [
    secretRing(),
    secretRing(encryption(), encryption()),
    secretRing(bytes(packet(14, x25519.body), bind(key, x25519, { flags: 12 }))),
    secretRing(bytes(secret(other, 7), bind(key, other))),
    secretRing(bytes(secret(x25519, 7), bind(key, x25519, { flags: 1, cross: false }))),
    secretRing(
      bytes(secret(x25519, 7), bind(key, x25519, { hashedArea: bytes(5, 2, uint(CREATED, 4)) }))
    )
  ]) {
    t.same(await bodiesOf(ring), [key.body])
  }
  t.equal(
    await refusalText(() => parseKeyRing(bytes(unsigned, secretRing()))),
    'invalid_request: error reading binary PGP public key: openpgp: invalid data: v4 entity without any identities',
    'a secret key is not what is looked for after a bad one'
  )
})

t.test('what is refused', async (t) => {
  const binary = 'invalid_request: error reading binary PGP public key: '
  const text = 'invalid_request: error reading PGP public key: '
  const block = Buffer.from(publicBlock(simpleRing(key))).toString()
  const cases: readonly (readonly [name: string, ring: Uint8Array, message: string])[] = [
    ['nothing', bytes(), 'invalid_request: unable to read PGP public key: EOF'],
    ['13 bytes', new Uint8Array(13), 'invalid_request: unable to read PGP public key: EOF'],
    [
      'too long',
      new Uint8Array(MAX_KEY_RING_BYTES + 1),
      `invalid_request: PGP public key over ${MAX_KEY_RING_BYTES} bytes`
    ],
    [
      'text',
      utf8('This is not a key.'),
      `${binary}openpgp: invalid data: tag byte does not have MSB set`
    ],
    [
      'white space before armor',
      utf8(`\n${block}`),
      `${binary}openpgp: invalid data: tag byte does not have MSB set`
    ],
    ['cut off', simpleRing(key).subarray(0, -1), `${binary}unexpected EOF`],
    [
      'no key',
      packet(13, new Uint8Array(20)),
      `${binary}openpgp: invalid data: first packet was not a public/private key`
    ],
    [
      'nothing of use',
      packet(12, new Uint8Array(20)),
      'invalid_request: no PGP public keys could be read'
    ],
    [
      'message',
      packet(11, new Uint8Array(20)),
      `${binary}openpgp: unknown critical packet type: 11`
    ],
    [
      'bad signature on the way to the next key',
      bytes(unsigned, packet(2, bytes(4, 0)), simpleRing(other)),
      `${binary}unexpected EOF`
    ],
    [
      'a block of another type',
      armored('PGP MESSAGE', simpleRing(key)),
      'invalid_request: invalid PGP type detected'
    ],
    [
      'no end',
      utf8(block.slice(0, block.indexOf('-----END'))),
      'invalid_request: no PGP public keys could be read'
    ],
    [
      'no empty line',
      utf8(block.replace('\n\n', '\n')),
      'invalid_request: invalid PGP public key provided: EOF'
    ],
    [
      'bad base64',
      utf8(block.replace('\n\n', '\n\n!')),
      `${text}armor: illegal base64 data at input byte 0`
    ],
    [
      'bad key inside',
      publicBlock(unsigned),
      `${text}openpgp: invalid data: v4 entity without any identities`
    ],
    [
      'a bad block after a good one',
      bytes(publicBlock(simpleRing(key)), publicBlock(unsigned)),
      `${text}openpgp: invalid data: v4 entity without any identities`
    ]
  ]
  for (const [name, ring, message] of cases) {
    t.equal(await refusalText(() => parseKeyRing(ring)), message, name)
  }
})

t.test('errors that are not ours are not dressed up', async (t) => {
  const ring = simpleRing(key)
  Object.defineProperty(ring, 'subarray', {
    value: () => {
      throw new TypeError('bug')
    }
  })
  await t.rejects(parseKeyRing(ring), TypeError)
})

const repeated = (part: Uint8Array, count: number) =>
  Uint8Array.from(Buffer.concat(Array.from({ length: count }, () => part)))

t.test('a limited number of checks', async (t) => {
  const ring = (count: number) =>
    bytes(packet(6, key.body), packet(13, USER_ID), repeated(certify(key, key, USER_ID), count))
  t.equal((await parseKeyRing(ring(MAX_SIGNATURE_CHECKS))).length, 1)
  const half = publicBlock(ring(MAX_SIGNATURE_CHECKS / 2 + 1))
  t.equal(
    await refusalText(() => parseKeyRing(bytes(half, half))),
    `invalid_request: error reading PGP public key: openpgp: more than ${MAX_SIGNATURE_CHECKS} self-signatures`,
    'counted over all blocks'
  )
})

t.test('input made to be slow', async (t) => {
  const newlines = new Uint8Array(MAX_KEY_RING_BYTES).fill(0x0a)
  newlines.set(utf8('-----BEGIN PGP'))
  const blocks = repeated(publicBlock(packet(12, new Uint8Array(20))), 3000)
  const flooded = bytes(simpleRing(key), repeated(certify(other, key, USER_ID), 10_000))
  const keysOnly = repeated(packet(6, key.body), 19_000)
  const start = performance.now()
  t.match(await refusalText(() => parseKeyRing(newlines)), 'no PGP public keys could be read')
  t.match(await refusalText(() => parseKeyRing(blocks)), 'no PGP public keys could be read')
  t.equal((await parseKeyRing(flooded))[0]?.identities[0]?.signatures.length, 10_001)
  t.match(await refusalText(() => parseKeyRing(keysOnly)), 'v4 entity without any identities')
  // About 1 s; what is quadratic in any of these takes minutes.
  t.ok(performance.now() - start < 20_000)
})

t.test('e-mail addresses', async (t) => {
  const userIds = [
    'A <a@example.com>',
    'b@example.com',
    'no address',
    'A <a@example.com> again',
    'x <bad@>'
  ]
  const ring = bytes(
    packet(6, key.body),
    ...userIds.map((text) => bytes(packet(13, utf8(text)), certify(key, key, utf8(text)))),
    simpleRing(other)
  )
  t.same(emailsOf(await parseKeyRing(ring)), [
    'a@example.com',
    'b@example.com',
    'a@example.com',
    'test@example.com'
  ])
})
