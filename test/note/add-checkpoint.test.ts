import t from 'tap'
import { decodeBase64 } from '../../src/encoding/base64.js'
import { concatBytes } from '../../src/encoding/bytes.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import {
  encodeAddCheckpoint,
  encodeTreeSize,
  MAX_ADD_CHECKPOINT_BYTES,
  parseAddCheckpoint,
  parseTreeSize
} from '../../src/note/add-checkpoint.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusal, refusalText, unlessRefused } from '../helpers/refusals.js'
import { CHECKPOINT_1, CHECKPOINT_2, PROOF_1_2 } from '../helpers/witness-keys.js'

const BODY = `old 1\n${PROOF_1_2}\n\n${CHECKPOINT_2}`
const parse = (text: string): ReturnType<typeof parseAddCheckpoint> =>
  parseAddCheckpoint(encodeUtf8(text))

t.test('requests, both ways', (t) => {
  const request = parse(BODY)
  t.match(request, { oldSize: 1, checkpoint: CHECKPOINT_2, parsed: { treeSize: 2 } })
  t.same(request.consistencyProof, [decodeBase64(PROOF_1_2)])
  t.equal(Buffer.from(encodeAddCheckpoint(request)).toString(), BODY)

  const first = `old 0\n\n${CHECKPOINT_1}`
  t.match(parse(first), { oldSize: 0, consistencyProof: [], parsed: { treeSize: 1 } })
  t.equal(Buffer.from(encodeAddCheckpoint(parse(first))).toString(), first)

  const extended = BODY.replace('LVq4Q=\n', 'LVq4Q=\nan extension\n')
  t.same(parse(extended).parsed.extensionLines, ['an extension'])
  t.equal(parse(BODY.replace('old 1', 'old 3')).oldSize, 3, 'who compares sizes refuses it')
  t.end()
})

const MALFORMED: Record<string, readonly [string, string]> = {
  nothing: ['', 'add-checkpoint: no empty line before the checkpoint'],
  'only a checkpoint': [CHECKPOINT_2, 'add-checkpoint: does not begin with the old size'],
  'empty first line': [`\n${BODY}`, 'add-checkpoint: does not begin with the old size'],
  'old size in capitals': [
    BODY.replace('old', 'OLD'),
    'add-checkpoint: does not begin with the old size'
  ],
  'no old size': [
    BODY.replace('old 1', 'old '),
    'add-checkpoint: old size: not a decimal number below 2^53'
  ],
  'two blanks': [
    BODY.replace('old 1', 'old  1'),
    'add-checkpoint: old size: not a decimal number below 2^53'
  ],
  'leading zero': [
    BODY.replace('old 1', 'old 01'),
    'add-checkpoint: old size: not a decimal number below 2^53'
  ],
  'old size of 2^64': [
    BODY.replace('old 1', 'old 18446744073709551616'),
    'add-checkpoint: old size: not a decimal number below 2^53'
  ],
  'proof line of 31 bytes': [
    BODY.replace(PROOF_1_2, `${'A'.repeat(40)}AA==`),
    'add-checkpoint: proof line is not 32 bytes'
  ],
  '64 proof lines': [
    BODY.replace(`${PROOF_1_2}\n`, `${PROOF_1_2}\n`.repeat(64)),
    'add-checkpoint: proof of more than 63 hashes'
  ],
  'no empty line': [BODY.replace('\n\nrekor2', '\nrekor2'), 'add-checkpoint: proof line:'],
  'two empty lines': [BODY.replace('\n\nrekor2', '\n\n\nrekor2'), 'checkpoint:'],
  'no checkpoint': [`old 1\n${PROOF_1_2}\n\n`, 'signed note: no empty line'],
  'checkpoint without signature': [
    BODY.slice(0, BODY.indexOf('\n—') + 1),
    'signed note: no signature'
  ],
  'text after the checkpoint': [`${BODY}x`, 'signed note: no newline at the end'],
  'carriage returns': [BODY.replaceAll('\n', '\r\n'), 'add-checkpoint: no empty line'],
  'byte order mark': [`\ufeff${BODY}`, 'add-checkpoint: does not begin with the old size']
}

t.test('malformed', async (t) => {
  for (const [name, [text, want]] of Object.entries(MALFORMED)) {
    const error = await refusal(() => parse(text))
    t.equal(error.code, 'invalid_request', name)
    t.ok(error.message.startsWith(want), `${name}: ${error.message}`)
  }
  t.equal(
    await refusalText(() => parseAddCheckpoint(Uint8Array.of(0xff, 10, 10))),
    'invalid_request: not valid UTF-8'
  )
})

t.test('limits', async (t) => {
  const line = CHECKPOINT_2.slice(CHECKPOINT_2.indexOf('—'))
  t.equal(parse(BODY + line.repeat(99)).parsed.signatures.length, 100)
  t.equal((await refusal(() => parse(BODY + line.repeat(100)))).code, 'too_large')

  const extension = 'x'.repeat(MAX_ADD_CHECKPOINT_BYTES - BODY.length - 5) // the dash takes three bytes, the newline one
  const filled = encodeUtf8(BODY.replace('LVq4Q=\n', `LVq4Q=\n${extension}xx\n`))
  t.equal(filled.length, MAX_ADD_CHECKPOINT_BYTES)
  t.equal(parseAddCheckpoint(filled).oldSize, 1)
  t.equal(
    await refusalText(() => parseAddCheckpoint(concatBytes(filled, Uint8Array.of(10)))),
    'too_large: add-checkpoint: more than 131072 bytes'
  )
})

t.test('only what could be read is written', async (t) => {
  const request = parse(BODY)
  for (const [name, wrong] of [
    ['old size', { ...request, oldSize: 0.5 }],
    ['hash', { ...request, consistencyProof: [new Uint8Array(31)] }],
    ['checkpoint', { ...request, checkpoint: 'text\n' }]
  ] as const) {
    t.equal((await refusal(() => encodeAddCheckpoint(wrong))).code, 'invalid_request', name)
  }
})

t.test('the size that a witness tells', async (t) => {
  t.equal(Buffer.from(encodeTreeSize(20852014)).toString(), '20852014\n')
  t.equal(parseTreeSize(encodeTreeSize(0)), 0)
  t.equal(parseTreeSize(encodeTreeSize(2 ** 53 - 1)), 2 ** 53 - 1)
  for (const text of ['', '7', '7\n\n', '7\r\n', ' 7\n', '07\n', '\n', '9007199254740992\n']) {
    t.equal((await refusal(() => parseTreeSize(encodeUtf8(text)))).code, 'invalid_request', text)
  }
  const long = encodeUtf8(`7\n${'9'.repeat(100)}\n`)
  t.equal((await refusal(() => parseTreeSize(long))).code, 'invalid_request')
})

t.test('mutated: a LogError, or what writes the same bytes', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const bytes = mutate(encodeUtf8(BODY), random)
    const request = await unlessRefused(() => parseAddCheckpoint(bytes))
    if (request === undefined) continue
    parsed++
    if (!Buffer.from(encodeAddCheckpoint(request)).equals(bytes)) t.fail(String(bytes))
  }
  t.ok(parsed > 0 && parsed < 3000, `${parsed} of 3000 were requests`)
})
