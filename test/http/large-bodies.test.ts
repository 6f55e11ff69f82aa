import { readdirSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createBodyPool } from '../../src/http/body-pool.js'
import { createBodyReader, type BodyReader, type BodyTask } from '../../src/http/body-task.js'
import { loadRekorV1Contract } from '../../src/http/contract.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { createRekorApp, TEST_SETTINGS } from '../helpers/rekor-app.js'
import { stubApp } from '../helpers/stub-app.js'
import { computedVector } from '../helpers/vectors.js'

const ENTRIES = '/api/v1/log/entries'
const RETRIEVE = '/api/v1/log/entries/retrieve'
const INDEX = '/api/v1/index/retrieve'

/** White space behind a value changes nothing but how long it is. */
const LARGE = 70_000

const VECTORS = readdirSync(new URL('../vectors/rekor/computed/', import.meta.url))
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.stringify(computedVector(name.replace(/\.json$/, '')).proposedEntry))

/** Reads on this thread, and counts. */
function countingReader(): { read: BodyReader; tasks: BodyTask[] } {
  const reader = createBodyReader(loadRekorV1Contract(), createInProcessVerifier(TEST_SETTINGS))
  const tasks: BodyTask[] = []
  return {
    tasks,
    read: (task) => {
      tasks.push(task)
      return reader(task)
    }
  }
}

interface Answer {
  readonly status: number
  readonly retryAfter: unknown
  /** What a refusal says; otherwise the hashes of the entries that were answered. */
  readonly said: unknown
}

/** What does not depend on the log it was sent to. */
async function post(app: FastifyInstance, url: string, payload: string | Buffer): Promise<Answer> {
  const { statusCode, headers, body } = await app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    payload
  })
  const json: unknown = JSON.parse(body.replace(/\b[0-9a-f]{16}(?=[0-9a-f]{64}\b)/g, ''))
  const isEntries = statusCode < 400 && url !== INDEX
  const said = isEntries ? [json].flat().flatMap((entry) => Object.keys(entry as object)) : json
  return { status: statusCode, retryAfter: headers['retry-after'], said }
}

/** What cannot be read, in one way or another, or is read in another way than it seems. */
function mutations(text: string): readonly string[] {
  const nested = `${'['.repeat(101)}${']'.repeat(101)}`
  return [
    '',
    'null',
    '[]',
    '7',
    '"x"',
    text.slice(0, -1),
    text.slice(1),
    `${text}}`,
    nested,
    text.replace('{', '{"kind":"rekord",'),
    text.replace('{', '{"kind":7,'),
    text.replace('{', '{"KIND":"dsse",'),
    text.replace('{', '{"unknown":{},'),
    text.replace('{', `{"deep":${nested},`),
    text.replace('}', ',"kind":"dsse"}'),
    text.replace(/"apiVersion":"[^"]*"/, '"apiVersion":"9.9.9"'),
    text.replace('"spec":{', '"spec":[],"x":{'),
    text.replace(/[0-9a-f]{64}/, '0'.repeat(64)),
    text.replace('"', '"\u0000'),
    text.replace('"', '"\\ud800')
  ]
}

t.test('a large body is answered as it is where all are read on one thread', async (t) => {
  const { read, tasks } = countingReader()
  const { app: apart } = await createRekorApp(t, { app: { bodies: read } })
  const { app: alike } = await createRekorApp(t)
  const [first = ''] = VECTORS
  const query = `{"entries":[${first}]}`
  const search = `{"hash":"${'0'.repeat(64)}"}`
  const cases: readonly (readonly [url: string, text: string])[] = [
    ...VECTORS.map((entry) => [ENTRIES, entry] as const),
    ...VECTORS.map((entry) => [ENTRIES, entry] as const), // there already
    ...VECTORS.map((entry) => [RETRIEVE, `{"entries":[${entry}]}`] as const),
    ...VECTORS.filter((_, i) => i % 6 === 0)
      .flatMap(mutations)
      .map((text) => [ENTRIES, text] as const),
    ...mutations(query).map((text) => [RETRIEVE, text] as const),
    ...mutations(search).map((text) => [INDEX, text] as const),
    [RETRIEVE, `{"entries":[${Array(11).fill(first).join(',')}]}`],
    [RETRIEVE, '{"logIndexes":[1,2,9999]}'],
    [RETRIEVE, '{"logIndexes":[0.5]}'],
    [RETRIEVE, '{"logIndexes":[]}'],
    [RETRIEVE, `{"entryUUIDs":["${'0'.repeat(64)}"]}`],
    [RETRIEVE, '{"entryUUIDs":["x"]}'],
    [INDEX, `{"email":"${'e'.repeat(LARGE)}@example.com"}`],
    [INDEX, `{"subject":"${'s'.repeat(LARGE)}"}`],
    [INDEX, '{"operator":"and","email":"a@example.com","subject":"b"}'],
    [INDEX, '{"operator":"xor"}'],
    [INDEX, '{"publicKey":{"format":"x509","content":"AAAA"}}'],
    [INDEX, '{"publicKey":{"format":"tuf","content":"AAAA"}}']
  ]
  const statuses = new Set<number>()
  for (const [url, text] of cases) {
    const body = text.padEnd(LARGE)
    const answer = await post(apart, url, body)
    t.strictSame(answer, await post(alike, url, body), `${url} ${text.slice(0, 60)}`)
    statuses.add(answer.status)
  }
  t.equal(tasks.length, cases.length, 'all of them were read elsewhere')
  t.strictSame([...statuses].sort(), [200, 201, 400, 409, 422])
})

