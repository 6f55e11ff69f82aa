import t from 'tap'
import { LogError } from '../../../src/errors.js'
import { checkSignature } from '../../../src/keys/pgp/check-signature.js'
import { maySign, readEntity, type Entity } from '../../../src/keys/pgp/entity.js'
import { createPacketSource } from '../../../src/keys/pgp/packet-source.js'
import { splitPackets } from '../../../src/keys/pgp/packets.js'
import {
  bind,
  bytes,
  certify,
  CREATED,
  describeKey,
  makeKey,
  makeSignature,
  packet,
  simpleRing,
  subpacket,
  uint,
  USER_ID,
  utf8,
  type SignatureOptions,
  type TestKey
} from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

const key = makeKey('ed25519', 1)
const other = makeKey('ed25519', 2)
const subkey = makeKey('ed25519', 3)
const v6 = makeKey('ed25519', 1, { version: 6 })
const v6Other = makeKey('ed25519', 2, { version: 6 })
const SECOND = utf8('Second <second@example.com>')

const read = (...packets: Uint8Array[]): Promise<Entity | undefined> =>
  readEntity(createPacketSource(splitPackets(bytes(...packets))), checkSignature)

async function entityOf(...packets: Uint8Array[]): Promise<Entity> {
  const entity = await read(...packets)
  if (entity === undefined) throw new Error('no entity')
  return entity
}

const primary = packet(6, key.body)
const userId = packet(13, USER_ID)
const selfSigned = bytes(userId, certify(key, key, USER_ID))
const onKey = (signer: TestKey, type: number, on: TestKey, options: SignatureOptions = {}) =>
  packet(2, makeSignature(signer, type, on.hashed, options))
const direct = (options: SignatureOptions = {}) => onKey(v6, 0x1f, v6, { flags: 3, ...options })

const structural = 'invalid_request: openpgp: invalid data: '
const wrong = 'openpgp: invalid signature: Ed25519 verification failure'

t.test('nothing at the end of the packets', async (t) => {
  t.equal(await read(), undefined)
})

t.test('a key with one user ID', async (t) => {
  const entity = await entityOf(simpleRing(key))
  t.same(entity.primaryKey.body, key.body)
  t.equal(entity.identities.length, 1)
  t.same(entity.identities[0]?.userId, USER_ID)
  t.equal(entity.identities[0]?.selfSignature, entity.identities[0]?.signatures[0])
  t.same(
    [entity.revocations, entity.directSignatures, entity.directSelfSignature, entity.subkeys],
    [[], [], undefined, []]
  )
})

t.test('stops before the next key', async (t) => {
  const source = createPacketSource(splitPackets(bytes(simpleRing(key), simpleRing(other))))
  t.same((await readEntity(source, checkSignature))?.primaryKey.body, key.body)
  t.same((await readEntity(source, checkSignature))?.primaryKey.body, other.body)
  t.equal(await readEntity(source, checkSignature), undefined)
})

t.test('user IDs', async (t) => {
  const later = certify(key, key, USER_ID, { created: CREATED + 9 })
  const entity = await entityOf(
    primary,
    userId,
    certify(key, key, USER_ID),
    certify(other, key, USER_ID, { type: 0x10 }),
    later,
    certify(key, key, USER_ID, { type: 0x30, created: CREATED + 5 }),
    // Only somebody else vouches for this one, and with a signature that is not even good.
    packet(13, SECOND),
    certify(other, other, SECOND),
    packet(17, bytes(1)),
    certify(other, key, SECOND)
  )
  t.equal(entity.identities.length, 1)
  const [identity] = entity.identities
  t.equal(identity?.signatures.length, 4)
  t.equal(identity?.selfSignature?.createdSeconds, CREATED + 9, 'the newest')
  t.equal(identity?.revocations.length, 1)
})

t.test('a user ID that appears twice counts once, as it was last', async (t) => {
  const again = bytes(userId, certify(key, key, USER_ID, { created: CREATED + 9 }))
  const second = bytes(packet(13, SECOND), certify(key, key, SECOND))
  const entity = await entityOf(primary, selfSigned, second, again)
  t.same(
    entity.identities.map(({ selfSignature }) => selfSignature?.createdSeconds),
    [CREATED + 9, CREATED]
  )
  const without = await entityOf(primary, selfSigned, userId)
  t.equal(without.identities.length, 1, 'the same without a signature changes nothing')
})

t.test('a user ID that is only revoked', async (t) => {
  const entity = await entityOf(primary, userId, certify(key, key, USER_ID, { type: 0x30 }))
  t.equal(entity.identities[0]?.selfSignature, undefined)
  t.equal(entity.identities[0]?.revocations.length, 1)
})

t.test('who made a self-signature', async (t) => {
  const byKeyId = { anonymous: true, unhashedSubpackets: [subpacket(16, key.keyId)] }
  const entity = await entityOf(primary, userId, certify(key, key, USER_ID, byKeyId))
  t.ok(entity.identities[0]?.selfSignature, 'by key ID')
  t.equal(
    await refusalText(() => read(primary, userId, certify(key, key, USER_ID, { anonymous: true }))),
    `${structural}v4 entity without any identities`,
    'by nobody'
  )
})

t.test('revocations of the key', async (t) => {
  const entity = await entityOf(primary, onKey(key, 0x20, key), onKey(key, 0x20, key), selfSigned)
  t.equal(entity.revocations.length, 2)
  t.equal(
    await refusalText(() => read(primary, onKey(other, 0x20, key), selfSigned)),
    `${structural}revocation signature signed by alternate key`
  )
})

