import t from 'tap'
import { decodeUtf8, encodeUtf8, excerpt, utf8Encoder } from '../../src/encoding/text.js'
import { isLogError } from '../../src/errors.js'
import { seededRandom } from '../helpers/random.js'

t.test('both ways', (t) => {
  const cases = [
    ['nothing', '', []],
    ['ASCII', 'abc\n\0', [97, 98, 99, 10, 0]],
    ['em dash', '—', [0xe2, 0x80, 0x94]],
    ['astral', '😀', [0xf0, 0x9f, 0x98, 0x80]],
    ['a byte order mark stays', '\ufeffa', [0xef, 0xbb, 0xbf, 97]],
    ['noncharacter', '\uffff', [0xef, 0xbf, 0xbf]]
  ] as const
  for (const [name, text, bytes] of cases) {
    t.same(encodeUtf8(text), Uint8Array.from(bytes), name)
    t.equal(decodeUtf8(Uint8Array.from(bytes)), text, name)
  }
  t.end()
})

t.test('lone surrogates become U+FFFD', (t) => {
  t.same(encodeUtf8('a\ud800b'), encodeUtf8('a\ufffdb'))
  t.same(encodeUtf8('\udc00'), Uint8Array.of(0xef, 0xbf, 0xbd))
  t.end()
})

t.test('only the beginning of a long text stands in a message', (t) => {
  t.equal(excerpt('x'.repeat(200)), 'x'.repeat(200))
  t.equal(excerpt('x'.repeat(201)), `${'x'.repeat(200)}…`)
  t.end()
})

const MALFORMED = {
  'continuation alone': [0x80],
  'two bytes cut': [0xc3],
  'three bytes cut': [0xe2, 0x80],
  'four bytes cut': [0xf0, 0x9f, 0x98],
  'overlong slash': [0xc0, 0xaf],
  'overlong nothing': [0xe0, 0x80, 0x80],
  surrogate: [0xed, 0xa0, 0x80],
  'above U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80],
  'Latin-1': [0x63, 0x61, 0x66, 0xe9],
  'UTF-16': [0xff, 0xfe, 0x61, 0x00],
  'good text, then bad': [97, 98, 0xff]
}

t.test('malformed UTF-8 is refused, and leaves nothing behind', (t) => {
  for (const [name, bytes] of Object.entries(MALFORMED)) {
    t.throws(
      () => decodeUtf8(Uint8Array.from(bytes)),
      { name: 'LogError', code: 'invalid_request', message: 'not valid UTF-8' },
      name
    )
    t.equal(decodeUtf8(Uint8Array.of(97)), 'a', 'the next call is not affected')
  }
  t.end()
})

t.test('fuzz: refused, or encodes to the same bytes', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let decoded = 0
  for (let i = 0; i < 8000; i++) {
    const bytes = Uint8Array.from({ length: random.below(5) }, () =>
      random.pick([
        97,
        0x80,
        0x9f,
        0xc3,
        0xe2,
        0xed,
        0xef,
        0xbb,
        0xbf,
        0xf0,
        0xf4,
        random.below(256)
      ])
    )
    try {
      const text = decodeUtf8(bytes)
      decoded++
      if (Buffer.compare(encodeUtf8(text), bytes) !== 0) t.fail(`[${bytes}] changed`)
    } catch (err) {
      if (!isLogError(err, 'invalid_request')) t.fail(`[${bytes}]: ${String(err)}`)
    }
  }
  t.ok(decoded > 400 && decoded < 7600, `${decoded} of 8000 were text`)
  t.end()
})

t.test('with Buffer and without it: the same', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const encodeElsewhere = utf8Encoder(undefined)
  const pieces = [
    'a',
    'xyz'.repeat(50),
    '\0',
    'é',
    '—',
    '😀',
    '\ud83d',
    '\ude00',
    '\ufeff',
    '\uffff'
  ]
  for (let i = 0; i < 4000; i++) {
    const text = Array.from({ length: random.below(60) }, () => random.pick(pieces)).join('')
    const bytes = encodeUtf8(text)
    if (Buffer.compare(bytes, encodeElsewhere(text)) !== 0) t.fail(JSON.stringify(text))
  }
  const bytes = encodeUtf8('abc')
  bytes.slice().fill(0)
  t.same(bytes, Uint8Array.of(97, 98, 99), 'a slice is a copy')
  t.end()
})
