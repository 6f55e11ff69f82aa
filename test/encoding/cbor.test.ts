import { decode } from 'cbor2/decoder'
import { encode } from 'cbor2/encoder'
import t from 'tap'
import { concatBytes } from '../../src/encoding/bytes.js'
import {
  type CborItem,
  encodeCborStrings,
  MAX_CBOR_DEPTH,
  MAX_CBOR_ITEMS,
  parseCbor
} from '../../src/encoding/cbor.js'
import { decodeHex } from '../../src/encoding/hex.js'
import {
  array,
  bstr,
  FLOAT,
  head,
  int,
  MAJOR,
  map,
  NULL,
  tag,
  tstr,
  UNDEFINED
} from '../helpers/literal-cbor.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const parse = (bytes: Uint8Array, tags: 'kept' | 'refused' = 'kept') => parseCbor(bytes, { tags })
const integer = (value: bigint): CborItem => ({ type: 'integer', value })

t.test('items', (t) => {
  const other: CborItem = { type: 'other' }
  const cases: readonly (readonly [string, Uint8Array, CborItem])[] = [
    ['zero', int(0), integer(0n)],
    ['23', int(23), integer(23n)],
    ['24', int(24), integer(24n)],
    ['zero in eight bytes', head(MAJOR.uint, 0, 8), integer(0n)],
    ['-7', int(-7), integer(-7n)],
    ['2^53 + 1', int(2n ** 53n + 1n), integer(2n ** 53n + 1n)],
    ['-2^53', int(-(2n ** 53n)), integer(-(2n ** 53n))],
    ['the greatest', int(2n ** 63n - 1n), integer(2n ** 63n - 1n)],
    ['the least', int(-(2n ** 63n)), integer(-(2n ** 63n))],
    ['no bytes', bstr(''), { type: 'bytes', value: new Uint8Array(0) }],
    ['bytes', bstr(Uint8Array.of(1, 2)), { type: 'bytes', value: Uint8Array.of(1, 2) }],
    ['long head', bstr(Uint8Array.of(9), 8), { type: 'bytes', value: Uint8Array.of(9) }],
    ['text', tstr('ü€'), { type: 'text', value: 'ü€' }],
    ['byte order mark', tstr('\ufeffa'), { type: 'text', value: '\ufeffa' }],
    [
      'array',
      array(int(1), array()),
      { type: 'array', items: [integer(1n), { type: 'array', items: [] }] }
    ],
    [
      'map',
      map(int(1), NULL),
      { type: 'map', entries: [{ key: integer(1n), value: { type: 'null' } }] }
    ],
    [
      'keys of three kinds',
      map(int(1), int(1), tstr('1'), int(2), bstr('1'), int(3)),
      {
        type: 'map',
        entries: [
          { key: integer(1n), value: integer(1n) },
          { key: { type: 'text', value: '1' }, value: integer(2n) },
          { key: { type: 'bytes', value: Uint8Array.of(0x31) }, value: integer(3n) }
        ]
      }
    ],
    ['tag', tag(1000, int(1)), { type: 'tag', content: integer(1n) }],
    ['null', NULL, { type: 'null' }],
    ['undefined', UNDEFINED, other],
    ['false', Uint8Array.of(0xf4), other],
    ['half a float', FLOAT, other],
    ['float', decodeHex('fa7fc00000'), other],
    ['double', decodeHex('fb3ff0000000000000'), other],
    ['unassigned simple value', Uint8Array.of(0xf8, 0xff), other]
  ]
  for (const [name, bytes, expected] of cases) {
    const got = parse(bytes)
    t.same(plain(got), plain(expected), name)
  }
  t.end()
})

