import t from 'tap'
import {
  bytesOf,
  firstInteger,
  firstText,
  GENERAL_HEADER_LIMITS,
  parseRpmHeader,
  SIGNATURE_HEADER_LIMITS,
  take,
  type RpmHeader
} from '../../src/archive/rpm-header.js'
import { mutate } from '../helpers/mutations.js'
import { bytes, utf8 } from '../helpers/pgp.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { binary, int32, makeHeader, NAMES, text, type TestTag } from '../helpers/rpm.js'
import { rekorVector } from '../helpers/vectors.js'

const LIMITS = { entries: 100, dataBytes: 10_000 }
const parse = (header: Uint8Array, limits = LIMITS): RpmHeader => parseRpmHeader(header, 0, limits)
const one = (tag: TestTag): RpmHeader => parse(makeHeader([tag]))

t.test('values of every type', async (t) => {
  const header = parse(
    makeHeader([
      text(1, 'one'),
      text(2, 'one', 'two', ''),
      { tag: 3, type: 9, count: 2, data: utf8('a\0b\0') },
      binary(4, bytes(1, 2, 3)),
      int32(5, 0xffffffff, 7),
      { tag: 6, type: 3, data: bytes(1, 2) },
      { tag: 7, type: 2, data: bytes(255) },
      { tag: 8, type: 1, data: bytes(65) },
      { tag: 9, type: 5, data: new Uint8Array(8).fill(255) },
      text(10, '')
    ])
  )
  t.equal(firstText(header, 1), 'one')
  t.equal(firstText(header, 2), 'one')
  t.equal(firstText(header, 3), 'a')
  t.equal(firstText(header, 10), '')
  t.same(bytesOf(header, 4), [1, 2, 3])
  t.equal(firstInteger(header, 5), 0xffffffffn, 'unsigned')
  t.equal(firstInteger(header, 6), 0x0102n)
  t.equal(firstInteger(header, 7), 255n)
  t.equal(firstInteger(header, 8), 65n)
  t.equal(firstInteger(header, 9), 2n ** 64n - 1n)
  t.same(header.entries.get(2), { type: 8, count: 3, data: utf8('one\0two\0\0') })
})

t.test('a tag that is not there', async (t) => {
  const header = parse(makeHeader([]))
  t.equal(header.bytes.length, 16)
  t.same(
    [firstText(header, 1), bytesOf(header, 1), firstInteger(header, 1)],
    [undefined, undefined, undefined]
  )
})

t.test('a tag that holds something else', async (t) => {
  const number = one(int32(7, 1))
  const name = one(text(7, 'x'))
  t.equal(
    await refusalText(() => firstText(number, 7)),
    'invalid_request: unsupported datatype for string: 4, tag: 7'
  )
  t.equal(
    await refusalText(() => bytesOf(name, 7)),
    'invalid_request: unsupported datatype for bytes: 6, tag: 7'
  )
  t.equal(
    await refusalText(() => firstInteger(name, 7)),
    "invalid_request: tag 7 isn't an int type"
  )
  const latin1 = one({ tag: 7, type: 6, data: bytes(0xe9, 0) })
  t.equal(await refusalText(() => firstText(latin1, 7)), 'invalid_request: not valid UTF-8')
})

t.test('values in any order, with gaps, and a tag twice', async (t) => {
  const data = utf8('a\0_c\0_b\0')
  const header = parse(
    makeHeader([
      { tag: 1, type: 6, offset: 0, data },
      { tag: 2, type: 6, offset: 6, data: bytes() },
      { tag: 1, type: 6, offset: 3, data: bytes() }
    ])
  )
  t.equal(firstText(header, 1), 'c', 'the later in the index, as in Rekor')
  t.equal(firstText(header, 2), 'b')
})

t.test('a header in the middle of something', async (t) => {
  const header = makeHeader(NAMES)
  const parsed = parseRpmHeader(bytes(1, 2, 3, header, 4, 5), 3, LIMITS)
  t.same(parsed.bytes, header)
  t.equal(firstText(parsed, 1000), 'hello')
})

