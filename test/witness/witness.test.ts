import { generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { decodeBase64 } from '../../src/encoding/base64.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { LogError } from '../../src/errors.js'
import { encodeAddCheckpoint } from '../../src/note/add-checkpoint.js'
import { formatCheckpointBody, parseCheckpoint } from '../../src/note/checkpoint.js'
import { parseCosignature, verifyCosignatures } from '../../src/note/cosignature.js'
import { parseSignatureLines } from '../../src/note/signature-lines.js'
import { formatSignedNote } from '../../src/note/signed-note.js'
import { createVerifierKey } from '../../src/note/verifier-key.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import type { ForkEvidence, Witness } from '../../src/witness/contract.js'
import { createWitness, type WitnessOptions } from '../../src/witness/witness.js'
import { originHashOf, stateCell } from '../../src/witness/witness-state.js'
import { type MemoryRegister, memoryRegister } from '../helpers/memory-register.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusal, refusalText, unlessRefused } from '../helpers/refusals.js'
import {
  CHECKPOINT_1,
  CHECKPOINT_2,
  COSIGNATURE_1,
  COSIGNATURE_2,
  LOG,
  PROOF_1_2,
  signBody,
  testHistory,
  testKey,
  VECTOR_SECONDS,
  W1,
  W2
} from '../helpers/witness-keys.js'

const ORIGIN = LOG.key.name
const HISTORY = testHistory()
const FORK = testHistory(ORIGIN, 1)

interface Fixture {
  readonly witness: Witness
  readonly register: MemoryRegister
  readonly reported: ForkEvidence[]
  readonly clock: { seconds: number }
  /** Asks for the tree of that size. */
  ask(oldSize: number, treeSize: number, history?: typeof HISTORY): Promise<string>
}

function fixture(change: Partial<WitnessOptions> = {}): Fixture {
  const register = memoryRegister()
  const reported: ForkEvidence[] = []
  const clock = { seconds: VECTOR_SECONDS }
  const witness = createWitness({
    identity: W1,
    logs: [{ origin: ORIGIN, keys: [LOG.key] }],
    register,
    nowSeconds: () => clock.seconds,
    report: (evidence) => reported.push(evidence),
    ...change
  })
  return {
    witness,
    register,
    reported,
    clock,
    ask: async (oldSize, treeSize, history = HISTORY) =>
      witness.addCheckpoint(await requestOf(oldSize, treeSize, history))
  }
}

async function requestOf(
  oldSize: number,
  treeSize: number,
  history = HISTORY
): Promise<Uint8Array> {
  return encodeAddCheckpoint({
    oldSize,
    consistencyProof: oldSize > 0 && oldSize < treeSize ? history.proof(oldSize, treeSize) : [],
    checkpoint: await history.checkpoint(treeSize)
  })
}

/** Seconds on the line, after it was verified over the text. */
async function timeOf(lines: string, body: string): Promise<number | undefined> {
  const [found] = await verifyCosignatures(body, parseSignatureLines(lines), W1)
  return found?.timestampSeconds
}

t.test('the checkpoints of the vectors', async (t) => {
  const { witness } = fixture()
  t.equal(await witness.addCheckpoint(encodeUtf8(`old 0\n\n${CHECKPOINT_1}`)), COSIGNATURE_1)
  t.equal(
    await witness.addCheckpoint(encodeUtf8(`old 1\n${PROOF_1_2}\n\n${CHECKPOINT_2}`)),
    COSIGNATURE_2
  )
  const hash = originHashOf(ORIGIN)
  t.equal(hash, '90dec7a287ffb46902d07fbe70c2b16dc529b596abe3a2f81fa73ddf953a018d')
  t.equal(await witness.checkpoint(hash), CHECKPOINT_2 + COSIGNATURE_2)
  t.equal(witness.key, W1.key)
})

t.test('a log grows', async (t) => {
  const { ask, witness } = fixture()
  for (const [oldSize, treeSize] of [
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 7],
    [7, 8],
    [8, 64],
    [64, 100],
    [100, 100]
  ] as const) {
    const body = HISTORY.body(treeSize)
    t.equal(await timeOf(await ask(oldSize, treeSize), body), VECTOR_SECONDS, `${treeSize}`)
    const kept = parseCheckpoint(await witness.checkpoint(originHashOf(ORIGIN)))
    t.equal(kept.body, body)
    t.same(
      kept.signatures.map(({ name }) => name),
      [ORIGIN, W1.key.name]
    )
  }
})

