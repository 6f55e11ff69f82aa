import t from 'tap'
import { parseKeyRing } from '../../../src/keys/pgp/key-ring.js'
import {
  allKeys,
  keysByFingerprint,
  keysById,
  primaryIdentity,
  primarySelfSignature
} from '../../../src/keys/pgp/lookup.js'
import type { Entity, Identity } from '../../../src/keys/pgp/entity.js'
import {
  bind,
  bytes,
  certify,
  CREATED,
  makeKey,
  makeSignature,
  packet,
  simpleRing,
  subpacket,
  USER_ID,
  utf8,
  type TestKey
} from '../../helpers/pgp.js'

const key = makeKey('ed25519', 1)
const other = makeKey('ed25519', 2)
const subkey = makeKey('ed25519', 3)
const v6 = makeKey('ed25519', 1, { version: 6 })
const v6Key = bytes(
  packet(6, v6.body),
  packet(2, makeSignature(v6, 0x1f, v6.hashed)),
  packet(13, USER_ID),
  certify(v6, v6, USER_ID)
)
const idOf = ({ keyId }: TestKey) => Buffer.from(keyId).toString('hex')

t.test('keys by ID and by fingerprint', async (t) => {
  const entities = await parseKeyRing(
    bytes(
      simpleRing(key),
      packet(14, subkey.body),
      bind(key, subkey),
      bind(key, subkey, { type: 0x28, flags: 0 }),
      simpleRing(other),
      packet(14, subkey.body),
      bind(other, subkey),
      v6Key
    )
  )
  const [first, second, third] = entities
  t.same(
    allKeys(entities).map((found) => found.key.keyId),
    [key, subkey, other, subkey, v6].map(idOf)
  )
  t.match(keysById(entities, idOf(key)), [
    { entity: first, selfSignature: first?.identities[0]?.selfSignature, revocations: [] }
  ])
  const shared = keysById(entities, idOf(subkey))
  t.same(
    shared.map(({ entity }) => entity),
    [first, second]
  )
  t.equal(shared[0]?.selfSignature, first?.subkeys[0]?.binding)
  t.equal(shared[0]?.revocations.length, 1)
  t.equal(shared[1]?.revocations.length, 0)
  t.same(keysByFingerprint(entities, subkey.fingerprint), shared)
  t.match(keysByFingerprint(entities, v6.fingerprint), [
    { entity: third, selfSignature: third?.directSelfSignature }
  ])
  t.same(keysById(entities, '0000000000000000'), [])
  t.same(keysByFingerprint(entities, new Uint8Array(20)), [])
})

t.test('the user ID that speaks for a key', async (t) => {
  // Each identity as it is made: name, options of its self-certification, whether revoked.
  const make = async (
    ...made: readonly (readonly [
      created: number,
      isPrimary: boolean,
      revoked: boolean,
      certified?: boolean
    ])[]
  ) => {
    const parts = made.map(([created, isPrimary, revoked, certified = true], i) => {
      const userId = utf8(`user ${i}`)
      const hashedSubpackets = isPrimary ? [subpacket(25, bytes(1))] : []
      return bytes(
        packet(13, userId),
        certified ? certify(key, key, userId, { created, hashedSubpackets }) : bytes(),
        revoked ? certify(key, key, userId, { type: 0x30 }) : bytes()
      )
    })
    const [entity] = await parseKeyRing(bytes(packet(6, key.body), ...parts))
    return entity as Entity // a ring that parses is not empty
  }
  const cases: readonly (readonly [name: string, entity: Entity, index: number])[] = [
    ['only one', await make([CREATED, false, false]), 0],
    ['the newer', await make([CREATED, false, false], [CREATED + 1, false, false]), 1],
    [
      'the first of the same second',
      await make([CREATED, false, false], [CREATED, false, false]),
      0
    ],
    ['the one marked', await make([CREATED, true, false], [CREATED + 1, false, false]), 0],
    ['the one marked, later', await make([CREATED + 1, false, false], [CREATED, true, false]), 1],
    ['the newer of two marked', await make([CREATED, true, false], [CREATED + 1, true, false]), 1],
    ['the one not revoked', await make([CREATED + 1, true, true], [CREATED, false, false]), 1],
    [
      'the one not revoked, first',
      await make([CREATED, false, false], [CREATED + 1, true, true]),
      0
    ],
    ['the one certified', await make([CREATED, false, true, false], [CREATED, false, true]), 1],
    [
      'the one certified, first',
      await make([CREATED, false, true], [CREATED, false, true, false]),
      0
    ],
    [
      'the first of two not certified',
      await make([CREATED, false, true, false], [CREATED, false, true, false]),
      0
    ]
  ]
  for (const [name, entity, index] of cases) {
    const identity: Identity | undefined = primaryIdentity(entity)
    t.equal(identity, entity.identities[index], name)
    t.equal(primarySelfSignature(entity), identity?.selfSignature)
  }
})

t.test('of v6 keys the direct signature speaks, not a user ID', async (t) => {
  const [entity] = (await parseKeyRing(v6Key)) as [Entity]
  t.equal(primaryIdentity(entity), undefined)
  t.equal(primarySelfSignature(entity), entity.directSelfSignature)
})
