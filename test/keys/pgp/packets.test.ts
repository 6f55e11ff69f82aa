import t from 'tap'
import {
  encodePacket,
  encodeUint32,
  MAX_PACKETS,
  readPacket,
  splitPackets
} from '../../../src/keys/pgp/packets.js'
import { bytes, uint } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

const shape = (input: Uint8Array) => splitPackets(input).map(({ tag, body }) => [tag, body.length])

t.test('both header formats, every length of length', async (t) => {
  const cases: readonly (readonly [name: string, input: Uint8Array, expected: number[][]])[] = [
    ['nothing', bytes(), []],
    ['old, one octet', bytes(0x98, 1, 7), [[6, 1]]],
    ['old, two octets', bytes(0x99, 0, 1, 7), [[6, 1]]],
    ['old, four octets', bytes(0x9a, 0, 0, 0, 1, 7), [[6, 1]]],
    ['new, one octet', bytes(0xc6, 191, new Uint8Array(191)), [[6, 191]]],
    ['new, two octets', bytes(0xc6, 192, 0, new Uint8Array(192)), [[6, 192]]],
    ['new, most of two octets', bytes(0xff, 223, 255, new Uint8Array(8383)), [[63, 8383]]],
    ['new, five octets', bytes(0xc6, 255, 0, 0, 0, 1, 7), [[6, 1]]],
    [
      'empty bodies',
      bytes(0xcd, 0, 0x88, 0),
      [
        [13, 0],
        [2, 0]
      ]
    ]
  ]
  for (const [name, input, expected] of cases) t.same(shape(input), expected, name)
})

t.test('what is refused', async (t) => {
  const structural = 'invalid_request: openpgp: invalid data: '
  const short = 'invalid_request: unexpected EOF'
  const cases: readonly (readonly [name: string, input: Uint8Array, message: string])[] = [
    ['text', bytes(0x68, 0x69), `${structural}tag byte does not have MSB set`],
    ['indeterminate length', bytes(0x9b, 1), `${structural}packet of indeterminate length`],
    ['partial length', bytes(0xc6, 224, 1, 0), `${structural}packet of partial length`],
    ['largest partial length', bytes(0xc6, 254, 1), `${structural}packet of partial length`],
    ['only a tag', bytes(0xc6), short],
    ['only an old tag', bytes(0x99, 1), short],
    ['half a length', bytes(0xc6, 192), short],
    ['part of a long length', bytes(0xc6, 255, 0, 0, 1), short],
    ['body cut off', bytes(0xc6, 2, 7), short],
    ['length of 4 GiB', bytes(0xc6, 255, 255, 255, 255, 255, 7), short],
    ['bad second packet', bytes(0xcd, 0, 0xcd), short]
  ]
  for (const [name, input, message] of cases) {
    t.equal(await refusalText(() => splitPackets(input)), message, name)
  }
})

t.test('one packet of several', async (t) => {
  const input = bytes(0xcd, 1, 7, 0x88, 0, 1)
  t.same(readPacket(input, 0), { packet: { tag: 13, body: bytes(7) }, end: 3 })
  t.same(readPacket(input, 3), { packet: { tag: 2, body: bytes() }, end: 5 }, 'whatever follows')
  t.equal(await refusalText(() => readPacket(input, 6)), 'invalid_request: unexpected EOF')
})

t.test('a limited number of packets', async (t) => {
  const empty = bytes(0xcd, 0)
  const most = Uint8Array.from({ length: MAX_PACKETS * 2 }, (_, i) => empty[i % 2] ?? 0)
  t.equal(splitPackets(most).length, MAX_PACKETS)
  t.equal(
    await refusalText(() => splitPackets(bytes(most, empty))),
    `invalid_request: openpgp: more than ${MAX_PACKETS} packets`
  )
})

t.test('packets are written with new-format headers and read back', async (t) => {
  for (const length of [0, 1, 191, 192, 193, 8383, 8384, 70_000]) {
    const body = new Uint8Array(length).fill(5)
    const encoded = encodePacket(13, body)
    t.equal(encoded[0], 0xcd)
    t.equal(
      encoded.length - length,
      length < 192 ? 2 : length < 8384 ? 3 : 6,
      `header of ${length}`
    )
    t.same(splitPackets(encoded), [{ tag: 13, body }])
  }
  for (const value of [0, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff]) {
    t.same(encodeUint32(value), uint(value, 4), String(value))
  }
})
