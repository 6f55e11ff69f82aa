import t from 'tap'
import { formatSignatureLines, parseSignatureLines } from '../../src/note/signature-lines.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { COSIGNATURE_1, COSIGNATURE_2, W1 } from '../helpers/witness-keys.js'

t.test('lines of a witness, both ways', (t) => {
  const lines = parseSignatureLines(COSIGNATURE_1 + COSIGNATURE_2)
  t.equal(lines.length, 2)
  for (const line of lines) {
    t.equal(line.name, W1.key.name)
    t.same(line.keyId, W1.key.keyId)
    t.equal(line.signature.length, 72)
  }
  t.equal(formatSignatureLines(lines), COSIGNATURE_1 + COSIGNATURE_2)
  t.end()
})

const REFUSED: Record<string, readonly [string, string]> = {
  nothing: ['', 'signed note: no signature'],
  'no newline at the end': [COSIGNATURE_1.trimEnd(), 'signed note: no newline at the end'],
  'empty line before': [`\n${COSIGNATURE_1}`, 'signature lines: empty line'],
  'empty line between': [`${COSIGNATURE_1}\n${COSIGNATURE_2}`, 'signature lines: empty line'],
  'empty line behind': [`${COSIGNATURE_1}\n`, 'signed note: no signature'],
  'a whole note': [`text\n\n${COSIGNATURE_1}`, 'signature lines: empty line'],
  'another dash': [COSIGNATURE_1.replace('—', '-'), 'signed note: bad signature line']
}

t.test('refused', async (t) => {
  for (const [name, [lines, want]] of Object.entries(REFUSED)) {
    t.equal(await refusalText(() => parseSignatureLines(lines)), `invalid_request: ${want}`, name)
  }
  t.equal(
    await refusalText(() => formatSignatureLines([])),
    'invalid_request: signed note: no signature'
  )
})

t.test('mutated: a LogError, or what writes the same text', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const text = Buffer.from(mutate(Buffer.from(COSIGNATURE_1), random)).toString()
    const lines = await unlessRefused(() => parseSignatureLines(text))
    if (lines === undefined) continue
    parsed++
    if (formatSignatureLines(lines) !== text) t.fail(JSON.stringify(text))
  }
  t.ok(parsed > 0 && parsed < 3000, `${parsed} of 3000 were signature lines`)
})
