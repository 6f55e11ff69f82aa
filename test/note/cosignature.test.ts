import t from 'tap'
import { LogError } from '../../src/errors.js'
import { parseCheckpoint } from '../../src/note/checkpoint.js'
import {
  encodeCosignature,
  encodeCosignatureMessage,
  parseCosignature,
  signCosignature,
  verifyCosignatures
} from '../../src/note/cosignature.js'
import { formatSignatureLines, parseSignatureLines } from '../../src/note/signature-lines.js'
import { refusal, refusalText } from '../helpers/refusals.js'
import {
  CHECKPOINT_1,
  CHECKPOINT_2,
  cosign,
  COSIGNATURE_1,
  COSIGNATURE_2,
  LOG,
  signBody,
  VECTOR_SECONDS,
  W1,
  W2
} from '../helpers/witness-keys.js'

const BODY_1 = parseCheckpoint(CHECKPOINT_1).body
const BODY_2 = parseCheckpoint(CHECKPOINT_2).body

t.test('cosignatures of another implementation', async (t) => {
  for (const [checkpoint, want] of [
    [CHECKPOINT_1, COSIGNATURE_1],
    [CHECKPOINT_2, COSIGNATURE_2]
  ] as const) {
    const { body } = parseCheckpoint(checkpoint)
    const line = await signCosignature(body, VECTOR_SECONDS, W1)
    t.equal(formatSignatureLines([line]), want)
    t.same(await verifyCosignatures(body, parseSignatureLines(want), W1), [
      { line, timestampSeconds: VECTOR_SECONDS }
    ])
  }
})

t.test('what is signed', (t) => {
  t.equal(
    Buffer.from(encodeCosignatureMessage('example.com\n7\nAA==\nmore\n', 1679315147)).toString(),
    'cosignature/v1\ntime 1679315147\nexample.com\n7\nAA==\nmore\n'
  )
  t.end()
})

t.test('the bytes, both ways', async (t) => {
  const signature = new Uint8Array(64).fill(0xaa)
  const bytes = encodeCosignature({ timestampSeconds: 1679315147, signature })
  t.equal(Buffer.from(bytes).toString('hex'), `00000000641850cb${'aa'.repeat(64)}`)
  t.same(parseCosignature(bytes), { timestampSeconds: 1679315147, signature })
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ['nothing', () => parseCosignature(new Uint8Array(0)), 'cosignature: cut short'],
    ['one byte short', () => parseCosignature(bytes.slice(1)), 'cosignature: cut short'],
    [
      'one byte more',
      () => parseCosignature(Uint8Array.of(...bytes, 0)),
      'cosignature: trailing data'
    ],
    [
      'time of 2^64 - 1',
      () => parseCosignature(bytes.map((byte, i) => (i < 8 ? 255 : byte))),
      'cosignature: number above 2^53-1'
    ],
    [
      'short signature',
      () => encodeCosignature({ timestampSeconds: 1, signature: signature.slice(1) }),
      'cosignature: 63 bytes, not 64'
    ],
    [
      'time before the epoch',
      () => encodeCosignature({ timestampSeconds: -1, signature }),
      'cosignature: timestamp: -1 is not an unsigned integer of 64 bits below 2^53'
    ]
  ]
  for (const [name, action, want] of cases) {
    t.equal(await refusalText(action), `invalid_request: ${want}`, name)
  }
})

t.test('only lines of that witness count', async (t) => {
  const lines = [
    await signBody(BODY_1, LOG),
    await cosign(BODY_1, W2),
    await cosign(BODY_1, W1, 5),
    await cosign(BODY_1, W1, 7),
    { ...(await cosign(BODY_2, W1)), name: 'somebody.else' },
    { ...(await cosign(BODY_2, W1)), keyId: Uint8Array.of(1, 2, 3, 4) }
  ]
  const times = async (witness: typeof W1): Promise<readonly number[]> =>
    (await verifyCosignatures(BODY_1, lines, witness)).map((found) => found.timestampSeconds)
  t.same(await times(W1), [5, 7])
  t.same(await times(W2), [VECTOR_SECONDS])
  t.same(await verifyCosignatures(BODY_1, [], W1), [])
})

t.test('one bad line of that witness and all is refused', async (t) => {
  const good = await cosign(BODY_1, W1)
  const bad = 'verification_failed: cosignature of "witness.example.internal/w1" is not valid'
  for (const [name, line] of [
    ['over another checkpoint', await cosign(BODY_2, W1)],
    ['with another key under its name', { ...(await cosign(BODY_1, W2)), ...idOf(W1) }],
    ['of another time', { ...good, signature: good.signature.with(7, 1) }],
    ['without a time', { ...(await signBody(BODY_1, W1)), ...idOf(W1) }]
  ] as const) {
    t.equal(await refusalText(() => verifyCosignatures(BODY_1, [good, line], W1)), bad, name)
  }
})

function idOf({ key: { name, keyId } }: typeof W1): { name: string; keyId: Uint8Array } {
  return { name, keyId }
}

t.test('the future', async (t) => {
  const line = await cosign(BODY_1, W1, 1000)
  t.equal((await verifyCosignatures(BODY_1, [line], W1, 1000)).length, 1)
  t.equal(
    await refusalText(() => verifyCosignatures(BODY_1, [line], W1, 999)),
    'verification_failed: cosignature of "witness.example.internal/w1" is from the future'
  )
})

t.test('an error of ours is not one of the witness', async (t) => {
  const line = await cosign(BODY_1, W1)
  const broken = new LogError('internal', 'OpenSSL is broken')
  const verify = (): void => {
    throw broken
  }
  t.equal(await refusal(() => verifyCosignatures(BODY_1, [line], { key: W1.key, verify })), broken)
})
