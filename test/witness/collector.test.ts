import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { isLogError, LogError } from '../../src/errors.js'
import {
  encodeTreeSize,
  parseAddCheckpoint,
  TREE_SIZE_TYPE
} from '../../src/note/add-checkpoint.js'
import { parseCheckpoint } from '../../src/note/checkpoint.js'
import { formatSignatureLines } from '../../src/note/signature-lines.js'
import { formatSignedNote } from '../../src/note/signed-note.js'
import { createVerifierKey, formatVerifierKey } from '../../src/note/verifier-key.js'
import { parseWitnessPolicy, type WitnessPolicy } from '../../src/note/witness-policy.js'
import { type CollectorOptions, createCollector } from '../../src/witness/collector.js'
import type { PostToWitness, Witness, WitnessReply } from '../../src/witness/contract.js'
import { createCosignedSizes } from '../../src/witness/cosigned-sizes.js'
import { createWitness } from '../../src/witness/witness.js'
import { memoryRegister } from '../helpers/memory-register.js'
import { refusal } from '../helpers/refusals.js'
import {
  cosign,
  LOG,
  testHistory,
  type TestKey,
  VECTOR_SECONDS,
  W1,
  W2,
  W3
} from '../helpers/witness-keys.js'

const ORIGIN = LOG.key.name
const HISTORY = testHistory()
const FORK = testHistory(ORIGIN, 1)

/** w1 and w2 are of one operator, w3 of another. */
function policyOf(count = 'all', quorum = 'both'): WitnessPolicy {
  const line = (name: string, { key }: TestKey): string =>
    `witness ${name} ${formatVerifierKey(key)} https://${name}.example/\n`
  return parseWitnessPolicy(
    encodeUtf8(
      `${line('w1', W1)}${line('w2', W2)}${line('w3', W3)}group site any w1 w2\n` +
        `group both ${count} site w3\nquorum ${quorum}\n`
    )
  )
}

type Answer = (body: Uint8Array, signal: AbortSignal) => Promise<WitnessReply>

const reply = (
  status: number,
  body: string | Uint8Array = '',
  contentType?: string
): WitnessReply => ({
  status,
  contentType,
  body: typeof body === 'string' ? encodeUtf8(body) : body
})

/** As a server would translate it. */
function serve(witness: Witness): Answer {
  return async (body) => {
    try {
      return reply(200, await witness.addCheckpoint(body), 'text/plain; charset=utf-8')
    } catch (err) {
      if (isLogError(err, 'conflict')) {
        return reply(409, encodeTreeSize(Number(err.details.treeSize)), TREE_SIZE_TYPE)
      }
      if (isLogError(err, 'proof_invalid')) return reply(422)
      throw err
    }
  }
}

function realWitness(identity: TestKey, logs = [{ origin: ORIGIN, keys: [LOG.key] }]): Witness {
  return createWitness({
    identity,
    logs,
    register: memoryRegister(),
    nowSeconds: () => VECTOR_SECONDS
  })
}

const silent: Answer = () => new Promise(() => {})

interface Fixture {
  readonly collect: (
    treeSize: number,
    history?: typeof HISTORY
  ) => ReturnType<ReturnType<typeof createCollector>['collect']>
  /** Host and old size of each request, in order. */
  readonly asked: string[]
  readonly deadline: AbortController
  readonly register: ReturnType<typeof memoryRegister>
}

function fixture(
  answers: Readonly<Record<string, Answer>>,
  change: Partial<CollectorOptions> = {},
  register = memoryRegister()
): Fixture {
  const asked: string[] = []
  const deadline = new AbortController()
  const post: PostToWitness = async (url, body, signal) => {
    const { host, pathname } = new URL(url)
    asked.push(`${host}${pathname} ${parseAddCheckpoint(body).oldSize}`)
    return (answers[host.replace('.example', '')] ?? silent)(body, signal)
  }
  const collector = createCollector({
    policy: policyOf(),
    post,
    consistencyProof: async (first, second) => HISTORY.proof(first, second),
    sizes: createCosignedSizes(register, ORIGIN),
    timeoutMs: 1000,
    fail: 'closed',
    nowSeconds: () => VECTOR_SECONDS,
    startDeadline: () => deadline.signal,
    ...change
  })
  return {
    collect: async (treeSize, history = HISTORY) =>
      collector.collect(await history.checkpoint(treeSize)),
    asked,
    deadline,
    register
  }
}