t.test('what is refused', async (t) => {
  const whole = makeHeader(NAMES)
  const refused = (tag: TestTag) => makeHeader([tag])
  const cases: readonly (readonly [name: string, header: Uint8Array, message: string])[] = [
    ['nothing', bytes(), 'error reading RPM header: EOF'],
    ['part of the intro', whole.subarray(0, 15), 'error reading RPM header: unexpected EOF'],
    ['no index', whole.subarray(0, 16), 'error reading RPM header table: EOF'],
    ['part of the index', whole.subarray(0, 79), 'error reading RPM header table: unexpected EOF'],
    ['no data', whole.subarray(0, 80), 'error reading RPM header data: EOF'],
    ['part of the data', whole.subarray(0, -1), 'error reading RPM header data: unexpected EOF'],
    ['magic', makeHeader(NAMES, { magic: utf8('RPM!') }), 'bad magic for header'],
    [
      'negative number of entries',
      makeHeader(NAMES, { entries: -1 }),
      'RPM header with -1 index entries'
    ],
    [
      // 16 times this is 16 in 32 bits.
      'number of entries that overflows',
      makeHeader(NAMES, { entries: 0x10000001 }),
      'RPM header with 268435457 index entries, more than 100'
    ],
    [
      'too many entries',
      makeHeader(Array<TestTag>(101).fill(int32(1, 1))),
      'RPM header with 101 index entries, more than 100'
    ],
    [
      'negative size',
      makeHeader(NAMES, { dataBytes: -(2 ** 31) }),
      'RPM header with -2147483648 bytes of data'
    ],
    [
      'too much data',
      makeHeader([binary(1, new Uint8Array(10_001))]),
      'RPM header with 10001 bytes of data, more than 10000'
    ],
    ['negative offset', refused({ ...int32(7, 1), offset: -4 }), 'tag 7 has a negative offset'],
    ['offset at the end', refused({ ...int32(7, 1), offset: 4 }), 'tag 7 is truncated'],
    ['offset far behind it', refused({ ...int32(7), offset: 2 ** 31 - 1 }), 'tag 7 has 0 values'],
    [
      'text far behind the end',
      refused({ ...text(7, 'x'), offset: 2 ** 31 - 1 }),
      'tag 7 is truncated'
    ],
    ['negative count', refused({ ...int32(7, 1), count: -1 }), 'tag 7 has -1 values'],
    ['negative count of texts', refused({ ...text(7, 'x'), count: -1 }), 'tag 7 has -1 values'],
    ['no values', refused({ ...text(7, 'x'), count: 0 }), 'tag 7 has 0 values'],
    ['more integers than there are', refused({ ...int32(7, 1), count: 2 }), 'tag 7 is truncated'],
    [
      'size that overflows',
      refused({ ...int32(7, 1), type: 5, count: 2 ** 29 }),
      'tag 7 is truncated'
    ],
    [
      'largest count',
      refused({ ...binary(7, bytes(1)), count: 2 ** 31 - 1 }),
      'tag 7 is truncated'
    ],
    ['more texts than there are', refused({ ...text(7, 'x'), count: 2 }), 'tag 7 is truncated'],
    ['text without its end', refused({ ...text(7, 'x'), data: utf8('x') }), 'tag 7 is truncated'],
    ['null type', refused({ ...int32(7, 1), type: 0 }), 'tag 7 has unknown type 0'],
    ['unknown type', refused({ ...int32(7, 1), type: 10 }), 'tag 7 has unknown type 10'],
    ['negative type', refused({ ...int32(7, 1), type: -6 }), 'tag 7 has unknown type -6'],
    [
      'values that overlap',
      makeHeader([text(7, 'abc'), { ...text(8, ''), offset: 2 }]),
      'tag 8 overlaps another'
    ],
    [
      'values that are the same',
      makeHeader([text(7, 'abc'), { ...text(8, 'abc'), offset: 0 }]),
      'tag 8 overlaps another'
    ]
  ]
  for (const [name, header, message] of cases) {
    t.equal(await refusalText(() => parse(header)), `invalid_request: ${message}`, name)
  }
})

t.test('as much as rpm itself takes', async (t) => {
  t.same(SIGNATURE_HEADER_LIMITS, { entries: 32, dataBytes: 2 ** 26 })
  t.same(GENERAL_HEADER_LIMITS, { entries: 2 ** 16 - 1, dataBytes: 2 ** 28 - 1 })
  const values = Array.from({ length: 32 }, (_, i) => int32(i, i))
  t.equal(parse(makeHeader(values), SIGNATURE_HEADER_LIMITS).entries.size, 32)
})

t.test('thousands of texts that all claim all of the data cost no more than one', async (t) => {
  // Every entry alone would make the parser look at a megabyte: together at 64 GB.
  const data = new Uint8Array(2 ** 20).fill(0x61)
  data[data.length - 1] = 0
  const count = 65_535
  const index = new DataView(new ArrayBuffer(16 * count))
  for (let i = 0; i < count; i++) {
    index.setInt32(16 * i, i)
    index.setInt32(16 * i + 4, 6)
    index.setInt32(16 * i + 12, 1)
  }
  const header = Buffer.concat([
    makeHeader([], { entries: count, dataBytes: data.length }),
    new Uint8Array(index.buffer),
    data
  ])
  t.equal(
    await refusalText(() => parse(header, GENERAL_HEADER_LIMITS)),
    'invalid_request: tag 1 overlaps another'
  )
})

t.test('take', async (t) => {
  t.same(take(bytes(1, 2, 3), 1, 2, 'x'), [2, 3])
  t.same(take(bytes(1), 1, 0, 'x'), [])
  t.equal(
    await refusalText(() => take(bytes(1, 2), 1, 2, 'x')),
    'invalid_request: error reading RPM x: unexpected EOF'
  )
})

t.test('fuzz: mutated headers are read within their bounds or refused', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const file = rekorVector('rpm/test.rpm')
  const real = parseRpmHeader(file, 96, SIGNATURE_HEADER_LIMITS).bytes
  const made = makeHeader([...NAMES, int32(1003, 1, 2), binary(4, bytes(1, 2, 3))])
  const wrong: string[] = []
  let read = 0
  for (let i = 0; i < 2500; i++) {
    const base = random.pick([real, made])
    // Mutations of the intro and index more often than of the data.
    const head = random.below(2) === 0 ? base.length : 16 + random.below(80)
    const input =
      random.below(20) === 0
        ? bytes(base.subarray(0, 8), random.bytes(random.below(120)))
        : bytes(mutate(base.subarray(0, head), random), base.subarray(head))
    const header = await unlessRefused(() => parse(input))
    if (header === undefined) continue
    read++
    const values = [...header.entries.values()]
    const total = values.reduce((sum, { data }) => sum + data.length, 0)
    if (header.bytes.length > input.length || total > header.bytes.length)
      wrong.push(Buffer.from(input).toString('hex'))
    for (const tag of header.entries.keys()) {
      for (const get of [firstText, bytesOf, firstInteger]) {
        await unlessRefused(() => get(header, tag))
      }
    }
  }
  t.same(wrong, [])
  t.ok(read > 100, `${read} were read`)
})