t.test('outcomes', async (t) => {
  const { ask, witness, reported } = fixture()
  const put = async (oldSize: number, note: string, ...proof: Uint8Array[]): Promise<string> =>
    witness.addCheckpoint(
      encodeAddCheckpoint({ oldSize, consistencyProof: proof, checkpoint: note })
    )
  const emptyBody = formatCheckpointBody({
    origin: ORIGIN,
    treeSize: 0,
    rootHash: new Uint8Array(32)
  })
  const wrongEmpty = formatSignedNote(emptyBody, [await signBody(emptyBody, LOG)])
  const body7 = HISTORY.body(7)
  const good = await signBody(body7, LOG)
  const bad = await signBody(HISTORY.body(8), LOG)
  const stranger = await signBody(body7, testKey(ORIGIN, 'ed25519', 0x90))
  const hash = decodeBase64(PROOF_1_2)

  const before: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    [
      'malformed (400)',
      () => witness.addCheckpoint(encodeUtf8('x')),
      'invalid_request: add-checkpoint: no empty line before the checkpoint'
    ],
    [
      'unknown origin (404)',
      () => ask(0, 7, testHistory('another.example')),
      'not_found: no such log'
    ],
    [
      'no known key (403)',
      () => put(0, formatSignedNote(body7, [stranger])),
      `verification_failed: no signature of a key of "${ORIGIN}"`
    ],
    [
      'bad signature (403)',
      () => put(0, formatSignedNote(body7, [bad])),
      `verification_failed: signature of "${ORIGIN}" is not valid`
    ],
    [
      'a good and a bad signature (403)',
      () => put(0, formatSignedNote(body7, [good, bad])),
      `verification_failed: signature of "${ORIGIN}" is not valid`
    ],
    [
      'old size beyond the tree (400)',
      async () => put(8, await HISTORY.checkpoint(7)),
      'invalid_request: old size 8 is larger than the tree of size 7'
    ],
    [
      'empty tree with a root (422)',
      () => put(0, wrongEmpty),
      'proof_invalid: root of the empty tree is not the hash of nothing'
    ],
    [
      'proof from nothing (422)',
      async () => put(0, await HISTORY.checkpoint(7), hash),
      'proof_invalid: nothing to prove from size 0 to 7, but there is a proof'
    ],
    [
      'old size of a log never seen (409)',
      () => ask(3, 7),
      'conflict: the tree cosigned last has size 0'
    ]
  ]
  for (const [name, action, want] of before) t.equal(await refusalText(action), want, name)
  t.equal(
    await refusalText(() => witness.checkpoint(originHashOf(ORIGIN))),
    'not_found: no such log',
    'nothing was kept'
  )

  t.ok(await put(0, formatSignedNote(body7, [stranger, good])), 'lines of strangers are ignored')
  const kept = await witness.checkpoint(originHashOf(ORIGIN))
  const after: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
    ['rolled back (409)', () => ask(3, 5), /^conflict: .* has size 7$/],
    ['rolled back to the start (409)', () => ask(0, 5), /^conflict: .* has size 7$/],
    ['rolled back to nothing (409)', () => ask(0, 0), /^conflict: .* has size 7$/],
    ['rolled back, with the size told (400)', () => ask(7, 5), /^invalid_request: old size 7/],
    ['first contact again (409)', () => ask(0, 7), /^conflict: .* has size 7$/],
    ['no proof (422)', async () => put(7, await HISTORY.checkpoint(9)), /^proof_invalid: .* has 0/],
    [
      'wrong proof (422)',
      async () => put(7, await HISTORY.checkpoint(8), hash),
      /^proof_invalid: consistency proof /
    ],
    [
      'proof for the same size (422)',
      async () => put(7, await HISTORY.checkpoint(7), hash),
      /^proof_invalid: nothing to prove from size 7 to 7/
    ],
    ['a fork that grew (422)', () => ask(7, 20, FORK), /^proof_invalid: consistency proof leads/]
  ]
  for (const [name, action, want] of after) t.match(await refusalText(action), want, name)
  const { details } = await refusal(() => ask(3, 9))
  t.same(details, { treeSize: 7 })
  t.same(reported, [], 'a wrong proof proves nothing about the log')

  t.match(await refusalText(() => ask(7, 7, FORK)), /^proof_invalid: root .* but cosigned was root/)
  t.equal(reported.length, 1)
  t.equal(await witness.checkpoint(originHashOf(ORIGIN)), kept, 'nothing of that was kept')
  t.ok(await ask(7, 9), 'and the log may go on')
})

