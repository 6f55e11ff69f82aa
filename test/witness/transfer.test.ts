import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { parseCheckpoint } from '../../src/note/checkpoint.js'
import { formatVerifierKey } from '../../src/note/verifier-key.js'
import { parseWitnessPolicy } from '../../src/note/witness-policy.js'
import type { Witness } from '../../src/witness/contract.js'
import { createCosignedSizes } from '../../src/witness/cosigned-sizes.js'
import {
  answerRequest,
  exportRequest,
  importAnswer,
  type ImportOptions
} from '../../src/witness/transfer.js'
import {
  type AnswerFile,
  encodeAnswerFile,
  encodeRequestFile,
  MAX_TRANSFER_BYTES,
  parseAnswerFile,
  parseRequestFile
} from '../../src/witness/transfer-files.js'
import { createWitness } from '../../src/witness/witness.js'
import { memoryRegister } from '../helpers/memory-register.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusal, refusalText, unlessRefused } from '../helpers/refusals.js'
import {
  CHECKPOINT_2,
  cosign,
  COSIGNATURE_2,
  LOG,
  PROOF_1_2,
  testHistory,
  VECTOR_SECONDS,
  W1,
  W2
} from '../helpers/witness-keys.js'

const ORIGIN = LOG.key.name
const HISTORY = testHistory()
const FORK = testHistory(ORIGIN, 1)
const VKEY = formatVerifierKey(W1.key)
const POLICY = parseWitnessPolicy(
  encodeUtf8(
    `witness w1 ${VKEY}\nwitness w2 ${formatVerifierKey(W2.key)}\ngroup g all w1 w2\nquorum g\n`
  )
)

const REQUEST = `sigstead/witness-request@v1\nwitness ${VKEY}\nold 1\n${PROOF_1_2}\n\n${CHECKPOINT_2}`
const COSIGNED = `sigstead/witness-answer@v1\nwitness ${VKEY}\n\n${parseCheckpoint(CHECKPOINT_2).body}\n${COSIGNATURE_2}`
const CONFLICT = `sigstead/witness-answer@v1\nwitness ${VKEY}\norigin ${ORIGIN} - 7\nlast 7\n`
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

t.test('files, both ways', (t) => {
  const request = parseRequestFile(encodeUtf8(REQUEST))
  t.match(request, { witness: W1.key, oldSize: 1, checkpoint: CHECKPOINT_2 })
  t.equal(text(request.body), REQUEST.slice(REQUEST.indexOf('old 1')))
  t.equal(text(encodeRequestFile(request)), REQUEST)
  const cosigned = parseAnswerFile(encodeUtf8(COSIGNED))
  t.match(cosigned, { kind: 'cosigned', witness: W1.key, signatures: [{ name: W1.key.name }] })
  t.equal(text(encodeAnswerFile(cosigned)), COSIGNED)
  const conflict = parseAnswerFile(encodeUtf8(CONFLICT))
  t.same(conflict, { kind: 'conflict', witness: W1.key, origin: `${ORIGIN} - 7`, treeSize: 7 })
  t.equal(text(encodeAnswerFile(conflict)), CONFLICT)
  t.end()
})

t.test('malformed files', async (t) => {
  for (const [name, file] of [
    ['nothing', ''],
    ['one line', 'sigstead/witness-request@v1\n'],
    ['another version', REQUEST.replace('@v1', '@v2')],
    ['an answer', COSIGNED],
    ['no witness', REQUEST.replace('witness w', 'for w')],
    ['witness with another key ID', REQUEST.replace('+ce', '+cf')],
    ['empty line behind the witness', REQUEST.replace('old 1', '\nold 1')],
    ['carriage returns', REQUEST.replaceAll('\n', '\r\n')]
  ] as const) {
    t.equal((await refusal(() => parseRequestFile(encodeUtf8(file)))).code, 'invalid_request', name)
  }
  for (const [name, file] of [
    ['a request', REQUEST],
    ['neither', COSIGNED.slice(0, COSIGNED.indexOf('\n\n') + 1)],
    ['no signature', COSIGNED.slice(0, COSIGNED.indexOf('—'))],
    ['no checkpoint', COSIGNED.replace(/\n2\n/, '\nx\n')],
    ['size with a leading zero', CONFLICT.replace('last 7', 'last 07')],
    ['size too large', CONFLICT.replace('last 7', 'last 9007199254740992')],
    ['no newline', CONFLICT.trimEnd()],
    ['control character', CONFLICT.replace(' - 7', '\t7')]
  ] as const) {
    t.equal((await refusal(() => parseAnswerFile(encodeUtf8(file)))).code, 'invalid_request', name)
  }
  const large = new Uint8Array(MAX_TRANSFER_BYTES + 1)
  t.equal((await refusal(() => parseRequestFile(large))).code, 'too_large')
})