const all = (): Record<string, Answer> => ({
  w1: serve(realWitness(W1)),
  w2: serve(realWitness(W2)),
  w3: serve(realWitness(W3))
})

const namesOn = (checkpoint: string): readonly string[] =>
  parseCheckpoint(checkpoint).signatures.map(({ name }) => name)

t.test('everyone cosigns, lines in the order of the policy behind our own', async (t) => {
  const { collect, asked } = fixture(all(), { waitFor: 'everyone' })
  const { checkpoint, cosigned, outcome, problems, alarms } = await collect(7)
  t.same(namesOn(checkpoint), [ORIGIN, W1.key.name, W2.key.name, W3.key.name])
  t.ok(checkpoint.startsWith(await HISTORY.checkpoint(7)))
  t.same(cosigned, ['w1', 'w2', 'w3'])
  t.same(outcome.operators, { threshold: 2, cosigned: ['site', 'w3'], missing: [] })
  t.same([problems, alarms], [[], []])
  await collect(9)
  t.same(asked.sort(), [
    'w1.example/add-checkpoint 0',
    'w1.example/add-checkpoint 7',
    'w2.example/add-checkpoint 0',
    'w2.example/add-checkpoint 7',
    'w3.example/add-checkpoint 0',
    'w3.example/add-checkpoint 7'
  ])
})

t.test('the sizes told are remembered over a restart', async (t) => {
  const answers = all()
  const first = fixture(answers, { waitFor: 'everyone' })
  await first.collect(7)
  const { collect, asked } = fixture(answers, { waitFor: 'everyone' }, first.register)
  await collect(9)
  t.ok(
    asked.every((line) => line.endsWith(' 7')),
    asked.join()
  )
})

t.test('another size is told, and the proof begins there', async (t) => {
  const answers = all()
  await fixture(answers, { waitFor: 'everyone' }).collect(7)
  const { collect, asked } = fixture(answers, { waitFor: 'everyone' })
  t.same((await collect(20)).cosigned, ['w1', 'w2', 'w3'])
  t.same(
    asked.filter((line) => line.startsWith('w1')),
    ['w1.example/add-checkpoint 0', 'w1.example/add-checkpoint 7']
  )
})

t.test('who is not needed is not waited for', async (t) => {
  const { collect } = fixture({ ...all(), w2: silent })
  const { cosigned, outcome, problems } = await collect(7)
  t.same(cosigned, ['w1', 'w3'])
  t.equal(outcome.isSatisfied, true)
  t.same(problems, [])
})

t.test('two witnesses of one operator are not two operators', async (t) => {
  const { w1, w2 } = all()
  const closed = fixture({ w1: w1 ?? silent, w2: w2 ?? silent, w3: async () => reply(503) })
  const error = await refusal(() => closed.collect(7))
  t.equal(error.code, 'upstream')
  t.equal(
    error.message,
    'no quorum of witnesses: 1 of the 2 operators that must have cosigned; not w3'
  )
  t.same(error.details, { cosigned: 1, threshold: 2 })
})

t.test('the deadline', async (t) => {
  const late = (fail: 'open' | 'closed'): Fixture => {
    const made: Fixture = fixture(
      {
        ...all(),
        w3: (_, signal) => {
          setImmediate(() => made.deadline.abort())
          t.notOk(signal.aborted)
          return new Promise(() => {})
        }
      },
      { fail, waitFor: 'everyone' }
    )
    return made
  }
  t.equal((await refusal(() => late('closed').collect(7))).code, 'timeout')
  const { outcome, problems, checkpoint } = await late('open').collect(7)
  t.equal(outcome.isSatisfied, false)
  t.match(problems, [{ witness: 'https://w3.example/', error: { code: 'timeout' } }])
  t.ok(checkpoint.startsWith(await HISTORY.checkpoint(7)))
  const over = fixture(all(), { fail: 'open' })
  over.deadline.abort()
  t.same((await over.collect(7)).cosigned, [], 'time that was over before')
})

