import t from 'tap'
import { createPacketSource, MAX_USER_ID_BYTES } from '../../../src/keys/pgp/packet-source.js'
import type { Packet } from '../../../src/keys/pgp/packets.js'
import { bytes, makeKey, makeSignature, utf8 } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

const key = makeKey('ed25519')
const userId = utf8('me')
const signature = makeSignature(key, 0x13, userId)
const secret = bytes(key.body, 0)
const packet = (tag: number, body: Uint8Array = bytes()): Packet => ({ tag, body })

t.test('what each packet is', async (t) => {
  const source = createPacketSource([
    packet(6, key.body),
    packet(14, key.body),
    packet(5, secret),
    packet(7, secret),
    packet(13, userId),
    packet(2, signature),
    packet(17, bytes(1)),
    packet(21, bytes(1))
  ])
  for (const [isSecret, isSubkey] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true]
  ]) {
    const read = source.next()
    t.match(read, { kind: 'key', isSecret, isSubkey })
    if (read?.kind === 'key') t.same(read.key.body, key.body)
  }
  t.same(source.next(), { kind: 'userId', userId })
  t.match(source.next(), { kind: 'signature', signature: { type: 0x13 } })
  t.same(source.next(), { kind: 'other' })
  t.same(source.next(), { kind: 'other' })
  t.equal(source.next(), undefined)
  t.equal(source.next(), undefined)
})

t.test('what is passed over', async (t) => {
  const source = createPacketSource([
    packet(10, utf8('PGP')),
    packet(12, bytes(1)),
    packet(2, bytes(3, 5)),
    packet(6, bytes(3, 0, 0, 0, 0, 0)),
    packet(40),
    packet(63),
    packet(13, userId),
    packet(12)
  ])
  t.same(source.next(), { kind: 'userId', userId })
  t.equal(source.next(), undefined)
})

t.test('one step back', async (t) => {
  const source = createPacketSource([packet(13, userId), packet(17)])
  const first = source.next()
  t.ok(first)
  if (first !== undefined) source.unread(first)
  t.equal(source.next(), first)
  t.same(source.next(), { kind: 'other' })
})

t.test('after a bad packet comes the next', async (t) => {
  const source = createPacketSource([
    packet(2, bytes(4)),
    packet(11),
    packet(39),
    packet(13, new Uint8Array(MAX_USER_ID_BYTES + 1)),
    packet(13, new Uint8Array(MAX_USER_ID_BYTES))
  ])
  t.equal(await refusalText(() => source.next()), 'invalid_request: unexpected EOF')
  t.equal(
    await refusalText(() => source.next()),
    'invalid_request: openpgp: unknown critical packet type: 11'
  )
  t.equal(
    await refusalText(() => source.next()),
    'invalid_request: openpgp: unknown critical packet type: 39'
  )
  t.equal(
    await refusalText(() => source.next()),
    'invalid_request: openpgp: invalid data: user ID too long'
  )
  t.match(source.next(), { kind: 'userId' })
})
