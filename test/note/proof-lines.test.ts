import t from 'tap'
import {
  formatProofLines,
  MAX_PROOF_HASHES,
  parseDecimal,
  parseProofLines
} from '../../src/note/proof-lines.js'
import { refusalText } from '../helpers/refusals.js'
import { PROOF_1_2 } from '../helpers/witness-keys.js'

t.test('hashes, both ways', (t) => {
  t.same(parseProofLines([], 'x'), [])
  t.equal(formatProofLines([]), '')
  const hashes = parseProofLines([PROOF_1_2, PROOF_1_2], 'x')
  t.equal(Buffer.from(hashes[1] ?? []).toString('base64'), PROOF_1_2)
  t.equal(formatProofLines(hashes), `${PROOF_1_2}\n${PROOF_1_2}\n`)
  const most = Array.from({ length: MAX_PROOF_HASHES }, () => PROOF_1_2)
  t.equal(parseProofLines(most, 'x').length, 63)
  t.end()
})

t.test('refused', async (t) => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['64 hashes', Array.from({ length: 64 }, () => PROOF_1_2), 'x: proof of more than 63 hashes'],
    ['empty line', [''], 'x: proof line is not 32 bytes'],
    ['31 bytes', [`${'A'.repeat(40)}AA==`], 'x: proof line is not 32 bytes'],
    ['33 bytes', ['A'.repeat(44)], 'x: proof line is not 32 bytes'],
    ['stray bits', [PROOF_1_2.replace('4=', '5=')], 'x: proof line: not canonical base64'],
    ['trailing space', [`${PROOF_1_2} `], 'x: proof line: illegal base64 data at input byte 44']
  ]
  for (const [name, lines, want] of cases) {
    t.equal(await refusalText(() => parseProofLines(lines, 'x')), `invalid_request: ${want}`, name)
  }
})

t.test('decimal numbers', async (t) => {
  for (const [text, value] of [
    ['0', 0],
    ['7', 7],
    ['4294967297', 2 ** 32 + 1],
    ['9007199254740991', 2 ** 53 - 1]
  ] as const) {
    t.equal(parseDecimal(text, 'x'), value)
  }
  for (const text of [
    ...['', '-1', '+1', '01', '00', ' 1', '1 ', '1\n', '1.0', '1e3', '0x1', '٧', 'NaN'],
    ...['9007199254740992', '9007199254740993', '18446744073709551615', '9'.repeat(1000)]
  ]) {
    t.equal(
      await refusalText(() => parseDecimal(text, 'x')),
      'invalid_request: x: not a decimal number below 2^53',
      JSON.stringify(text.slice(0, 30))
    )
  }
})