t.test('nobody has to cosign', async (t) => {
  const { collect } = fixture(
    { ...all(), w1: async () => reply(500) },
    {
      policy: policyOf('all', 'none')
    }
  )
  const { cosigned, outcome } = await collect(7)
  t.same(cosigned, ['w2', 'w3'], 'all are asked all the same')
  t.equal(outcome.isSatisfied, true)
})

t.test('alarms', async (t) => {
  const ahead: Answer = async () => reply(409, '8\n', TREE_SIZE_TYPE)
  const seven: Answer = async (body) =>
    parseAddCheckpoint(body).oldSize === 0 ? reply(409, '7\n', TREE_SIZE_TYPE) : reply(422)
  const same: Answer = async (body) =>
    parseAddCheckpoint(body).oldSize === 0 ? reply(409, '7\n', TREE_SIZE_TYPE) : reply(409)
  const forked = realWitness(W3)
  await fixture({ w3: serve(forked) }, { policy: policyOf('any', 'w3') }).collect(7, FORK)

  for (const [name, w3, treeSize, kind, told] of [
    ['a witness that is ahead', ahead, 7, 'ahead', 8],
    ['a proof refused', seven, 9, 'fork', 7],
    ['another root of the same size', seven, 7, 'fork', 7],
    ['likewise, as some say it', same, 7, 'fork', 7],
    ['a real fork of the same size', serve(forked), 7, 'fork', 7],
    ['a real fork that grew', serve(forked), 9, 'fork', 7],
    ['a log that was rolled back', serve(forked), 5, 'ahead', 7]
  ] as const) {
    const stop = fixture({ ...all(), w3 }, { fail: 'open' })
    const error = await refusal(() => stop.collect(treeSize))
    t.equal(error.code, 'integrity', name)
    t.same(error.details, { witness: 'https://w3.example/', treeSize: told }, name)
    const tell = fixture({ ...all(), w3 }, { fail: 'open', onAlarm: 'tell' })
    const { alarms } = await tell.collect(treeSize)
    t.same(alarms, [{ kind, witness: 'https://w3.example/', treeSize: told }], name)
  }
})

t.test('a log that remembers more than it has', async (t) => {
  const answers = all()
  const { register, collect } = fixture(answers, { waitFor: 'everyone' })
  await collect(9)
  const { code, message } = await refusal(() => fixture(answers, {}, register).collect(7))
  t.equal(code, 'integrity')
  t.match(message, /cosigned a tree of size 9, larger than ours of size 7/)
})

t.test('a later checkpoint of ours that came in between is no alarm', async (t) => {
  const { collect } = fixture(all(), { waitFor: 'everyone', fail: 'open' })
  await collect(9)
  const { problems, alarms } = await collect(7)
  t.same(alarms, [])
  t.same(
    problems.map(({ error }) => error.code),
    ['conflict', 'conflict', 'conflict']
  )
})

t.test('answers that are no cosignature', async (t) => {
  const body9 = HISTORY.body(9)
  const lines = async (...keys: readonly TestKey[]): Promise<string> =>
    formatSignatureLines(await Promise.all(keys.map((key) => cosign(body9, key))))
  const stale = formatSignatureLines([await cosign(HISTORY.body(8), W3)])
  const future = formatSignatureLines([await cosign(body9, W3, VECTOR_SECONDS + 301)])
  const unknown = createVerifierKey('x', 'ed25519-cosignature', W3.key.publicKey)
  for (const [name, w3, code] of [
    ['empty', async () => reply(200), 'invalid_request'],
    ['a page', async () => reply(200, '<html>\n'), 'invalid_request'],
    ['not UTF-8', async () => reply(200, Uint8Array.of(0xff)), 'invalid_request'],
    ['a flood', async () => reply(200, stale.repeat(101)), 'too_large'],
    ['of another checkpoint', async () => reply(200, stale), 'verification_failed'],
    ['from the future', async () => reply(200, future), 'verification_failed'],
    ['of an unknown key', async () => reply(200, await lines({ ...W3, key: unknown })), 'upstream'],
    ['a redirect', async () => reply(301), 'upstream'],
    ['400', async () => reply(400), 'upstream'],
    ['403', async () => reply(403), 'upstream'],
    ['404', async () => reply(404), 'upstream'],
    ['429', async () => reply(429), 'upstream'],
    ['409 at first contact, without a size', async () => reply(409, '7\n'), 'upstream'],
    ['422 at first contact', async () => reply(422), 'upstream'],
    ['a size that is none', async () => reply(409, 'x\n', TREE_SIZE_TYPE), 'invalid_request'],
    ['the size it was asked with', async () => reply(409, '0\n', TREE_SIZE_TYPE), 'upstream'],
    ['no connection', () => Promise.reject(new Error('ECONNRESET')), 'upstream'],
    ['our own error', () => Promise.reject(new LogError('timeout', 'x')), 'timeout']
  ] as const) {
    const { collect } = fixture({ ...all(), w3 }, { fail: 'open' })
    const { problems, cosigned, alarms } = await collect(9)
    t.match(problems, [{ witness: 'https://w3.example/', error: { code } }], name)
    t.same(cosigned, ['w1', 'w2'], name)
    t.same(alarms, [], name)
  }
})

