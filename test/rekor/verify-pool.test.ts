import { generateKeyPairSync, sign } from 'node:crypto'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import type { ProposedEntry } from '../../src/entries/entry-type.js'
import { isLogError } from '../../src/errors.js'
import {
  createVerifyPool,
  type VerifyPool,
  type VerifyPoolOptions
} from '../../src/rekor/verify-pool.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { TEST_SETTINGS } from '../helpers/rekor-app.js'
import { computedVector } from '../helpers/vectors.js'

const ODD_WORKER = pathToFileURL(
  fileURLToPath(new URL('../helpers/odd-verify-worker.mjs', import.meta.url))
)

interface Teardown {
  teardown(action: () => Promise<void>): unknown
}

function oddPool(t: Teardown, options: Partial<VerifyPoolOptions> = {}): VerifyPool {
  const pool = createVerifyPool({
    workers: 1,
    maxQueuedTasks: 100,
    maxQueuedBytes: 1000,
    taskTimeoutMs: 60_000,
    settings: TEST_SETTINGS,
    workerUrl: ODD_WORKER,
    execArgv: [], // not through the compiler, which takes seconds for each thread
    ...options
  })
  t.teardown(() => pool.close())
  return pool
}

type Behaviour = 'answer' | 'refuse' | 'wait' | 'spin' | 'hoard' | 'throw' | 'exit'

async function run(pool: VerifyPool, behave: Behaviour, text = '', bytes = 1): Promise<string> {
  const proposed = { kind: 'x', apiVersion: '0.0.1', spec: { behave, text } }
  try {
    const { leafValue } = await pool.verifyEntry(proposed, 'submit', bytes)
    return new TextDecoder().decode(leafValue)
  } catch (err) {
    return isLogError(err) ? err.code : String(err)
  }
}

/** Two tasks that only two threads can do. */
async function meet(pool: VerifyPool): Promise<readonly string[]> {
  const arrived = new Int32Array(new SharedArrayBuffer(4))
  const proposed = { kind: 'x', apiVersion: '0.0.1', spec: { behave: 'meet', arrived } }
  const leaves = await Promise.all([1, 2].map(() => pool.verifyEntry(proposed, 'submit', 1)))
  return leaves.map(({ leafValue }) => new TextDecoder().decode(leafValue))
}

/** An intoto entry with this payload, signed by a key made for it. */
function attestationOf(payload: string): ProposedEntry {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pae = `DSSEv1 1 t ${payload.length} ${payload}`
  const envelope = {
    payloadType: 't',
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ sig: sign('sha256', Buffer.from(pae), privateKey).toString('base64') }]
  }
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  return {
    kind: 'intoto',
    apiVersion: '0.0.1',
    spec: {
      content: { envelope: JSON.stringify(envelope) },
      publicKey: Buffer.from(pem).toString('base64')
    }
  }
}

// The real thread is loaded through the compiler here, which is most of this test's time.
t.test('the real thread does what is done without one', async (t) => {
  const pool = createVerifyPool({
    workers: 1,
    maxQueuedTasks: 100,
    maxQueuedBytes: 1e8,
    taskTimeoutMs: 60_000,
    settings: TEST_SETTINGS
  })
  t.teardown(() => pool.close())
  const here = createInProcessVerifier(TEST_SETTINGS)
  for (const name of ['hashedrekord-model', 'intoto-0.0.1', 'rekord-pgp']) {
    const { proposedEntry, leafHash } = computedVector(name)
    const leaf = await pool.verifyEntry(proposedEntry, 'submit', 100)
    t.equal(Buffer.from(leaf.leafHash).toString('hex'), leafHash, name)
    t.same(leaf, await here.verifyEntry(proposedEntry, 'submit', 100), name)
  }

  t.test('large results survive the way', async (t) => {
    const proposed = attestationOf('x'.repeat(70_000))
    const leaf = await pool.verifyEntry(proposed, 'submit', 1)
    t.equal(leaf.attestation?.value.length, 70_000)
    t.same(leaf, await here.verifyEntry(proposed, 'submit', 1))
  })

  t.test('refusals keep code, message and details', async (t) => {
    const bad = { kind: 'hashedrekord', apiVersion: '0.0.2', spec: {} }
    const refusal = async (verifier: Pick<VerifyPool, 'verifyEntry'>) => {
      try {
        await verifier.verifyEntry(bad, 'submit', 1)
        return undefined
      } catch (err) {
        if (!isLogError(err)) throw err
        const { code, message, details } = err
        return { code, message, details }
      }
    }
    t.equal((await refusal(pool))?.code, 'unsupported')
    t.strictSame(await refusal(pool), await refusal(here))
  })

  t.test('keys', async (t) => {
    const { proposedEntry, indexKeys } = computedVector('hashedrekord-model')
    const { content } = (proposedEntry.spec as { signature: { publicKey: { content: string } } })
      .signature.publicKey
    const pem = Uint8Array.from(Buffer.from(content, 'base64'))
    t.equal(await pool.keyHash('x509', pem), indexKeys[0])
    await t.rejects(pool.keyHash('x509', Uint8Array.of(0)), {
      code: 'invalid_request',
      message: 'public key provided could not be parsed'
    })
    await t.rejects(pool.keyHash('tuf', pem), { code: 'invalid_request' })
    await t.rejects(pool.keyHash('pkcs7', pem), { code: 'unsupported' })
  })
})

