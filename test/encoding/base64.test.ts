import t from 'tap'
import {
  base64Decoder,
  base64Encoder,
  decodeBase64,
  decodeBase64Loose,
  encodeBase64
} from '../../src/encoding/base64.js'
import { isLogError } from '../../src/errors.js'
import { seededRandom } from '../helpers/random.js'

t.test('RFC 4648 section 10', (t) => {
  const vectors = [
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy']
  ] as const
  for (const [text, base64] of vectors) {
    const bytes = new TextEncoder().encode(text)
    t.equal(encodeBase64(bytes), base64)
    t.same(decodeBase64(base64), bytes)
    t.same(decodeBase64Loose(base64), bytes)
  }
  t.end()
})

t.test('agrees with Buffer on random bytes of every length', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (let length = 0; length < 300; length++) {
    const bytes = random.bytes(length)
    const text = Buffer.from(bytes).toString('base64')
    if (encodeBase64(bytes) !== text) t.fail(`encoding of ${length} bytes`)
    if (Buffer.compare(decodeBase64(text), bytes) !== 0) t.fail(`decoding of ${length} bytes`)
    const memory = decodeBase64Loose(text).buffer.byteLength
    if (memory > Math.max(Buffer.poolSize, length)) t.fail(`${length} bytes keep ${memory}`)
  }
  t.equal(encodeBase64(Uint8Array.of(9, 0xfb, 0xff, 0xbf, 9).subarray(1, 4)), '+/+/')
  t.end()
})

// Offsets worked out by hand from how Go's decoder goes about it: groups of four digits, line breaks passed over;
// a bad character is pointed at; at a premature end it points back by the digits of the unfinished group; of padding
// that is not followed by what it needs, at the padding or the end; after padding, at whatever follows.
const REFUSED_BY_GO = [
  ['one digit', 'Z', 0],
  ['two digits', 'Zg', 0],
  ['three digits', 'Zm8', 0],
  ['padding missing after a full group', 'Zm9vYg', 4],
  ['one of two padding characters', 'Zg=', 3],
  ['one digit after a full group', 'Zm9vY', 4],
  ['line break in an unfinished group', 'Zm9vY\ng', 5],
  ['unfinished group before a line break', 'Zg\n', 1],
  ['only padding', '=', 0],
  ['padding after a full group', 'Zm9v=', 4],
  ['padding after one digit', 'Z===', 1],
  ['three padding characters', 'Zg===', 4],
  ['padding, then digits', 'Zg==Zg==', 4],
  ['padding, then garbage', 'Zm8=!', 4],
  ['padding, line break, then garbage', 'Zm8=\n\nA', 6],
  ['two padding characters, line break, garbage', 'Zg==\r\nx', 6],
  ['padding where a digit was due', 'Zg=g', 2],
  ['padding, line break, digit', 'Zg=\ng', 3],
  ['padding, line break, end', 'Zg=\n', 4],
  ['padding, two line breaks, end', 'Zg=\r\n', 5],
  ['space', 'Zm9v YmFy', 4],
  ['space at the start', ' Zm9v', 0],
  ['space at the end', 'Zm9v ', 4],
  ['tab', 'Zm\t9v', 2],
  ['URL alphabet, minus', 'Zm-v', 2],
  ['URL alphabet, underscore', '_m9v', 0],
  ['bad character after a line break', 'Zm9v\nYm*y', 7],
  ['character beyond ASCII', 'Zm9vé', 4],
  ['character of another plane', 'Zm😀v', 2],
  ['NUL', 'Zm9v\0', 4],
  ['DEL', 'Zm\x7fv', 2],
  ['vertical tab', 'Zm9v\v', 4],
  ['line separator', 'Zm9v\u2028', 4],
  ['percent encoding', 'Zg%3D%3D', 2]
] as const

t.test('what Go refuses is refused, with its words', (t) => {
  for (const [name, text, offset] of REFUSED_BY_GO) {
    t.throws(
      () => decodeBase64Loose(text, 'field'),
      {
        name: 'LogError',
        code: 'invalid_request',
        message: `field: illegal base64 data at input byte ${offset}`
      },
      name
    )
    t.throws(() => decodeBase64(text), { code: 'invalid_request' }, `${name}, strictly`)
  }
  t.throws(() => decodeBase64Loose('!'), { message: 'base64: illegal base64 data at input byte 0' })
  t.end()
})

const TOLERATED_BY_GO = [
  ['line breaks between groups', 'Zm9v\nYmFy\r\n', 'foobar'],
  ['line breaks within a group', 'Z\nm\r9\r\nv', 'foo'],
  ['line breaks around padding', 'Zg\n=\n=\n', 'f'],
  ['line break before the last padding', 'Zm8\n=', 'fo'],
  ['only line breaks', '\r\n\n\r', ''],
  ['stray bits, one byte', 'Zh==', 'f'],
  ['all stray bits, one byte', 'Zv==', 'f'],
  ['stray bits, two bytes', 'Zm9=', 'fo']
] as const

