import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { isLogError } from '../../src/errors.js'
import {
  MAX_NOTE_BYTES,
  MAX_SIGNATURES,
  type NoteSignature,
  formatSignedNote,
  parseSignedNote
} from '../../src/note/signed-note.js'
import { seededRandom } from '../helpers/random.js'

const KEY_ID = Uint8Array.of(1, 2, 3, 4)
const ONE: NoteSignature = { name: 'log.example', keyId: KEY_ID, signature: Uint8Array.of(5, 6) }
/** base64 of bytes 1 to 6. */
const LINE = '— log.example AQIDBAUG\n'

t.test('the example note of another implementation', (t) => {
  const note = readFileSync('test/vectors/note/go-sumdb-note.txt', 'utf8')
  const { body, signatures } = parseSignedNote(note)
  t.equal(
    body,
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
  )
  t.equal(signatures.length, 1)
  const [signature] = signatures
  t.equal(signature?.name, 'PeterNeumann')
  t.equal(Buffer.from(signature?.keyId ?? []).toString('hex'), 'c74f20a3')
  const rawKey = Buffer.from('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'base64').subarray(1)
  const publicKey = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), rawKey]),
    format: 'der',
    type: 'spki'
  })
  t.ok(
    verify(null, Buffer.from(body), publicKey, signature?.signature ?? new Uint8Array(0)),
    'the bytes we call body are those that were signed'
  )
  t.equal(formatSignedNote(body, signatures), note)
  t.end()
})

const GOOD: readonly (readonly [string, string, string, readonly NoteSignature[]])[] = [
  ['one signature', `text\n\n${LINE}`, 'text\n', [ONE]],
  ['two signatures', `text\n\n${LINE}${LINE}`, 'text\n', [ONE, ONE]],
  ['several lines', `a\nb\nc\n\n${LINE}`, 'a\nb\nc\n', [ONE]],
  ['empty lines in the text', `a\n\nb\n\n\n${LINE}`, 'a\n\nb\n\n', [ONE]],
  ['text of one empty line', `\n\n${LINE}`, '\n', [ONE]],
  ['a note within a note', `a\n\n${LINE}\n${LINE}`, `a\n\n${LINE}`, [ONE]],
  ['text that looks like a signature', `${LINE}\n${LINE}`, LINE, [ONE]],
  ['text beyond ASCII', `Ünïcode 😀\u2028\n\n${LINE}`, 'Ünïcode 😀\u2028\n', [ONE]],
  [
    'signature of one byte, name beyond ASCII',
    `a\n\n— żółw/😀 AQIDBAU=\n`,
    'a\n',
    [{ name: 'żółw/😀', keyId: KEY_ID, signature: Uint8Array.of(5) }]
  ]
]

t.test('good notes, both ways', (t) => {
  for (const [name, note, body, signatures] of GOOD) {
    t.same(parseSignedNote(note), { body, signatures }, name)
    t.equal(formatSignedNote(body, signatures), note, name)
  }
  t.end()
})

const MALFORMED: Record<string, string> = {
  nothing: '',
  'only a newline': '\n',
  'only two newlines': '\n\n',
  'text without signatures': 'text\n',
  'text and empty line without signatures': 'text\n\n',
  'signatures without text': LINE,
  'empty text': `\n${LINE}`,
  'no empty line': `text\n${LINE}`,
  'no newline at the end': `text\n\n${LINE.slice(0, -1)}`,
  'newline too many at the end': `text\n\n${LINE}\n`,
  'text after the signatures': `text\n\n${LINE}more\n`,
  'empty line between signatures, text in between': `text\n\n${LINE}\nx\n`,
  'carriage returns': `text\r\n\r\n${LINE}`,
  'carriage return in the text': `te\rxt\n\n${LINE}`,
  'carriage return after the signature': `text\n\n${LINE.slice(0, -1)}\r\n`,
  'NUL in the text': `te\0xt\n\n${LINE}`,
  'tab in the text': `te\txt\n\n${LINE}`,
  'escape in the text': `te\x1bxt\n\n${LINE}`,
  'DEL in the text': `te\x7fxt\n\n${LINE}`,
  'lone surrogate in the text': `te\ud800xt\n\n${LINE}`,
  'hyphen for the dash': 'text\n\n- log.example AQIDBAUG\n',
  'en dash for the dash': 'text\n\n– log.example AQIDBAUG\n',
  'two dashes': 'text\n\n—— log.example AQIDBAUG\n',
  'no dash': 'text\n\nlog.example AQIDBAUG\n',
  'no space after the dash': 'text\n\n—log.example AQIDBAUG\n',
  'two spaces after the dash': 'text\n\n—  log.example AQIDBAUG\n',
  'two spaces before the signature': 'text\n\n— log.example  AQIDBAUG\n',
  'space at the end of the line': 'text\n\n— log.example AQIDBAUG \n',
  'space at the start of the line': 'text\n\n — log.example AQIDBAUG\n',
  'tab for the space': 'text\n\n— log.example\tAQIDBAUG\n',
  'no name': 'text\n\n— AQIDBAUG\n',
  'empty name': 'text\n\n—  AQIDBAUG\n',
  'name with plus': 'text\n\n— log+example AQIDBAUG\n',
  'name with no-break space': 'text\n\n— log\u00a0example AQIDBAUG\n',
  'name with next-line': 'text\n\n— log\u0085example AQIDBAUG\n',
  'name with line separator': 'text\n\n— log\u2028example AQIDBAUG\n',
  'name with ideographic space': 'text\n\n— log\u3000example AQIDBAUG\n',
  'name with NUL': 'text\n\n— log\0example AQIDBAUG\n',
  'name with a lone surrogate': 'text\n\n— log\udc00example AQIDBAUG\n',
  'no signature on the line': 'text\n\n— log.example\n',
  'empty signature': 'text\n\n— log.example \n',
  'only a key id': 'text\n\n— log.example AQIDBA==\n',
  'less than a key id': 'text\n\n— log.example AQID\n',
  'base64 without padding': 'text\n\n— log.example AQIDBAU\n',
  'base64 with stray bits': 'text\n\n— log.example AQIDBAV=\n',
  'URL alphabet': 'text\n\n— log.example AQIDBAU_\n',
  'not base64': 'text\n\n— log.example !!!!\n',
  'one good and one bad signature': `text\n\n${LINE}— log.example\n`
}