/** Bytes as arrays: tap compares those of different classes as different. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

const nest = (levels: number, around: (inner: Uint8Array) => Uint8Array): Uint8Array =>
  Array.from({ length: levels }).reduce<Uint8Array>(around, int(0))

const NESTINGS: Readonly<Record<string, (inner: Uint8Array) => Uint8Array>> = {
  arrays: (inner) => array(inner),
  maps: (inner) => map(int(1), inner),
  tags: (inner) => tag(1000, inner)
}

t.test('limits', async (t) => {
  for (const [name, around] of Object.entries(NESTINGS)) {
    t.ok(parse(nest(MAX_CBOR_DEPTH, around)), `${name} as deep as may be`)
    for (const levels of [MAX_CBOR_DEPTH + 1, 5000]) {
      t.equal(
        await refusalText(() => parse(nest(levels, around))),
        'invalid_request: cbor: exceeded max nested level 32',
        `${levels} ${name}`
      )
    }
  }
  const most = Array.from({ length: MAX_CBOR_ITEMS - 1 }, () => int(0))
  t.ok(parse(array(...most)), 'as many items as may be')
  const tooMany = 'invalid_request: cbor: exceeded max number of elements 10000'
  t.equal(await refusalText(() => parse(array(...most, int(0)))), tooMany)
  t.equal(await refusalText(() => parse(head(MAJOR.array, 2n ** 62n))), tooMany, 'only announced')
  t.equal(await refusalText(() => parse(head(MAJOR.map, 2n ** 62n))), tooMany)
  const half = MAX_CBOR_ITEMS / 2
  t.equal(
    await refusalText(() =>
      parse(array(array(...most.slice(0, half)), array(...most.slice(0, half))))
    ),
    tooMany,
    'together'
  )
})

t.test('what is refused', async (t) => {
  const eof = 'unexpected EOF'
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['nothing', new Uint8Array(0), eof],
    ['bytes beyond the end', Uint8Array.of(0x42, 1), eof],
    ['2^31 bytes', head(MAJOR.bytes, 2 ** 31), eof],
    ['2^53 bytes', head(MAJOR.bytes, 2n ** 53n), eof],
    ['2^64 - 1 characters', head(MAJOR.text, 2n ** 64n - 1n), eof],
    ['cut off head', Uint8Array.of(0x19, 1), eof],
    ['cut off array', Uint8Array.of(0x82, 1), eof],
    ['cut off map', Uint8Array.of(0xa1, 1), eof],
    ['tag of nothing', Uint8Array.of(0xc1), eof],
    [
      'indefinite bytes',
      decodeHex('5f4101ff'),
      "cbor: indefinite-length byte string isn't allowed"
    ],
    [
      'indefinite text',
      decodeHex('7f6161ff'),
      "cbor: indefinite-length UTF-8 text string isn't allowed"
    ],
    ['indefinite array', decodeHex('9fff'), "cbor: indefinite-length array isn't allowed"],
    ['indefinite map', decodeHex('bfff'), "cbor: indefinite-length map isn't allowed"],
    ['break', decodeHex('ff'), 'cbor: unexpected "break" code'],
    ['break inside', decodeHex('81ff'), 'cbor: unexpected "break" code'],
    ['indefinite integer', decodeHex('1f'), 'cbor: Invalid indefinite encoding for MT 0'],
    ['reserved length', decodeHex('1c'), 'cbor: Additional info not implemented: 28'],
    [
      'simple value in two bytes',
      decodeHex('f814'),
      'cbor: Invalid simple encoding in extra byte: 20'
    ],
    [
      'Latin-1',
      concatBytes(head(MAJOR.text, 1), Uint8Array.of(0xe4)),
      'cbor: invalid UTF-8 string'
    ],
    [
      'surrogate',
      concatBytes(head(MAJOR.text, 3), decodeHex('eda080')),
      'cbor: invalid UTF-8 string'
    ],
    [
      'more after it',
      concatBytes(int(1), int(2), int(3)),
      'cbor: 2 bytes of extraneous data starting at index 1'
    ],
    [
      'malformed after it',
      concatBytes(bstr('abc', 4), Uint8Array.of(0xff)),
      'cbor: 1 bytes of extraneous data starting at index 8'
    ],
    ['2^63', int(2n ** 63n), 'cbor: integer does not fit 64 bits with a sign'],
    ['-2^63 - 1', int(-(2n ** 63n) - 1n), 'cbor: integer does not fit 64 bits with a sign'],
    [
      'a key twice',
      map(int(4), int(1), int(1), int(1), int(1), int(1)),
      'cbor: found duplicate map key 1 at map element index 2'
    ],
    [
      'a key twice, longer',
      concatBytes(head(MAJOR.map, 2), int(1), int(1), head(MAJOR.uint, 1, 4), int(1)),
      'cbor: found duplicate map key 1 at map element index 1'
    ],
    [
      'a text twice',
      map(tstr('a"'), int(1), tstr('a"'), int(1)),
      'cbor: found duplicate map key "a"" at map element index 1'
    ],
    [
      'a long text twice',
      map(tstr('x'.repeat(1000)), int(1), tstr('x'.repeat(1000)), int(1)),
      `cbor: found duplicate map key "${'x'.repeat(199)}… at map element index 1`
    ],
    [
      'bytes twice, inside',
      array(map(bstr('a'), int(1), bstr('a'), int(1))),
      "cbor: found duplicate map key h'61' at map element index 1"
    ],
    ['a float as key', map(FLOAT, int(1)), 'cbor: invalid map key type'],
    ['an array as key', map(array(), int(1)), 'cbor: invalid map key type']
  ]
  for (const [name, bytes, message] of cases) {
    t.equal(await refusalText(() => parse(bytes)), `invalid_request: ${message}`, name)
  }
  const forbidden = "invalid_request: cbor: CBOR tag isn't allowed"
  t.equal(await refusalText(() => parse(tag(1, int(1)), 'refused')), forbidden)
  t.equal(await refusalText(() => parse(map(int(1), tag(1, int(1))), 'refused')), forbidden)
})

t.test('written texts and bytes', (t) => {
  for (const length of [0, 23, 24, 255, 256, 65_535, 65_536, 20_000_001]) {
    const bytes = new Uint8Array(length).fill(7)
    t.equal(
      Buffer.compare(
        encodeCborStrings(['Signature1', bytes]),
        array(tstr('Signature1'), bstr(bytes))
      ),
      0,
      `${length}`
    )
  }
  t.same(
    Buffer.from(encodeCborStrings([Buffer.from('a')])),
    Buffer.from(array(bstr('a'))),
    'a Buffer is bytes'
  )
  t.end()
})

t.test('fuzz: only refusals, and what is read is what the library reads', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const message = rekorVector('cose/test_cose.cbor')
  const seeds = [
    message,
    message.subarray(1),
    map(int(1), int(-7), int(4), bstr('11'), tstr('x'), array(int(1), tag(5, FLOAT))),
    nest(10, (inner) => array(map(int(1), inner)))
  ]
  let accepted = 0
  const wrong: string[] = []
  for (let i = 0; i < 2000; i++) {
    const bytes =
      i % 4 === 0 ? random.bytes(1 + random.below(12)) : mutate(random.pick(seeds), random)
    const item = await unlessRefused(() => parse(bytes))
    if (item === undefined) continue
    accepted++
    const options = { ignoreGlobalTags: true, preferMap: true, rejectStreaming: true } as const
    if (!isSame(item, decode(bytes, options))) wrong.push(Buffer.from(bytes).toString('hex'))
  }
  t.same(wrong, [])
  t.ok(accepted > 50, `${accepted} were well-formed`)
})

/** Whether the library made the same of it. */
function isSame(item: CborItem, value: unknown): boolean {
  switch (item.type) {
    case 'integer':
      return BigInt(value as number | bigint) === item.value
    case 'bytes':
      return Buffer.compare(item.value, value as Uint8Array) === 0
    case 'text':
      return item.value === value
    case 'array':
      return item.items.every((inner, i) => isSame(inner, (value as unknown[])[i]))
    case 'map': {
      const pairs = [...(value as Map<unknown, unknown>)]
      return item.entries.every(
        (entry, i) => isSame(entry.key, pairs[i]?.[0]) && isSame(entry.value, pairs[i]?.[1])
      )
    }
    case 'tag':
      return isSame(item.content, (value as { contents: unknown }).contents)
    case 'null':
      return value === null
    case 'other':
      return value !== null && !Array.isArray(value) && !(value instanceof Map)
  }
}

t.test('what the library writes', (t) => {
  const value = new Map<unknown, unknown>([
    [1, -7],
    ['text', [new Uint8Array(300), 'ß', 2n ** 60n]]
  ])
  t.ok(isSame(parse(encode(value)), value))
  t.end()
})
