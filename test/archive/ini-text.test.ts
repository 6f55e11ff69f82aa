import t from 'tap'
import { bytesToText, textToUnicode, trim, trimStart } from '../../src/archive/ini-text.js'

const utf8 = (text: string) => Buffer.from(text).toString('latin1')

t.test('bytes', async (t) => {
  const bytes = Uint8Array.of(1, 0, 0x41, 0xff, 2).subarray(1, 4)
  t.equal(bytesToText(bytes), '\0A\xff')
})

t.test('what is UTF-8 is decoded, any other byte replaced', async (t) => {
  for (const text of [
    '',
    'ascii',
    'äöü €',
    '\ufeffbom',
    '\u{10ffff}\u{10000}',
    '\ud7ff\ue000',
    '\0'
  ])
    t.equal(textToUnicode(utf8(text)), text)
  // What json.Marshal of Go makes of them, after its utf8.DecodeRune: one for each byte.
  for (const [bytes, expected] of [
    ['a\xffb', 'a\ufffdb'],
    ['\x80\xbf', '\ufffd\ufffd'],
    ['\xc3', '\ufffd'],
    ['\xe2\x82', '\ufffd\ufffd'],
    ['\xe2\x82\xac\xe2', '€\ufffd'],
    ['\xc0\x80', '\ufffd\ufffd'],
    ['\xe0\x80\x80', '\ufffd\ufffd\ufffd'],
    ['\xed\xa0\x80', '\ufffd\ufffd\ufffd'],
    ['\xf0\x80\x80\x80', '\ufffd\ufffd\ufffd\ufffd'],
    ['\xf4\x90\x80\x80', '\ufffd\ufffd\ufffd\ufffd'],
    ['\xf5\x80', '\ufffd\ufffd']
  ] as const) {
    t.equal(textToUnicode(bytes), expected)
  }
})

t.test('white space of Unicode, none of which is cut in two', async (t) => {
  const spaces =
    '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a' +
    '\u2028\u2029\u202f\u205f\u3000'
  for (const space of spaces) {
    t.equal(trim(utf8(`${space}a${space}b${space}`)), utf8(`a${space}b`))
    t.equal(trimStart(utf8(`${space}a${space}`)), utf8(`a${space}`))
  }
  for (const other of [
    '\ufeff',
    '\u200b',
    '\u180e',
    'ä',
    '\x00',
    '\x1c',
    '\x85',
    '\xa0',
    '\xe2\x80'
  ])
    t.equal(
      trim(other.charCodeAt(0) > 0xff ? utf8(other) : other),
      other.charCodeAt(0) > 0xff ? utf8(other) : other
    )
  t.equal(trim(utf8(spaces)), '')
  t.equal(trimStart(utf8(spaces)), '')
  t.equal(trim(''), '')
  t.equal(trim(utf8('\u2000')), '')
  t.equal(trim('\xa0\xc2'), '\xa0\xc2', 'bytes of one in the wrong order')
})

t.test('a megabyte of blanks takes its time once', async (t) => {
  // A pattern would go on for hours.
  const blanks = ' '.repeat(1 << 20)
  t.equal(trim(`${blanks}a${blanks}b${blanks}`).length, 2 + blanks.length)
})
