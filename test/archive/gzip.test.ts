import { crc32, deflateRawSync } from 'node:zlib'
import t from 'tap'
import {
  MAX_GZIP_RATIO,
  RATIO_FREE_BYTES,
  readGzipBody,
  readGzipHeader
} from '../../src/archive/gzip.js'
import { LogError } from '../../src/errors.js'
import { gzip, join } from '../helpers/apk.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusal, refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const MIB = 1 << 20
const tooLarge = () => new LogError('too_large', 'over the limit')
const header = (bytes: Uint8Array, start = 0) => readGzipHeader(bytes, start, 'header')
const body = (bytes: Uint8Array, start: number, maxBytes = MIB) =>
  readGzipBody(bytes, start, { maxBytes, tooLarge }, 'body')
const member = (bytes: Uint8Array, start = 0, maxBytes = MIB) =>
  body(bytes, header(bytes, start), maxBytes)
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const utf8 = (value: string) => Uint8Array.from(Buffer.from(value))

interface HandMade {
  readonly flags?: number
  /** Between the ten bytes of every header and the data. */
  readonly fields?: Uint8Array
  readonly headerCrc?: boolean
}

/** A member that says `hello`. */
function handMade({ flags = 0, fields = utf8(''), headerCrc = false }: HandMade): Uint8Array {
  const start = join(
    Uint8Array.of(0x1f, 0x8b, 8, flags | (headerCrc ? 2 : 0), 0, 0, 0, 0, 0, 255),
    fields
  )
  const sum = new Uint8Array(2)
  new DataView(sum.buffer).setUint16(0, crc32(start) & 0xffff, true)
  const trailer = new Uint8Array(8)
  new DataView(trailer.buffer).setUint32(0, crc32('hello'), true)
  new DataView(trailer.buffer).setUint32(4, 5, true)
  return join(start, headerCrc ? sum : utf8(''), deflateRawSync('hello'), trailer)
}

t.test('the members of a package, each where it is', async (t) => {
  const apk = rekorVector('alpine/test_alpine.apk')
  const ends: number[] = []
  const sizes: number[] = []
  for (let at = 0; at < apk.length;) {
    const { content, end } = member(apk, at)
    ends.push(end)
    sizes.push(content.length)
    at = end
  }
  // As Python's zlib sees them.
  t.same(ends, [407, 905, 2874])
  t.same(sizes, [1024, 1536, 10_240])
})

t.test('what follows a member is not looked at', async (t) => {
  const first = gzip('first')
  const files = join(first, gzip(''), Uint8Array.of(1, 2, 3))
  t.equal(text(member(files).content), 'first')
  t.equal(member(files).end, first.length)
  const empty = member(files, first.length)
  t.equal(empty.content.length, 0)
  t.equal(empty.end, files.length - 3)
})

t.test('every field a header may have', async (t) => {
  const extra = join(Uint8Array.of(3, 0), utf8('abc'))
  const cases: readonly (readonly [name: string, made: HandMade])[] = [
    ['none', {}],
    ['text', { flags: 1 }],
    ['header sum', { headerCrc: true }],
    ['extra', { flags: 4, fields: extra }],
    ['name', { flags: 8, fields: utf8('name\0') }],
    ['comment', { flags: 16, fields: utf8('comment\0') }],
    [
      'all of them',
      { flags: 4 | 8 | 16, fields: join(extra, utf8('name\0comment\0')), headerCrc: true }
    ]
  ]
  for (const [name, made] of cases) {
    const bytes = handMade(made)
    t.equal(text(member(bytes).content), 'hello', name)
    t.equal(member(bytes).end, bytes.length, name)
    const answers = new Set<string>()
    for (let length = 0; length < bytes.length; length++) {
      answers.add((await refusalText(() => member(bytes.slice(0, length)))).replace(/^.*: /, ''))
    }
    t.same([...answers], ['unexpected EOF'], `${name}: cut off anywhere`)
  }
})