t.test('tasks wait their turn', async (t) => {
  const pool = oddPool(t)
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => run(pool, 'answer', text)))
  t.strictSame(answers, ['a 1', 'b 2', 'c 3', 'd 4'])
  t.equal(await run(pool, 'refuse'), 'verification_failed')
  await t.rejects(
    pool.verifyEntry({ kind: 'x', apiVersion: '0', spec: { behave: 'refuse' } }, 'submit', 0),
    { name: 'LogError', message: 'no', details: { leafIndex: 1 } }
  )
})

t.test('several threads work at once', async (t) => {
  const pool = oddPool(t, { workers: 2 })
  t.strictSame(await meet(pool), ['met 1', 'met 1'])
})

t.test('a queue that is full refuses', async (t) => {
  const pool = oddPool(t, { maxQueuedTasks: 2 })
  await run(pool, 'answer')
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => run(pool, 'wait', text)))
  t.strictSame(answers, ['a 2', 'b 3', 'c 4', 'overloaded'])
})

t.test('a queue that holds too many bytes refuses, but never the only one', async (t) => {
  const pool = oddPool(t)
  await run(pool, 'answer')
  const sizes = [1, 600, 400, 1, 2000]
  t.strictSame(await Promise.all(sizes.map((bytes) => run(pool, 'wait', '', bytes))), [
    ' 2',
    ' 3',
    ' 4',
    'overloaded',
    'overloaded'
  ])
  const large = [1, 1_000_000]
  t.strictSame(await Promise.all(large.map((bytes) => run(pool, 'wait', '', bytes))), [' 5', ' 6'])
})

t.test('a thread that takes too long is replaced, and only its task fails', async (t) => {
  const pool = oddPool(t, { taskTimeoutMs: 4000 })
  await run(pool, 'answer')
  const answers = await Promise.all([run(pool, 'spin'), run(pool, 'answer', 'b')])
  t.equal(answers[0], 'too_large')
  // The second waited for as long as a task may, or came through just in time on the new thread.
  t.ok(['overloaded', 'b 1'].includes(answers[1] ?? ''), answers[1] ?? '')
  t.equal(await run(pool, 'answer', 'c'), answers[1] === 'b 1' ? 'c 2' : 'c 1', 'a fresh thread')
})

t.test('a thread that takes too much memory is replaced, and only its task fails', async (t) => {
  const pool = oddPool(t, { heapMb: 32, workers: 2 })
  const hoard = { kind: 'x', apiVersion: '0.0.1', spec: { behave: 'hoard' } }
  const hoarding = t.rejects(pool.verifyEntry(hoard, 'submit', 1), {
    name: 'LogError',
    code: 'too_large',
    message: 'takes more than 32 MB of memory to check, more than one request may'
  })
  t.equal(await run(pool, 'answer', 'b'), 'b 1', 'the other thread goes on')
  await hoarding
  t.strictSame((await meet(pool)).toSorted(), ['met 1', 'met 2'], 'the other, and a fresh one')
})

t.test('a refusal for time or memory names the limit', async (t) => {
  const pool = oddPool(t, { taskTimeoutMs: 1500 })
  const proposed = (behave: Behaviour) => ({ kind: 'x', apiVersion: '0.0.1', spec: { behave } })
  await t.rejects(pool.verifyEntry(proposed('spin'), 'submit', 1), {
    code: 'too_large',
    message: 'takes longer than 1.5 s to check, more than one request may'
  })
})

t.test('a thread that dies is replaced, and only its task fails', async (t) => {
  const pool = oddPool(t)
  for (const behave of ['throw', 'exit'] as const) {
    const answers = await Promise.all([run(pool, behave), run(pool, 'answer', 'b')])
    t.strictSame(answers, ['internal', 'b 1'], behave)
  }
})

t.test('a thread that cannot start does not take the process with it', async (t) => {
  const pool = oddPool(t, {
    workerUrl: new URL('file:///nowhere/worker.mjs'),
    taskTimeoutMs: 300
  })
  t.equal(await run(pool, 'answer'), 'overloaded')
})

t.test('close lets what was accepted finish, and refuses the rest', async (t) => {
  const pool = oddPool(t)
  const accepted = [run(pool, 'wait', 'a'), run(pool, 'wait', 'b')]
  const closed = pool.close()
  t.equal(await run(pool, 'answer'), 'overloaded')
  t.strictSame(await Promise.all(accepted), ['a 1', 'b 2'])
  await closed
})
