import t from 'tap'
import {
  createTlsReader,
  encodeTlsBytes,
  encodeTlsOpaque16,
  encodeTlsOpaque24,
  encodeTlsUint16,
  encodeTlsUint64,
  encodeTlsUint8
} from '../../src/encoding/tls.js'
import { refusalText } from '../helpers/refusals.js'

const reader = (...bytes: readonly number[]) => createTlsReader(Uint8Array.from(bytes), 'thing')

const NUMBERS: readonly (readonly [number, 8 | 16 | 64, string])[] = [
  [0, 8, '00'],
  [255, 8, 'ff'],
  [0, 16, '0000'],
  [255, 16, '00ff'],
  [256, 16, '0100'],
  [65535, 16, 'ffff'],
  [0, 64, '0000000000000000'],
  [2 ** 31, 64, '0000000080000000'],
  [2 ** 32 + 1, 64, '0000000100000001'],
  [1767225661123, 64, '0000019b76db96c3'],
  [Number.MAX_SAFE_INTEGER, 64, '001fffffffffffff']
]

t.test('numbers, both ways', (t) => {
  const encode = { 8: encodeTlsUint8, 16: encodeTlsUint16, 64: encodeTlsUint64 }
  for (const [value, bits, hex] of NUMBERS) {
    t.equal(Buffer.from(encode[bits](value, 'n')).toString('hex'), hex, `uint${bits} ${value}`)
    const read = createTlsReader(Buffer.from(hex, 'hex'), 'thing')
    t.equal(bits === 8 ? read.uint8() : bits === 16 ? read.uint16() : read.uint64(), value)
    read.end()
  }
  t.end()
})

t.test('vectors, both ways', (t) => {
  for (const length of [0, 1, 255, 256, 65535]) {
    const content = new Uint8Array(length).fill(7)
    const short = encodeTlsOpaque16(content, 'v')
    const long = encodeTlsOpaque24(content, 'v')
    t.equal(Buffer.from(short).readUInt16BE(), length)
    t.equal(Buffer.from(long).readUIntBE(0, 3), length)
    t.same(createTlsReader(short, 'v').opaque16(), content)
    t.same(createTlsReader(long, 'v').opaque24(), content)
  }
  const large = encodeTlsOpaque24(new Uint8Array(2 ** 24 - 1), 'v')
  t.equal(Buffer.from(large.subarray(0, 3)).toString('hex'), 'ffffff')
  t.equal(createTlsReader(large, 'v').opaque24().length, 2 ** 24 - 1)
  t.same(
    encodeTlsOpaque16([Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)], 'v'),
    Uint8Array.of(0, 3, 1, 2, 3),
    'of several parts'
  )
  t.same(encodeTlsBytes(Uint8Array.of(1, 2), 2, 'v'), Uint8Array.of(1, 2))
  t.end()
})

t.test('one after the other', (t) => {
  const read = reader(1, 0, 2, 0, 1, 9, 0, 0, 2, 8, 7, 5, 6)
  t.equal(read.remaining, 13)
  t.equal(read.uint8(), 1)
  t.equal(read.uint16(), 2)
  t.same(read.opaque16(), Uint8Array.of(9))
  t.same(read.opaque24(), Uint8Array.of(8, 7))
  t.equal(read.remaining, 2)
  t.same(read.bytes(2), Uint8Array.of(5, 6))
  t.equal(read.remaining, 0)
  read.end()
  t.end()
})

const CUT_SHORT = 'invalid_request: thing: cut short'

const REFUSED: readonly (readonly [string, () => unknown, string])[] = [
  ['nothing', () => reader().uint8(), CUT_SHORT],
  ['half a number', () => reader(1).uint16(), CUT_SHORT],
  ['seven of eight bytes', () => reader(0, 0, 0, 0, 0, 0, 1).uint64(), CUT_SHORT],
  ['more bytes than there are', () => reader(1, 2).bytes(3), CUT_SHORT],
  ['vector without all of its length', () => reader(0).opaque16(), CUT_SHORT],
  ['vector beyond the end', () => reader(0, 2, 1).opaque16(), CUT_SHORT],
  ['long vector without all of its length', () => reader(0, 0).opaque24(), CUT_SHORT],
  ['long vector beyond the end', () => reader(255, 255, 255, 1).opaque24(), CUT_SHORT],
  [
    '2^53',
    () => reader(0, 0x20, 0, 0, 0, 0, 0, 0).uint64(),
    'invalid_request: thing: number above 2^53-1'
  ],
  [
    '2^53 + 1, which no double can hold',
    () => reader(0, 0x20, 0, 0, 0, 0, 0, 1).uint64(),
    'invalid_request: thing: number above 2^53-1'
  ],
  [
    '2^64 - 1',
    () => reader(255, 255, 255, 255, 255, 255, 255, 255).uint64(),
    'invalid_request: thing: number above 2^53-1'
  ],
  ['trailing data', () => reader(1).end(), 'invalid_request: thing: trailing data'],
  ['256 in a byte', () => encodeTlsUint8(256, 'n'), notOf(256, 8)],
  ['65536 in two', () => encodeTlsUint16(65536, 'n'), notOf(65536, 16)],
  ['2^53 in eight', () => encodeTlsUint64(2 ** 53, 'n'), notOf(2 ** 53, 64)],
  ['less than zero', () => encodeTlsUint64(-1, 'n'), notOf(-1, 64)],
  ['a fraction', () => encodeTlsUint64(0.5, 'n'), notOf(0.5, 64)],
  ['no number', () => encodeTlsUint64(Number.NaN, 'n'), notOf(Number.NaN, 64)],
  [
    'too few bytes',
    () => encodeTlsBytes(new Uint8Array(31), 32, 'id'),
    'invalid_request: id: 31 bytes, not 32'
  ],
  [
    'too many bytes',
    () => encodeTlsBytes(new Uint8Array(33), 32, 'id'),
    'invalid_request: id: 33 bytes, not 32'
  ],
  [
    'vector too long',
    () => encodeTlsOpaque16(new Uint8Array(65536), 'v'),
    'invalid_request: v: longer than 65535 bytes'
  ],
  [
    'parts too long together',
    () => encodeTlsOpaque16([new Uint8Array(65535), new Uint8Array(1)], 'v'),
    'invalid_request: v: longer than 65535 bytes'
  ],
  [
    'long vector too long',
    () => encodeTlsOpaque24(new Uint8Array(2 ** 24), 'v'),
    'invalid_request: v: longer than 16777215 bytes'
  ]
]

function notOf(value: number, bits: number): string {
  return `invalid_request: n: ${value} is not an unsigned integer of ${bits} bits below 2^53`
}

t.test('refused', async (t) => {
  for (const [title, action, message] of REFUSED) t.equal(await refusalText(action), message, title)
})