t.test('a witness that tells another size each time is asked three times', async (t) => {
  let size = 0
  const w3: Answer = async () => reply(409, `${++size}\n`, `${TREE_SIZE_TYPE}; charset=utf-8`)
  const { collect, asked } = fixture({ ...all(), w3 }, { fail: 'open' })
  t.match((await collect(9)).problems, [{ error: { code: 'upstream' } }])
  t.same(
    asked.filter((line) => line.startsWith('w3')),
    ['w3.example/add-checkpoint 0', 'w3.example/add-checkpoint 1', 'w3.example/add-checkpoint 2']
  )
})

t.test('one URL may answer for several witnesses, and is asked once', async (t) => {
  const policy = policyOf()
  const shared = {
    ...policy,
    witnesses: policy.witnesses.map((witness) => ({ ...witness, url: 'https://w.example' }))
  }
  const w: Answer = async (body) => {
    const text = parseAddCheckpoint(body).parsed.body
    const lines = await Promise.all([W3, W1, W3].map((key, i) => cosign(text, key, 100 + i)))
    return reply(200, formatSignatureLines(lines))
  }
  const { collect, asked } = fixture({ w }, { policy: shared })
  const { checkpoint, cosigned } = await collect(9)
  t.same(asked, ['w.example/add-checkpoint 0'])
  t.same(cosigned, ['w1', 'w3'])
  t.same(namesOn(checkpoint), [ORIGIN, W1.key.name, W3.key.name], 'the newest of each')
  t.equal(parseCheckpoint(checkpoint).signatures[2]?.signature[7], 102)
})

t.test('cosignatures that are there already', async (t) => {
  const body = HISTORY.body(9)
  const { signatures } = parseCheckpoint(await HISTORY.checkpoint(9))
  const foreign = { name: 'x', keyId: Uint8Array.of(1, 2, 3, 4), signature: Uint8Array.of(5) }
  const bad = { ...(await cosign(HISTORY.body(8), W2)) }
  const note = formatSignedNote(body, [
    await cosign(body, W3),
    ...signatures,
    foreign,
    bad,
    await cosign(body, W1)
  ])
  const asked: string[] = []
  const options = {
    policy: policyOf(),
    post: async (url: string) => {
      asked.push(url)
      return reply(500)
    },
    consistencyProof: async () => [],
    sizes: createCosignedSizes(memoryRegister(), ORIGIN),
    timeoutMs: 60_000,
    fail: 'closed',
    nowSeconds: () => VECTOR_SECONDS
  } as const
  const { checkpoint } = await createCollector(options).collect(note)
  t.same(asked, [], 'nobody needs to be asked')
  t.same(namesOn(checkpoint), [ORIGIN, 'x', W1.key.name, W3.key.name], 'the bad one is gone')
})

t.test('ML-DSA witnesses are in the policy and do not count', async (t) => {
  const key = createVerifierKey('q.example', 'ml-dsa-44-cosignature', new Uint8Array(1312))
  const { collect } = fixture(
    {
      q: async () => reply(200, formatSignatureLines([{ ...key, signature: new Uint8Array(2428) }]))
    },
    {
      policy: {
        logs: [],
        witnesses: [{ name: 'q', key, url: 'https://q.example' }],
        groups: [],
        quorum: 'q'
      },
      fail: 'open'
    }
  )
  const { outcome, problems } = await collect(9)
  t.equal(outcome.isSatisfied, false)
  t.match(problems, [{ error: { code: 'upstream' } }])
})
