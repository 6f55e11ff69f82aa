import t from 'tap'
import { findArmor, splitLines } from '../../../src/keys/pgp/armor.js'
import { encodeKeyRing } from '../../../src/keys/pgp/canonical.js'
import { parseKeyRing } from '../../../src/keys/pgp/key-ring.js'
import {
  bind,
  bytes,
  certify,
  CREATED,
  makeKey,
  makeSignature,
  oldPacket,
  subpacket,
  USER_ID,
  utf8,
  wideSubpacket
} from '../../helpers/pgp.js'

const key = makeKey('ed25519', 1)
const other = makeKey('ed25519', 2)
const subkey = makeKey('ed25519', 3)
const v6 = makeKey('ed25519', 1, { version: 6 })
const SECOND = utf8('Second <second@example.com>')

/** Packet with the new-format header of one or two octets of length. */
function newPacket(tag: number, body: Uint8Array): Uint8Array {
  const { length } = body
  const header =
    length < 192 ? bytes(length) : bytes(((length - 192) >> 8) + 192, (length - 192) % 256)
  return bytes(0xc0 | tag, header, body)
}

async function canonicalPackets(ring: Uint8Array): Promise<Uint8Array> {
  const block = findArmor(splitLines(encodeKeyRing(await parseKeyRing(ring))))
  t.equal(block?.type, 'PGP PUBLIC KEY BLOCK')
  return block?.decode() ?? bytes()
}

// Bodies, so that the same can be given both headers.
const certification = (signer = key, userId = USER_ID, created = CREATED) =>
  certify(signer, key, userId, { created }).subarray(6)
const binding = (created = CREATED) => bind(key, subkey, { created }).subarray(6)
const revocation = makeSignature(key, 0x20, key.hashed, { created: CREATED + 50 })
const subkeyRevocation = bind(key, subkey, { type: 0x28, flags: 0 }).subarray(6)

t.test('what stays, in which order', async (t) => {
  const input = bytes(
    oldPacket(6, key.body),
    oldPacket(2, makeSignature(key, 0x1f, key.hashed)),
    oldPacket(13, USER_ID),
    oldPacket(2, certification(other)),
    oldPacket(12, bytes(1)),
    oldPacket(2, certification()),
    oldPacket(13, SECOND),
    oldPacket(2, certification(other, SECOND)),
    bytes(0xc0 | 17, 1, 0),
    oldPacket(2, certification(other, SECOND)),
    oldPacket(14, subkey.body),
    oldPacket(2, binding(CREATED + 1)),
    oldPacket(2, subkeyRevocation),
    oldPacket(2, binding()),
    oldPacket(2, binding(CREATED + 2)),
    bytes(0xc0 | 60, 0)
  )
  const expected = bytes(
    newPacket(6, key.body),
    newPacket(13, USER_ID),
    newPacket(2, certification(other)),
    newPacket(2, certification()),
    newPacket(14, subkey.body),
    newPacket(2, subkeyRevocation),
    newPacket(2, binding(CREATED + 2))
  )
  t.same(await canonicalPackets(input), expected)
  t.same(await canonicalPackets(expected), expected, 'the canonical form is its own')
})

t.test(
  'revocations come right after the key, direct signatures of v6 keys after them',
  async (t) => {
    const v4Ring = bytes(
      oldPacket(6, key.body),
      oldPacket(13, USER_ID),
      oldPacket(2, certification())
    )
    t.same(
      await canonicalPackets(
        bytes(
          v4Ring,
          oldPacket(14, subkey.body),
          oldPacket(2, binding()),
          oldPacket(2, subkeyRevocation)
        )
      ),
      bytes(
        newPacket(6, key.body),
        newPacket(13, USER_ID),
        newPacket(2, certification()),
        newPacket(14, subkey.body),
        newPacket(2, subkeyRevocation),
        newPacket(2, binding())
      )
    )
    t.same(
      await canonicalPackets(
        bytes(
          oldPacket(6, key.body),
          oldPacket(2, revocation),
          v4Ring.subarray(oldPacket(6, key.body).length)
        )
      ),
      bytes(
        newPacket(6, key.body),
        newPacket(2, revocation),
        newPacket(13, USER_ID),
        newPacket(2, certification())
      )
    )
    const direct = makeSignature(v6, 0x1f, v6.hashed, { flags: 3 })
    const v6Revocation = makeSignature(v6, 0x20, v6.hashed)
    t.same(
      await canonicalPackets(
        bytes(newPacket(6, v6.body), newPacket(2, direct), newPacket(2, v6Revocation))
      ),
      bytes(newPacket(6, v6.body), newPacket(2, v6Revocation), newPacket(2, direct))
    )
  }
)

t.test('several keys, in order', async (t) => {
  const ring = (signer: typeof key) =>
    bytes(
      newPacket(6, signer.body),
      newPacket(13, USER_ID),
      newPacket(2, certify(signer, signer, USER_ID).subarray(6))
    )
  const both = bytes(ring(other), ring(key))
  t.same(await canonicalPackets(both), both)
})

t.test('lengths outside of the signed area of a signature', async (t) => {
  const ring = (area: Uint8Array) =>
    bytes(
      newPacket(6, key.body),
      newPacket(13, USER_ID),
      newPacket(2, certify(key, key, USER_ID, { unhashedSubpackets: [area] }).subarray(6))
    )
  t.same(await canonicalPackets(ring(wideSubpacket(100, bytes(1)))), ring(subpacket(100, bytes(1))))
})