t.test('mutated files: a LogError, or what writes the same bytes', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (let i = 0; i < 1500; i++) {
    const bytes = mutate(encodeUtf8(random.pick([REQUEST, COSIGNED, CONFLICT])), random)
    const request = await unlessRefused(() => parseRequestFile(bytes))
    if (request !== undefined && text(encodeRequestFile(request)) !== text(bytes))
      t.fail(text(bytes))
    const answer = await unlessRefused(() => parseAnswerFile(bytes))
    if (answer !== undefined && text(encodeAnswerFile(answer)) !== text(bytes)) t.fail(text(bytes))
  }
  t.pass()
})

interface Fixture {
  readonly witness: Witness
  readonly sizes: ReturnType<typeof createCosignedSizes>
  /** What we have published; those with cosignatures are put back. */
  readonly ours: Map<number, string>
  export(treeSize: number, witness?: string): Promise<Uint8Array>
  import(file: Uint8Array, change?: Partial<ImportOptions>): ReturnType<typeof importAnswer>
}

async function fixture(...treeSizes: readonly number[]): Promise<Fixture> {
  const witness = createWitness({
    identity: W1,
    logs: [{ origin: ORIGIN, keys: [LOG.key] }],
    register: memoryRegister(),
    nowSeconds: () => VECTOR_SECONDS
  })
  const sizes = createCosignedSizes(memoryRegister(), ORIGIN)
  const ours = new Map<number, string>()
  for (const size of treeSizes) ours.set(size, await HISTORY.checkpoint(size))
  return {
    witness,
    sizes,
    ours,
    export: async (treeSize, name = 'w1') =>
      exportRequest({
        policy: POLICY,
        witness: name,
        checkpoint: await HISTORY.checkpoint(treeSize),
        consistencyProof: async (first, second) => HISTORY.proof(first, second),
        sizes
      }),
    import: (file, change) =>
      importAnswer(
        {
          policy: POLICY,
          origin: ORIGIN,
          checkpointAt: async (size) => ours.get(size),
          latestTreeSize: Math.max(0, ...treeSizes),
          sizes,
          nowSeconds: () => VECTOR_SECONDS,
          ...change
        },
        file
      )
  }
}

t.test('there and back, twice', async (t) => {
  const { witness, ours, sizes, ...site } = await fixture(7, 9)
  const first = await site.import(await answerRequest(witness, await site.export(7)))
  t.same(first.cosigned, ['w1'])
  t.equal(first.outcome.isSatisfied, false)
  t.same(first.outcome.operators.missing, ['w2'])
  t.ok(first.checkpoint.startsWith(ours.get(7) ?? '-'))
  t.equal(await sizes.get(VKEY), 7)

  const request = await site.export(9)
  t.match(text(request), /\nold 7\n/)
  const second = await site.import(await answerRequest(witness, request))
  ours.set(9, second.checkpoint)
  const body = HISTORY.body(9)
  const other = encodeAnswerFile({
    kind: 'cosigned',
    witness: W2.key,
    body,
    signatures: [await cosign(body, W2)]
  })
  const both = await site.import(other)
  t.same(both.cosigned, ['w1', 'w2'])
  t.equal(both.outcome.isSatisfied, true)

  const late = await site.import(await fileOf(7))
  t.same(late.cosigned, ['w1'])
  t.equal(await sizes.get(VKEY), 9, 'a late answer does not take the size back')
})