t.test(
  'signatures directly over a v4 key and those that belong nowhere are left out',
  async (t) => {
    const entity = await entityOf(
      primary,
      onKey(other, 0x1f, key),
      onKey(other, 0x13, key),
      selfSigned
    )
    t.same(entity.directSignatures, [])
    t.equal(entity.directSelfSignature, undefined)
  }
)

t.test('subkeys', async (t) => {
  const entity = await entityOf(
    simpleRing(key),
    packet(14, subkey.body),
    bind(key, subkey),
    bind(key, subkey, { created: CREATED + 9 }),
    bind(key, subkey, { created: CREATED + 9, flags: 4 }),
    bind(key, subkey, { type: 0x28, flags: 0 }),
    packet(7, bytes(other.body, 0)),
    bind(key, other, { flags: 12 })
  )
  t.match(entity.subkeys, [
    { isSecret: false, binding: { createdSeconds: CREATED + 9, keyFlags: 2 } },
    { isSecret: true, binding: { keyFlags: 12 } }
  ])
  t.equal(entity.subkeys[0]?.revocations.length, 1)
  t.same(entity.subkeys[0]?.key.body, subkey.body)
})

t.test('v6 keys', async (t) => {
  const lone = await entityOf(packet(6, v6.body), direct())
  t.same(lone.identities, [])
  t.equal(lone.directSelfSignature, lone.directSignatures[0])
  const full = await entityOf(
    packet(6, v6.body),
    onKey(v6, 0x20, v6),
    direct({ created: CREATED + 9 }),
    direct(),
    onKey(v6Other, 0x1f, v6),
    userId,
    certify(v6, v6, USER_ID),
    packet(14, v6Other.body),
    bind(v6, v6Other)
  )
  t.equal(full.directSignatures.length, 3)
  t.equal(full.directSelfSignature?.createdSeconds, CREATED + 9)
  t.equal(full.identities.length, 1)
  t.equal(full.subkeys.length, 1)
  t.equal(full.revocations.length, 1)
})

t.test('what costs the key', async (t) => {
  const withSubkey = (...rest: Uint8Array[]) => [simpleRing(key), packet(14, subkey.body), ...rest]
  const x25519 = describeKey(
    'ed25519',
    4,
    25,
    key.secret,
    bytes(4, uint(CREATED, 4), 25, new Uint8Array(32))
  )
  const missing =
    'subkey signature invalid: openpgp: invalid data: signing subkey is missing cross-signature'
  const badCross =
    'subkey signature invalid: openpgp: invalid data: error while verifying cross-signature: '
  const cases: readonly (readonly [name: string, packets: Uint8Array[], message: string])[] = [
    ['a user ID first', [selfSigned], 'first packet was not a public/private key'],
    [
      'a key that only encrypts',
      [packet(6, x25519.body)],
      'primary key cannot be used for signatures'
    ],
    ['no user ID', [primary], 'v4 entity without any identities'],
    ['unsigned user ID', [primary, userId], 'v4 entity without any identities'],
    [
      'bad self-signature',
      [primary, userId, certify(key, key, SECOND)],
      `user ID self-signature invalid: ${wrong}`
    ],
    [
      'binding under a user ID',
      [primary, selfSigned, bind(key, subkey)],
      'user ID signature with wrong type'
    ],
    ['unbound subkey', withSubkey(), 'subkey packet not followed by signature'],
    [
      'only revoked subkey',
      withSubkey(bind(key, subkey, { type: 0x28, flags: 0 })),
      'subkey packet not followed by signature'
    ],
    ['bound by another', withSubkey(bind(other, subkey)), `subkey signature invalid: ${wrong}`],
    [
      'certified subkey',
      withSubkey(certify(key, key, USER_ID)),
      'subkey signature with wrong type'
    ],
    ['no cross-signature', withSubkey(bind(key, subkey, { cross: false })), missing],
    [
      'somebody else’s cross-signature',
      withSubkey(bind(key, describeKey('ed25519', 4, 27, other.secret, subkey.body))),
      `${badCross}${wrong}`
    ],
    [
      'v6 without direct signature',
      [packet(6, v6.body), userId, certify(v6, v6, USER_ID)],
      'no valid direct-key self-signature for v6 primary key found'
    ],
    [
      'v6 signed by another',
      [packet(6, v6.body), onKey(v6Other, 0x1f, v6)],
      'no valid direct-key self-signature for v6 primary key found'
    ],
    [
      'v6 with a bad signature',
      [packet(6, v6.body), onKey(v6, 0x1f, v6Other)],
      'invalid direct-key self-signature for v6 primary key'
    ]
  ]
  for (const [name, packets, message] of cases) {
    t.equal(await refusalText(() => read(...packets)), structural + message, name)
  }
})

t.test('other errors of a check are passed on', async (t) => {
  const limit = new LogError('invalid_request', 'too many')
  const source = createPacketSource(splitPackets(simpleRing(key)))
  const err = await t.rejects(
    readEntity(source, async () => {
      throw limit
    })
  )
  t.equal(err, limit)
})

t.test('flags', async (t) => {
  const entity = await entityOf(simpleRing(key))
  const signature = entity.identities[0]?.signatures[0]
  if (signature === undefined) throw new Error('no signature')
  t.equal(maySign({ ...signature, keyFlags: 2 }), true)
  t.equal(maySign({ ...signature, keyFlags: 0xfd }), false)
  t.equal(maySign({ ...signature, keyFlags: undefined }), false)
})