t.test('headers that are refused', async (t) => {
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = handMade({ headerCrc: true })
    bytes[at] = value
    return bytes
  }
  const cases: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ['first byte', changed(0, 0)],
    ['second byte', changed(1, 0)],
    ['method', changed(2, 7)],
    ['flag nobody knows', changed(3, 0x22)],
    ['header sum', changed(10, (changed(0, 0x1f)[10] ?? 0) ^ 1)],
    ['zip', utf8('PK\x03\x04 and more than ten bytes')]
  ]
  for (const [name, bytes] of cases) {
    t.equal(
      await refusalText(() => member(bytes)),
      'invalid_request: header: gzip: invalid header',
      name
    )
  }
})

t.test('bodies that are refused', async (t) => {
  const good = gzip('hello')
  const changed = (fromEnd: number): Uint8Array => {
    const bytes = good.slice()
    bytes[bytes.length - fromEnd] = 0xff
    return bytes
  }
  t.equal(
    await refusalText(() => member(changed(8))),
    'invalid_request: body: gzip: invalid checksum',
    'checksum'
  )
  t.equal(
    await refusalText(() => member(changed(1))),
    'invalid_request: body: gzip: invalid checksum',
    'a size of four gigabytes is a claim like any other'
  )
  const corrupt = good.slice()
  corrupt[10] = 0xff // a block of no type
  const refused = await refusal(() => member(corrupt))
  t.equal(refused.message, 'body: flate: corrupt input')
  t.ok(refused.cause)
})

t.test('limits', async (t) => {
  const bytes = gzip('x'.repeat(1000))
  t.equal(member(bytes, 0, 1000).content.length, 1000)
  t.equal(await refusalText(() => member(bytes, 0, 999)), 'too_large: over the limit')
  t.equal(await refusalText(() => member(bytes, 0, 1)), 'too_large: over the limit')
})

t.test('bombs', async (t) => {
  const bomb = gzip(new Uint8Array(16 * MIB))
  t.ok(bomb.length * MAX_GZIP_RATIO < 16 * MIB, 'a bomb indeed')
  t.equal(await refusalText(() => member(bomb)), 'too_large: over the limit')
  const ratio = 'too_large: body: gzip: content is over 200 times as large as what it is made from'
  t.equal(await refusalText(() => member(bomb, 0, 1024 * MIB)), ratio)
  t.equal(await refusalText(() => member(join(bomb, bomb), 0, 1024 * MIB)), ratio, 'several')
  t.equal(member(join(gzip('first'), bomb)).content.length, 5, 'one behind is not touched')

  const free = gzip(new Uint8Array(RATIO_FREE_BYTES))
  t.ok(free.length * MAX_GZIP_RATIO < RATIO_FREE_BYTES)
  t.equal(member(free, 0, 16 * MIB).content.length, RATIO_FREE_BYTES, 'little may be dense')
  const more = gzip(new Uint8Array(RATIO_FREE_BYTES + 1))
  t.equal(await refusalText(() => member(more, 0, 16 * MIB)), ratio)
})

t.test('strangers bytes are members or refused', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const seeds = [
    rekorVector('alpine/test_alpine.apk').slice(0, 407),
    handMade({ flags: 4 | 8, fields: join(Uint8Array.of(1, 0, 65), utf8('n\0')), headerCrc: true })
  ]
  let members = 0
  const wrong: string[] = []
  for (let i = 0; i < 3000; i++) {
    const bytes =
      i % 4 === 0
        ? join(Uint8Array.of(0x1f, 0x8b, 8), random.bytes(random.below(60)))
        : mutate(random.pick(seeds), random)
    const found = await unlessRefused(() => member(bytes))
    if (found === undefined) continue
    members++
    if (found.end > bytes.length || found.content.length > MIB) wrong.push(String(bytes))
  }
  t.same(wrong, [])
  t.ok(members > 0, 'some changes are outside of what counts')
})