/** An answer of W1 on any text. */
async function fileOf(treeSize: number, history = HISTORY): Promise<Uint8Array> {
  const body = history.body(treeSize)
  return encodeAnswerFile({
    kind: 'cosigned',
    witness: W1.key,
    body,
    signatures: [await cosign(body, W1)]
  })
}

t.test('a size forgotten is learned from the answer', async (t) => {
  const { witness, sizes, ...site } = await fixture(7, 9)
  await answerRequest(witness, await site.export(7))
  const answer = await answerRequest(witness, await site.export(9))
  t.match(text(answer), /\nlast 7\n$/)
  const { code, details } = await refusal(() => site.import(answer))
  t.equal(code, 'conflict')
  t.same(details, { treeSize: 7 })
  t.equal(await sizes.get(VKEY), 7)
  t.same((await site.import(await answerRequest(witness, await site.export(9)))).cosigned, ['w1'])
})

t.test('the witness refuses', async (t) => {
  const { witness, ...site } = await fixture(7)
  t.match(
    await refusalText(async () => answerRequest(witness, await site.export(7, 'w2'))),
    /^forbidden: asks/
  )
  await answerRequest(witness, await site.export(7))
  const checkpoint = await FORK.checkpoint(7)
  const fork = encodeRequestFile({ witness: W1.key, oldSize: 7, consistencyProof: [], checkpoint })
  t.match(await refusalText(() => answerRequest(witness, fork)), /^proof_invalid: root/)
})

t.test('what is not exported', async (t) => {
  const { sizes, ...site } = await fixture(7)
  t.equal((await refusal(() => site.export(7, 'w9'))).code, 'not_found')
  sizes.set(VKEY, 9)
  t.equal((await refusal(() => site.export(7))).code, 'integrity')
  sizes.set(VKEY, 7)
  t.match(text(await site.export(7)), /\nold 7\n\n/)
})

t.test('what is not imported', async (t) => {
  const site = await fixture(7, 9)
  const conflict = (treeSize: number, origin = ORIGIN): AnswerFile => ({
    kind: 'conflict',
    witness: W1.key,
    origin,
    treeSize
  })
  const body = HISTORY.body(7)
  const frozen = `${body}Log frozen\n`
  const answer = async (signed: string, by = W1, witness = W1): Promise<Uint8Array> =>
    encodeAnswerFile({
      kind: 'cosigned',
      witness: witness.key,
      body,
      signatures: [await cosign(signed, by)]
    })
  for (const [name, file, want] of [
    ['a stranger', await answer(body, LOG, LOG), /^verification_failed: .* not a witness of/],
    [
      'of another witness',
      await answer(body, W2, W1),
      /^verification_failed: .* has no cosignature/
    ],
    ['over another text', await answer(HISTORY.body(9)), /^verification_failed: .* is not valid/],
    [
      'another log',
      await fileOf(7, testHistory('x.example')),
      /^verification_failed: .* about the log/
    ],
    [
      'size of another log',
      encodeAnswerFile(conflict(7, 'x')),
      /^verification_failed: .* about the/
    ],
    ['a size never published', await fileOf(8), /^not_found: no checkpoint of ours has size 8/],
    ['a fork', await fileOf(7, FORK), /^integrity: .* another tree of size 7/],
    ['a larger tree', await fileOf(20), /^integrity: .* size 20, larger than ours of size 9/],
    ['a larger size', encodeAnswerFile(conflict(20)), /^integrity: .* size 20, larger/]
  ] as const) {
    t.match(await refusalText(() => site.import(file)), want, name)
  }
  t.equal(await site.sizes.get(VKEY), 0, 'nothing of that is remembered')
  const later = { checkpointAt: async () => `${frozen}\n${LINE}` }
  t.match(
    await refusalText(async () => site.import(await fileOf(7), later)),
    /^not_found: .* another text/
  )
})

const LINE = '— x AQIDBAUG\n'