t.test('what Go tolerates: loosely read, strictly refused', (t) => {
  for (const [name, text, want] of TOLERATED_BY_GO) {
    t.equal(Buffer.from(decodeBase64Loose(text)).toString(), want, name)
    t.throws(
      () => decodeBase64(text, 'root hash'),
      { name: 'LogError', code: 'invalid_request', message: 'root hash: not canonical base64' },
      name
    )
  }
  t.end()
})

t.test('fuzz: refused with an offset inside the text, or encodes to the same text', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let strict = 0
  let loose = 0
  for (let i = 0; i < 12000; i++) {
    const text = Array.from({ length: random.below(10) }, () =>
      random.pick([...'AQgwZ/+9', 'A', 'w', '=', '=', '\n', '\r', '-', 'é'])
    ).join('')
    const offset = text.length
    try {
      const bytes = decodeBase64Loose(text)
      loose++
      if (Buffer.compare(bytes, Buffer.from(text, 'base64')) !== 0) t.fail(JSON.stringify(text))
    } catch (err) {
      const at = Number(/ at input byte (\d+)$/.exec(String(err))?.[1] ?? -1)
      if (!isLogError(err, 'invalid_request') || at < 0 || at > offset) {
        t.fail(`${JSON.stringify(text)}: ${String(err)}`)
      }
    }
    try {
      const bytes = decodeBase64(text)
      strict++
      if (encodeBase64(bytes) !== text) t.fail(`${JSON.stringify(text)} changed`)
    } catch (err) {
      if (!isLogError(err, 'invalid_request')) t.fail(`${JSON.stringify(text)}: ${String(err)}`)
    }
  }
  t.ok(loose > strict && strict > 200, `${loose} read loosely, ${strict} strictly, of 12000`)
  t.end()
})

const decodeByTable = base64Decoder(undefined)
const encodeByTable = base64Encoder(undefined)

/** What a decoder makes of a text: hex of the bytes, or what it says. */
function outcome(decode: (text: string, label?: string) => Uint8Array, text: string): string {
  try {
    return Buffer.from(decode(text, 'field')).toString('hex')
  } catch (err) {
    return String(err)
  }
}

t.test('with Buffer and without it: the same', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const texts: string[] = [...REFUSED_BY_GO, ...TOLERATED_BY_GO].map(([, text]) => text)
  for (let i = 0; i < 4000; i++) {
    const bytes = random.bytes(random.below(300))
    const text = encodeByTable(bytes)
    if (encodeBase64(bytes) !== text) t.fail(`encoding of ${Buffer.from(bytes).toString('hex')}`)
    const at = random.below(text.length + 1)
    const strange = random.pick([...'AZaz09+/==-_\n\r é', '\0', '\u2028', '😀'])
    texts.push(text, text.slice(0, at) + strange + text.slice(at + random.below(3)))
  }
  // One assertion for all of them: thousands, with such texts as names, are more than the report can take.
  const differing = texts.filter(
    (text) => outcome(decodeBase64Loose, text) !== outcome(decodeByTable, text)
  )
  t.ok(texts.length > 8000)
  t.strictSame(differing, [])
  t.end()
})

t.test('long texts, which are read piece by piece', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const piece = 49_152 // bytes of 65,536 characters
  for (const length of [piece - 1, piece, piece + 1, 2 * piece - 2, 2 * piece, 3 * piece + 2]) {
    const bytes = random.bytes(length)
    const text = encodeBase64(bytes)
    t.equal(text, encodeByTable(bytes), `${length} bytes`)
    t.equal(Buffer.compare(decodeBase64Loose(text), bytes), 0)
    t.equal(decodeBase64Loose(text).buffer.byteLength, length, 'no memory beyond them')
    const damaged = {
      'a character of the last group missing': text.slice(0, -1),
      'padding where a piece ends': `${text.slice(0, 65_534)}==${text.slice(65_536)}`,
      'one padding there': `${text.slice(0, 65_535)}=${text.slice(65_536)}`,
      'padding within a piece': `${text.slice(0, 400)}AA==${text.slice(404)}`,
      'a line break': `${text.slice(0, 70_000)}\n${text.slice(70_000)}`,
      'a line break at the end': `${text}\n`,
      'URL alphabet': `${text.slice(0, 65_600)}-${text.slice(65_601)}`,
      'beyond ASCII': `${text.slice(0, 65_530)}é${text.slice(65_531)}`,
      'padding after padding': `${text}====`
    }
    for (const [name, changed] of Object.entries(damaged)) {
      // Compared before tap does: it would print a long difference.
      const same = outcome(decodeBase64Loose, changed) === outcome(decodeByTable, changed)
      t.ok(same, `${length} bytes, ${name}`)
    }
  }
  t.end()
})