t.test('malformed notes are refused', (t) => {
  for (const [name, note] of Object.entries(MALFORMED)) {
    t.throws(
      () => parseSignedNote(note),
      { name: 'LogError', code: 'invalid_request', message: /^signed note: / },
      name
    )
  }
  t.end()
})

t.test('format writes only what could be read', (t) => {
  const cases: readonly (readonly [string, string, readonly NoteSignature[], string])[] = [
    ['no signature', 'text\n', [], 'no signature'],
    ['no text', '', [ONE], 'text does not end with a newline'],
    ['no newline', 'text', [ONE], 'text does not end with a newline'],
    ['control character', 'te\txt\n', [ONE], 'control character in text'],
    ['lone surrogate', 'te\ud800xt\n', [ONE], 'text is not valid Unicode'],
    ['empty name', 'text\n', [{ ...ONE, name: '' }], 'bad key name'],
    ['space in the name', 'text\n', [{ ...ONE, name: 'a b' }], 'bad key name'],
    ['newline in the name', 'text\n', [{ ...ONE, name: 'a\n' }], 'bad key name'],
    ['plus in the name', 'text\n', [ONE, { ...ONE, name: 'a+b' }], 'bad key name'],
    ['short key id', 'text\n', [{ ...ONE, keyId: KEY_ID.slice(1) }], 'key id is not 4 bytes'],
    ['long key id', 'text\n', [{ ...ONE, keyId: new Uint8Array(32) }], 'key id is not 4 bytes'],
    ['empty signature', 'text\n', [{ ...ONE, signature: KEY_ID.slice(4) }], 'empty signature']
  ]
  for (const [name, body, signatures, problem] of cases) {
    t.throws(
      () => formatSignedNote(body, signatures),
      { name: 'LogError', code: 'invalid_request', message: `signed note: ${problem}` },
      name
    )
  }
  t.end()
})

t.test('limits', (t) => {
  const many = Array.from({ length: MAX_SIGNATURES }, () => ONE)
  const note = formatSignedNote('text\n', many)
  t.equal(parseSignedNote(note).signatures.length, MAX_SIGNATURES)
  const tooMany = { name: 'LogError', code: 'too_large', message: /more than 100 signatures/ }
  t.throws(() => formatSignedNote('text\n', [...many, ONE]), tooMany)
  t.throws(() => parseSignedNote(note + LINE), tooMany)
  t.throws(() => parseSignedNote(`text\n\n${'x\n'.repeat(200_000)}`), tooMany, 'lines unread')

  const rest = Buffer.byteLength(`\n\n${LINE}`)
  const largest = `${'a'.repeat(MAX_NOTE_BYTES - rest)}\n\n${LINE}`
  t.equal(Buffer.byteLength(largest), MAX_NOTE_BYTES)
  t.equal(parseSignedNote(largest).body.length, MAX_NOTE_BYTES - rest + 1)
  const tooLong = { name: 'LogError', code: 'too_large', message: /more than 1048576 bytes/ }
  t.throws(() => parseSignedNote(`a${largest}`), tooLong)
  t.throws(() => parseSignedNote(largest.replace('a', 'é')), tooLong, 'bytes, not characters')
  t.throws(() => parseSignedNote('a'.repeat(64 * 1024 * 1024)), tooLong)
  t.end()
})

t.test('fuzz: nothing but LogError, and what parses formats to itself', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const pieces = [
    '\n',
    '\n\n',
    '— ',
    '—',
    ' ',
    'log.example',
    'AQIDBAUG',
    'AQIDBAU=',
    '=',
    '+',
    'x',
    LINE
  ]
  const odd = ['\r', '\t', '\0', '\ud800', '\u00a0', 'é', '\u0085']
  let parsed = 0
  for (let i = 0; i < 15000; i++) {
    let note = random.pick(GOOD)[1]
    for (let n = random.below(4); n > 0; n--) {
      const cut = random.below(note.length + 1)
      const piece = random.below(8) === 0 ? random.pick(odd) : random.pick(pieces)
      note = note.slice(0, cut) + piece + note.slice(cut + random.below(4))
    }
    try {
      const { body, signatures } = parseSignedNote(note)
      parsed++
      if (formatSignedNote(body, signatures) !== note) t.fail(`${JSON.stringify(note)} changed`)
    } catch (err) {
      if (!isLogError(err, 'invalid_request')) t.fail(`${JSON.stringify(note)}: ${String(err)}`)
    }
  }
  t.ok(parsed > 1000 && parsed < 14000, `${parsed} of 15000 were notes`)
  t.end()
})