t.test('two roots of one size are kept as evidence, for ever', async (t) => {
  const { ask, witness, reported } = fixture()
  await ask(0, 7)
  t.equal(await witness.evidence(ORIGIN), undefined)
  t.equal((await refusal(() => ask(3, 7, FORK))).code, 'conflict', 'whatever old size it says')
  const evidence = await witness.evidence(ORIGIN)
  t.equal(evidence?.contradicting, await FORK.checkpoint(7))
  t.equal(parseCheckpoint(evidence?.cosigned ?? '').body, HISTORY.body(7))
  await refusal(() => ask(7, 7, testHistory(ORIGIN, 2)))
  t.same(await witness.evidence(ORIGIN), evidence, 'the first stays')
  t.equal(reported.length, 2)
  const silent = createWitness({
    identity: W1,
    logs: [{ origin: ORIGIN, keys: [LOG.key] }],
    register: memoryRegister(),
    nowSeconds: () => 1
  })
  await silent.addCheckpoint(await requestOf(0, 7))
  t.equal(
    (await refusal(async () => silent.addCheckpoint(await requestOf(7, 7, FORK)))).code,
    'proof_invalid'
  )
})

t.test('the time never goes back, and is never 0', async (t) => {
  const { ask, clock } = fixture()
  const body = HISTORY.body(7)
  clock.seconds = 0
  t.equal(await timeOf(await ask(0, 7), body), 1)
  clock.seconds = 1000.9
  t.equal(await timeOf(await ask(7, 7), body), 1000)
  clock.seconds = 500
  t.equal(await timeOf(await ask(7, 7), body), 1000)
  t.equal(await timeOf(await ask(7, 8), HISTORY.body(8)), 1000)
})

t.test('extension lines are signed and not understood', async (t) => {
  const { witness } = fixture()
  const body = `${HISTORY.body(7)}Log frozen\n`
  const checkpoint = formatSignedNote(body, [await signBody(body, LOG)])
  const lines = await witness.addCheckpoint(
    encodeAddCheckpoint({ oldSize: 0, consistencyProof: [], checkpoint })
  )
  t.equal(await timeOf(lines, body), VECTOR_SECONDS)
})

t.test('a hundred lines of the log leave room for ours', async (t) => {
  const { witness } = fixture()
  const body = HISTORY.body(7)
  const line = await signBody(body, LOG)
  const checkpoint = formatSignedNote(
    body,
    Array.from({ length: 100 }, () => line)
  )
  await witness.addCheckpoint(encodeAddCheckpoint({ oldSize: 0, consistencyProof: [], checkpoint }))
  t.equal(parseCheckpoint(await witness.checkpoint(originHashOf(ORIGIN))).signatures.length, 2)
})

