import t from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import { decodePem, decodeSinglePem, encodePem } from '../../src/encoding/pem.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const BODY = 'aGVsbG8='
const block = (type: string, body = `${BODY}\n`) =>
  `-----BEGIN ${type}-----\n${body}-----END ${type}-----\n`

/** Type and text of the first block, and what is left. */
function first(text: string): readonly [string, string, string] | undefined {
  const found = decodePem(encodeUtf8(text))
  return (
    found && [
      found.block.type,
      Buffer.from(found.block.bytes).toString(),
      Buffer.from(found.rest).toString()
    ]
  )
}

// What Go's encoding/pem makes of each, worked out from its documentation and source.
const READ: readonly (readonly [string, string, readonly [string, string, string] | undefined])[] =
  [
    ['plain', block('KEY'), ['KEY', 'hello', '']],
    ['no newline at the end', block('KEY').trimEnd(), ['KEY', 'hello', '']],
    ['CRLF', block('KEY').replaceAll('\n', '\r\n'), ['KEY', 'hello', '']],
    ['text before', `some text\n${block('KEY')}`, ['KEY', 'hello', '']],
    ['text after', `${block('KEY')}more`, ['KEY', 'hello', 'more']],
    ['two blocks', block('A') + block('B'), ['A', 'hello', block('B')]],
    ['headers', block('KEY', `Proc-Type: 4\nX:y\n\n${BODY}\n`), ['KEY', 'hello', '']],
    ['blanks at line ends', block('KEY', `${BODY} \t\n`), ['KEY', 'hello', '']],
    ['blanks inside the base64', block('KEY', 'aG Vs\tbG8=\n'), ['KEY', 'hello', '']],
    [
      'blanks after the markers',
      '-----BEGIN K----- \naGk=\n-----END K-----\t\nx',
      ['K', 'hi', 'x']
    ],
    ['base64 in short lines', block('KEY', 'aG\nVsb\nG8=\n'), ['KEY', 'hello', '']],
    ['empty block', block('KEY', ''), ['KEY', '', '']],
    ['empty label', block(''), ['', 'hello', '']],
    ['stray bits in the last digit', block('KEY', 'aGk\n='), undefined],
    ['stray bits tolerated', block('KEY', 'aGl=\n'), ['KEY', 'hi', '']],
    ['nothing', '', undefined],
    ['no block', 'hello', undefined],
    ['only an end', '-----END KEY-----\n', undefined],
    ['only a beginning', '-----BEGIN KEY-----\naGk=\n', undefined],
    ['begin not at the start of a line', ` ${block('KEY')}`, undefined],
    ['end not at the start of a line', `-----BEGIN KEY-----\naGk=-----END KEY-----\n`, undefined],
    ['labels differ', '-----BEGIN A-----\naGk=\n-----END B-----\n', undefined],
    ['label cut', '-----BEGIN A----\naGk=\n-----END A-----\n', undefined],
    ['text after the end marker', '-----BEGIN A-----\naGk=\n-----END A-----x\n', undefined],
    ['no padding', block('KEY', 'aGk\n'), undefined],
    ['URL alphabet', block('KEY', '-_-_\n'), undefined],
    ['header and no line before the end', block('KEY', 'a: b\n'), undefined],
    ['header, empty line, end', block('KEY', 'a: b\n\n'), ['KEY', '', '']],
    ['a damaged block is skipped', block('A', '!!!!\n') + block('B'), ['B', 'hello', '']],
    ['a beginning without end is skipped', `-----BEGIN A-----\n${block('B')}`, ['B', 'hello', '']],
    ['another end in between', '-----END A-----\n' + block('B'), ['B', 'hello', '']]
  ]

t.test('reads what Go reads', (t) => {
  for (const [name, text, expected] of READ) t.same(first(text), expected, name)
  t.end()
})

t.test('writes lines of 64 columns', (t) => {
  t.equal(encodePem('KEY', encodeUtf8('hello')), block('KEY'))
  t.equal(encodePem('KEY', new Uint8Array(0)), block('KEY', ''))
  t.equal(encodePem('KEY', new Uint8Array(48)), block('KEY', `${'A'.repeat(64)}\n`))
  t.equal(encodePem('KEY', new Uint8Array(49)), block('KEY', `${'A'.repeat(64)}\nAA==\n`))
  t.end()
})

t.test('the one block of a file', async (t) => {
  const only = (text: string) => decodeSinglePem(encodeUtf8(text), 'KEY')
  t.equal(Buffer.from(only(`# comment\n${block('KEY')} \n`)).toString(), 'hello')
  t.equal(await refusalText(() => only('x')), 'invalid_request: no PEM block, expected KEY')
  t.equal(
    await refusalText(() => only(block('CERT'))),
    'invalid_request: PEM block is CERT, expected KEY'
  )
  t.equal(
    await refusalText(() => only(block('KEY') + block('KEY'))),
    'invalid_request: trailing data after PEM block KEY'
  )
})

t.test('time grows with the length, whatever is repeated', (t) => {
  const started = Date.now()
  for (const line of [
    '-----BEGIN A-----\n',
    '-----END A-----\n',
    '-----BEGIN A-----\n-----END B-----\n',
    'a: b\n',
    '\n',
    '-----END \n-----BEGIN '
  ]) {
    t.equal(first(line.repeat(200_000)), undefined, JSON.stringify(line))
    t.not(first(`-----BEGIN C-----\n${line.repeat(200_000)}`)?.[1], 'hello')
  }
  t.ok(Date.now() - started < 20_000, `${Date.now() - started} ms`)
  t.end()
})

t.test('mutated blocks: no error, and what is read is written and read alike', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const original = encodeUtf8(`text\n${block('A')}${block('B', `x: y\n\n${BODY}\n`)}`)
  let found = 0
  for (let i = 0; i < 5000; i++) {
    const result = await unlessRefused(() => decodePem(mutate(original, random)))
    if (result === undefined || !/^[ -~]*$/.test(result.block.type)) continue
    found++
    const again = decodePem(Buffer.from(encodePem(result.block.type, result.block.bytes), 'latin1'))
    if (again?.block.type !== result.block.type) t.fail(`type ${result.block.type}`)
    if (encodeHex(again?.block.bytes ?? new Uint8Array(1)) !== encodeHex(result.block.bytes)) {
      t.fail(`bytes of ${encodeHex(result.block.bytes)}`)
    }
  }
  t.ok(found > 0, `${found} of 5000 had a block`)
})