t.test('entries that were logged by a large request are found by one', async (t) => {
  const { read } = countingReader()
  const { app } = await createRekorApp(t, { app: { bodies: read } })
  const { proposedEntry, leafHash, indexKeys } = computedVector('hashedrekord-model')
  const entry = JSON.stringify(proposedEntry)
  t.match(await post(app, ENTRIES, entry.padEnd(LARGE)), { status: 201, said: [leafHash] })
  const query = `{"entries":[${entry}]}`.padEnd(LARGE)
  t.match(await post(app, RETRIEVE, query), { status: 200, said: [leafHash] })
  const search = JSON.stringify({ hash: indexKeys[1] }).padEnd(LARGE)
  t.match(await post(app, INDEX, search), { status: 200, said: [leafHash] })
})

t.test('bytes that are not UTF-8', async (t) => {
  const { read } = countingReader()
  const { app } = await stubApp({}, { bodies: read })
  const { app: alike } = await stubApp()
  const body = Buffer.alloc(LARGE, 0xff)
  const answer = await post(app, ENTRIES, body)
  t.equal(answer.status, 400)
  t.strictSame(answer, await post(alike, ENTRIES, body))
})

t.test('what is switched off is not read', async (t) => {
  const { read, tasks } = countingReader()
  const { app } = await stubApp({}, { bodies: read, enabledOperations: ['getLogInfo'] })
  t.match(await post(app, ENTRIES, '{}'.padEnd(LARGE)), { status: 501 })
  t.equal(tasks.length, 0)
})

t.test('a reader that mixes up its answers gives none', async (t) => {
  const bodies: BodyReader = async () => ({ type: 'keys', keys: [], operator: 'or' })
  const { app } = await stubApp({}, { bodies })
  t.match(await post(app, ENTRIES, '{}'.padEnd(LARGE)), { status: 500 })
})

t.test('what large bodies hold is bounded, over all operations', async (t) => {
  const waiting: (() => void)[] = []
  const bodies: BodyReader = () =>
    new Promise((resolve) => {
      waiting.push(() => resolve({ type: 'refused', status: 422, code: 601, message: 'read' }))
    })
  const MIB = 1024 * 1024
  const { app } = await stubApp({}, { bodies, maxRequestBodyBytes: 200 * MIB })
  const send = (url: string, bytes: number) => post(app, url, Buffer.alloc(bytes, ' '))
  const first = send(ENTRIES, 200 * MIB)
  while (waiting.length < 1) await new Promise(setImmediate)
  t.strictSame(await send(RETRIEVE, 57 * MIB), {
    status: 503,
    retryAfter: '2',
    said: {
      code: 503,
      message: `large requests hold ${200 * MIB} bytes already, of ${256 * MIB} that they may`
    }
  })
  const second = send(INDEX, 56 * MIB)
  while (waiting.length < 2) await new Promise(setImmediate)
  t.match(await send(ENTRIES, 64 * 1024), { status: 400 }, 'small ones are read')
  for (const answer of waiting) answer()
  const refused = { status: 422, said: { code: 601, message: 'read' } }
  t.match([await first, await second], [refused, refused])
  const third = send(ENTRIES, 200 * MIB)
  while (waiting.length < 3) await new Promise(setImmediate)
  waiting[2]?.()
  t.match(await third, refused, 'all of it was free again')
})

// The real thread is loaded through the compiler here, which is most of this test's time.
t.test('the real thread does what is done without one, and takes the memory', async (t) => {
  const pool = createBodyPool({
    workers: 1,
    maxQueuedTasks: 10,
    taskTimeoutMs: 60_000,
    idleMs: 60_000,
    settings: TEST_SETTINGS
  })
  t.teardown(() => pool.close())
  const { read } = countingReader()
  const taskOf = (operation: BodyTask['operation'], text: string): BodyTask => {
    const bytes = Buffer.from(text)
    const pieces = [bytes.subarray(0, 10), bytes.subarray(10)].map((part) => Uint8Array.from(part))
    return { operation, pieces }
  }
  for (const name of ['hashedrekord-model', 'intoto-0.0.1', 'rekord-pgp']) {
    const entry = JSON.stringify(computedVector(name).proposedEntry)
    const task = taskOf('createLogEntry', entry)
    t.same(await pool.read(task), await read(taskOf('createLogEntry', entry)))
    t.ok(task.pieces.every(({ length }) => length === 0))
  }
  t.match(await pool.read(taskOf('searchIndex', '{"hash":7}     ')), {
    type: 'refused',
    status: 400,
    code: 400
  })
  await t.rejects(
    pool.read(taskOf('createLogEntry', '{"kind":"rekord","apiVersion":"0.0.9","spec":{}}')),
    { name: 'LogError', code: 'unsupported', message: /^error processing entry: rekord/ }
  )
})