t.test('state is stored before the cosignature leaves', async (t) => {
  const { ask, register } = fixture()
  register.beforeSwap = () => {
    throw new LogError('internal', 'disk full')
  }
  t.equal(await refusalText(() => ask(0, 7)), 'internal: disk full')
  t.equal(register.cells.size, 0)
})

t.test('two at once: one is cosigned, the other is told', async (t) => {
  for (const [first, second] of [
    [10, 20],
    [20, 10]
  ] as const) {
    const { ask, witness, register } = fixture()
    await ask(0, 7)
    // Both have read the state before either writes.
    let arrived = 0
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    register.beforeSwap = () => {
      arrived++
      if (arrived === 2) open()
      return gate
    }
    const answers = await Promise.allSettled([ask(7, first), ask(7, second)])
    t.same(
      answers.map(({ status }) => status),
      ['fulfilled', 'rejected']
    )
    const lost = answers[1]?.status === 'rejected' ? (answers[1].reason as LogError) : undefined
    t.equal(lost?.code, 'conflict')
    t.same(lost?.details, { treeSize: first })
    t.equal(parseCheckpoint(await witness.checkpoint(originHashOf(ORIGIN))).treeSize, first)
  }
})

t.test('the same one twice at once: both are cosigned', async (t) => {
  const { ask } = fixture()
  await ask(0, 7)
  const answers = await Promise.all([ask(7, 7), ask(7, 7), ask(7, 7)])
  for (const lines of answers) t.equal(await timeOf(lines, HISTORY.body(7)), VECTOR_SECONDS)
})

t.test('a fork that comes in between is found', async (t) => {
  const { ask, register, witness } = fixture()
  await ask(0, 7)
  const other = fixture({ register }).ask
  let once = true
  register.beforeSwap = async () => {
    if (!once) return
    once = false
    await other(7, 20, HISTORY)
  }
  t.match(await refusalText(() => ask(7, 8)), /^conflict: .* size 20$/)
  t.equal(parseCheckpoint(await witness.checkpoint(originHashOf(ORIGIN))).treeSize, 20)
})

t.test('a swap that is always lost ends', async (t) => {
  const { ask, register } = fixture()
  await ask(0, 7)
  let timestampSeconds = VECTOR_SECONDS
  const cell = stateCell(ORIGIN)
  register.beforeSwap = () => {
    const text = Buffer.from(register.cells.get(cell) ?? []).toString()
    const next = text.replace(`:${timestampSeconds},`, `:${timestampSeconds + 1},`)
    timestampSeconds++
    register.cells.set(cell, encodeUtf8(next))
  }
  t.equal(
    await refusalText(() => ask(7, 7)),
    'overloaded: checkpoints of this log come in all the time'
  )
})

t.test('damaged state is not signed over', async (t) => {
  for (const [name, damage] of [
    ['not JSON', () => 'x'],
    ['another version', (text: string) => text.replace('"version":1', '"version":2')],
    ['no checkpoint', () => '{"version":1,"timestampSeconds":1}'],
    ['not a checkpoint', () => '{"version":1,"timestampSeconds":1,"checkpoint":"x"}'],
    ['of another log', (text: string) => text.replace(`:"${ORIGIN}`, ':"another.example')],
    ['written otherwise', (text: string) => `${text} `]
  ] as const) {
    const { ask, register } = fixture()
    await ask(0, 7)
    const text = Buffer.from(register.cells.get(stateCell(ORIGIN)) ?? []).toString()
    t.not(damage(text), text)
    register.cells.set(stateCell(ORIGIN), encodeUtf8(damage(text)))
    t.equal((await refusal(() => ask(7, 8))).code, 'integrity', name)
  }
  const { witness, register } = fixture()
  register.cells.set(`witness/fork/${originHashOf(ORIGIN)}`, encodeUtf8('{"version":1}'))
  t.equal((await refusal(() => witness.evidence(ORIGIN))).code, 'integrity')
})

t.test('a log that was removed and comes back is where it was', async (t) => {
  const { ask, register } = fixture()
  await ask(0, 7)
  const without = fixture({ register, logs: [] })
  t.equal((await refusal(() => without.ask(7, 8))).code, 'not_found')
  t.equal((await refusal(() => without.witness.checkpoint(originHashOf(ORIGIN)))).code, 'not_found')
  const again = fixture({ register })
  t.match(await refusalText(() => again.ask(0, 8)), /^conflict: .* size 7$/)
  t.ok(await again.ask(7, 8))
})

t.test('ECDSA, as Rekor v1 signs; one key of several is enough', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }))
  const key = createVerifierKey('rekor.example', 'ecdsa', spki)
  const origin = 'rekor.example - 42'
  const { witness } = fixture({ logs: [{ origin, keys: [LOG.key, key] }] })
  const history = testHistory(origin)
  const checkpoint = await history.checkpoint(7, {
    key,
    sign: async (message) => Uint8Array.from(sign('sha256', message, privateKey)),
    verify: () => {}
  })
  const body = encodeAddCheckpoint({ oldSize: 0, consistencyProof: [], checkpoint })
  t.equal(await timeOf(await witness.addCheckpoint(body), history.body(7)), VECTOR_SECONDS)
})

t.test('what cannot be a witness', async (t) => {
  const log = { origin: ORIGIN, keys: [LOG.key] }
  const rsaLike = createVerifierKey('a', 'ecdsa', Uint8Array.of(1))
  const mlDsa = createVerifierKey('a', 'ml-dsa-44-cosignature', new Uint8Array(1312))
  const cases: readonly (readonly [string, Partial<WitnessOptions>, string])[] = [
    ['key of a log', { identity: LOG }, 'invalid_request'],
    ['itself', { logs: [{ origin: W1.key.name, keys: [LOG.key] }] }, 'invalid_request'],
    ['a log twice', { logs: [log, log] }, 'invalid_request'],
    ['a log without key', { logs: [{ origin: ORIGIN, keys: [] }] }, 'invalid_request'],
    ['a key that is none', { logs: [{ origin: ORIGIN, keys: [rsaLike] }] }, 'invalid_request'],
    ['a log that cosigns', { logs: [{ origin: ORIGIN, keys: [W2.key] }] }, 'unsupported'],
    ['ML-DSA', { logs: [{ origin: ORIGIN, keys: [mlDsa] }] }, 'unsupported']
  ]
  for (const [name, change, code] of cases) {
    t.equal((await refusal(() => fixture(change))).code, code, name)
  }
})

t.test('in a database, over a restart', async (t) => {
  const path = join(t.testdir(), 'witness.sqlite')
  const first = await openDatabase({ path, mode: 'write', create: true })
  await fixture({ register: first.register }).ask(0, 7)
  await first.close()
  const second = await openDatabase({ path, mode: 'write' })
  t.teardown(() => second.close())
  const { ask } = fixture({ register: second.register })
  t.match(await refusalText(() => ask(0, 8)), /^conflict: .* size 7$/)
  const both = await Promise.allSettled([ask(7, 8), ask(7, 9)])
  t.same(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

t.test('mutated requests: a LogError, or a good cosignature', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const { witness, ask } = fixture()
  await ask(0, 7)
  const request = await requestOf(7, 20)
  let cosigned = 0
  for (let i = 0; i < 1000; i++) {
    const lines = await unlessRefused(() => witness.addCheckpoint(mutate(request, random)))
    if (lines === undefined) continue
    cosigned++
    const [line] = parseSignatureLines(lines)
    if (line === undefined || parseCosignature(line.signature).timestampSeconds === 0) t.fail(lines)
  }
  t.ok(cosigned < 1000, `${cosigned} of 1000 were cosigned`)
  const { treeSize } = parseCheckpoint(await witness.checkpoint(originHashOf(ORIGIN)))
  t.ok(treeSize === 7 || treeSize === 20)
})
