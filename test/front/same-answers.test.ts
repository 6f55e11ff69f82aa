import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  artifactKey,
  initLog,
  proposal,
  startTestServer,
  tempFolder,
  testConfig
} from '../helpers/cli.js'
import { exchange, requestBytes, startFrontServer, takenBy } from '../helpers/front-server.js'
import { ENTRIES, INDEX, RETRIEVE, VECTOR_NAMES } from '../helpers/rekor-client-check.js'
import { CHANGES, changed, computedVector, pathsOf, rekorVectorText } from '../helpers/vectors.js'

// What a server with one thread answers is held by test/http and test/rekor. Here two servers have the same log and the same keys,
// one with threads in front: every request goes to both, to each thread, and what comes back must be the same bytes.

/** Answers to what is too large come soon enough with this. */
const LIMIT = 50_000
const flags = {
  'max-request-body-bytes': String(LIMIT),
  'public-url': 'http://127.0.0.1:1'
}

const dataDir = await initLog(t)
const copy = join(tempFolder(t), 'data')
cpSync(dataDir, copy, { recursive: true })
// The clock stands still, so that what is dated is the same.
const atMs = Date.now()
const world = { now: () => atMs }
const alone = await startTestServer(t, testConfig(dataDir, flags), world)
const front = await startFrontServer(t, testConfig(copy, { ...flags, 'http-threads': '3' }), world)
const THREADS = 2

t.equal(takenBy(front).length, THREADS)

/** What may differ between two answers: when they were given, and signatures, which have a random part. */
function comparable(answer: string): string {
  const isSigned = /signedEntryTimestamp|signedTreeHead/.test(answer)
  return answer
    .replace(/^date: .*$/gim, 'date')
    .replace(/^content-length: \d+$/gim, isSigned ? 'content-length' : '$&') // a signature has one of several lengths
    .replace(/"signedEntryTimestamp":"[^"]*"/g, '"signedEntryTimestamp"')
    .replace(/(\\n\\n\S+ \S+ )[^\\]*/g, '$1')
}

/** Sends bytes as often to each server as there are threads, until each has answered. @returns what was answered */
async function same(t: Test, name: string, bytes: string): Promise<readonly string[]> {
  const answered = new Set<number>()
  const answers: string[] = []
  for (let i = 0; i < 10 && answered.size < THREADS; i++) {
    const before = takenBy(front)
    const [want, got] = [
      await exchange(alone.listenUrl, bytes),
      await exchange(front.listenUrl, bytes)
    ]
    takenBy(front).forEach((taken, thread) => taken > (before[thread] ?? 0) && answered.add(thread))
    if (comparable(got) !== comparable(want)) t.equal(comparable(got), comparable(want), name)
    answers.push(got)
  }
  if (answered.size < THREADS) t.fail(`${name}: not every thread was asked`)
  return answers
}

const statusOf = (answer: string | undefined): number => Number(answer?.slice(9, 12))

t.test('uploads of every kind', async (t) => {
  const key = artifactKey()
  for (let i = 0; i < 4; i++) {
    const body = JSON.stringify(proposal(`text ${i}`, key))
    const [first, second] = await same(t, `new ${i}`, requestBytes('POST', ENTRIES, body))
    t.equal(statusOf(first), 201)
    t.equal(statusOf(second), 409)
  }
  for (const name of VECTOR_NAMES) {
    const body = JSON.stringify(computedVector(name).proposedEntry)
    const [first, second] = await same(t, name, requestBytes('POST', ENTRIES, body))
    t.equal(statusOf(first), 201, name)
    t.equal(statusOf(second), 409, name)
  }
  const body = JSON.stringify(computedVector('rekord-pgp').proposedEntry)
  await same(t, 'in pieces', chunked('POST', ENTRIES, [body.slice(0, 100), body.slice(100)]))
})

function chunked(method: string, path: string, chunks: readonly string[]): string {
  const framed = [...chunks, ''].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
  return `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${framed.join('')}`
}

t.test('uploads that are refused', async (t) => {
  let refused = 0
  for (const name of ['hashedrekord-ecdsa-p256-sha256', 'dsse-single', 'rekord-x509-ec']) {
    const { proposedEntry } = computedVector(name)
    for (const path of pathsOf(proposedEntry)) {
      for (const change of CHANGES.slice(0, 4)) {
        const body = JSON.stringify(changed(proposedEntry, path, change))
        const [answer] = await same(
          t,
          `${name} ${path.join('.')} ${change}`,
          requestBytes('POST', ENTRIES, body)
        )
        if (statusOf(answer) >= 400) refused++
      }
    }
  }
  t.ok(refused > 100, `${refused} refused`)
})

t.test('what was asked of a real Rekor', async (t) => {
  interface Golden {
    readonly method: string
    readonly path: string
    readonly request?: unknown
    readonly contentType?: string
  }
  const lines = rekorVectorText('golden/requests.jsonl').trim().split('\n')
  for (const line of lines) {
    const { method, path, request, contentType } = JSON.parse(line) as Golden
    const body =
      request === undefined || request === null
        ? undefined
        : typeof request === 'string'
          ? request
          : JSON.stringify(request)
    const headers = contentType === undefined ? {} : { 'content-type': contentType }
    await same(t, `${method} ${path}`, requestBytes(method, encodeURI(path), body, headers))
  }
  t.ok(lines.length > 50)
})

t.test('reads', async (t) => {
  const known = JSON.stringify(computedVector('rekord-x509').proposedEntry)
  const [answer] = await same(t, 'known', requestBytes('POST', ENTRIES, known))
  const entry = /^location: (.*)\r$/im.exec(answer ?? '')?.[1]
  const id = entry?.split('/').at(-1) ?? ''
  t.match(id, /^[0-9a-f]{80}$/)
  for (const path of [
    `${ENTRIES}?logIndex=0`,
    `${ENTRIES}?logIndex=5`,
    `${ENTRIES}?logIndex=5000`,
    `${ENTRIES}?logIndex=-1`,
    `${ENTRIES}?logIndex=x`,
    `${ENTRIES}?logIndex=%30`,
    ENTRIES,
    `${ENTRIES}/${id}`,
    `${ENTRIES}/${id.slice(16)}`,
    `${ENTRIES}/${'0'.repeat(64)}`,
    `${ENTRIES}/zz`,
    '/api/v1/log',
    '/api/v1/log/',
    '/api/v1//log',
    '/api/v1/log?x=%',
    '/api/v1/log/proof?firstSize=1&lastSize=5',
    '/api/v1/log/proof?firstSize=5&lastSize=1',
    '/api/v1/log/proof?lastSize=100000',
    '/api/v1/log/publicKey',
    '/api/v1/log/publi%63Key',
    '/api/v1/log/publicKey?treeID=1'
  ]) {
    await same(t, path, requestBytes('GET', path))
    await same(t, `${path} as text`, requestBytes('GET', path, undefined, { accept: 'text/html' }))
  }
  for (const query of [
    { hash: `sha256:${'ab'.repeat(32)}` },
    { email: 'nobody@example.com', operator: 'and' },
    { publicKey: { format: 'x509', content: 'AAAA' } },
    { publicKey: { format: 'pgp', content: 'AAAA' } },
    { publicKey: { format: 'x' } },
    {},
    []
  ]) {
    await same(t, JSON.stringify(query), requestBytes('POST', INDEX, JSON.stringify(query)))
  }
  const { proposedEntry } = computedVector('rekord-x509')
  for (const query of [
    { logIndexes: [0, 1, 99] },
    { entryUUIDs: [id, id.slice(16)] },
    { entries: [proposedEntry] },
    { entries: [{ ...proposedEntry, kind: 'x' }] },
    { logIndexes: Array(11).fill(0) }
  ]) {
    await same(t, JSON.stringify(query), requestBytes('POST', RETRIEVE, JSON.stringify(query)))
  }
})

t.test('what the main thread answers', async (t) => {
  for (const path of [
    '/ping',
    '/',
    '/healthz',
    '/rekor-openapi.yaml',
    '/no/such',
    '/%zz',
    '//ping/',
    '/../ping',
    'http://log.example/ping',
    '/api/v1/logs',
    '/api/v1/timestamp/certchain',
    '/api/v2/trustBundle',
    '/api/v1/rootCert',
    '/ct/v1/get-sth',
    '/ct/v1/get-entries?start=0&end=x',
    '/tuf/1.root.json',
    '/tuf/nothing.json',
    '/bootstrap'
  ]) {
    await same(t, path, requestBytes('GET', path))
    await same(t, `HEAD ${path}`, requestBytes('HEAD', path))
    await same(t, `PUT ${path}`, requestBytes('PUT', path, 'x', { 'content-type': 'a/b' }))
  }
  await same(t, 'timestamp', requestBytes('POST', '/api/v1/timestamp', '{}'))
  await same(t, 'certificate', requestBytes('POST', '/api/v2/signingCert', '{"credentials":{}}'))
  await same(t, 'chain', requestBytes('POST', '/ct/v1/add-chain', '{"chain":["AAAA"]}'))
  await same(
    t,
    'if-none-match',
    requestBytes('GET', '/tuf/1.root.json', undefined, { 'if-none-match': '*' })
  )
})

t.test('methods, origins and media types', async (t) => {
  for (const path of [
    '/api/v1/log',
    ENTRIES,
    INDEX,
    '/api/v1/log/nothing',
    '/ping',
    '/tuf/1.root.json'
  ]) {
    for (const method of ['DELETE', 'PATCH', 'HEAD', 'TRACE', 'PROPFIND', 'OPTIONS']) {
      await same(t, `${method} ${path}`, requestBytes(method, path))
    }
    const origin = { origin: 'https://search.example' }
    await same(t, `${path} from elsewhere`, requestBytes('GET', path, undefined, origin))
    for (const asked of ['POST', 'PUT']) {
      const headers = {
        ...origin,
        'access-control-request-method': asked,
        'access-control-request-headers': 'Accept'
      }
      await same(t, `preflight ${path} ${asked}`, requestBytes('OPTIONS', path, undefined, headers))
    }
  }
  for (const type of ['text/plain', 'application/json; charset=utf-8', 'application/yaml', '']) {
    await same(t, `as ${type}`, requestBytes('POST', ENTRIES, '{}', { 'content-type': type }))
  }
  for (const body of ['', '{', '"x"', 'null', '[]', '\u00e9', '{"a":1,"a":2}']) {
    for (const path of [ENTRIES, RETRIEVE, INDEX]) {
      await same(t, `${path} ${body}`, requestBytes('POST', path, body))
    }
  }
})

t.test('bodies at every border', async (t) => {
  const text = JSON.stringify({ kind: 'x', apiVersion: '1', spec: {} })
  for (const size of [16_383, 16_384, 16_385, LIMIT - 1, LIMIT, LIMIT + 1, 4 * LIMIT]) {
    for (const path of [ENTRIES, '/api/v1/timestamp', '/no/such']) {
      await same(t, `${size} to ${path}`, requestBytes('POST', path, text.padEnd(size)))
    }
    await same(
      t,
      `${size} in pieces`,
      chunked('POST', ENTRIES, [text, ' '.repeat(size - text.length)])
    )
  }
  const announced = (length: string) =>
    requestBytes('POST', ENTRIES, undefined, {
      'content-length': length,
      'content-type': 'application/json'
    })
  await same(t, 'announced only', announced('1000000000'))
  await same(t, 'no number', announced('1x'))
  await same(t, 'expected', requestBytes('POST', ENTRIES, text, { expect: '100-continue' }))
  await same(
    t,
    'expected, large',
    requestBytes('POST', ENTRIES, text.padEnd(LIMIT), { expect: '100-continue' })
  )
  await same(t, 'expected something else', requestBytes('POST', ENTRIES, text, { expect: 'x' }))
})

t.test('bytes that are no request', async (t) => {
  for (const bytes of [
    'hello\r\n\r\n',
    'GET /ping HTTP/1.1\r\n\r\n',
    'GET /ping HTTP/1.0\r\n\r\n',
    'GET /api/v1/log HTTP/1.0\r\n\r\n',
    'GET /api/v1/log HTTP/3.0\r\nhost: x\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`,
    'GET /\u00e9 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    'GET /ping HTTP/1.1\r\nhost: x\r\nx-a: \u00e9\r\nx-a: b\r\nconnection: close\r\n\r\n',
    'GET /ping HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n\r\n'
  ]) {
    await same(t, JSON.stringify(bytes.slice(0, 40)), bytes)
  }
})

t.test('many requests on one connection come back in their order', async (t) => {
  const keep = { connection: 'keep-alive' }
  const bytes = [
    requestBytes('GET', '/ping', undefined, keep),
    requestBytes('GET', '/api/v1/log/proof?firstSize=1&lastSize=3', undefined, keep),
    requestBytes('GET', '/tuf/1.root.json', undefined, keep),
    requestBytes('GET', `${ENTRIES}?logIndex=0`, undefined, keep),
    requestBytes('POST', '/no/such', 'x'.repeat(10_000), keep),
    requestBytes('GET', '/ping')
  ]
  const [answer = ''] = await same(t, 'pipelined', bytes.join(''))
  t.strictSame(
    [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['200', '200', '200', '200', '404', '200']
  )
})

/** The clock of these servers stands still, which the timestamp authority finds out sooner or later. */
const CLOCK = 'the clock was set back: timestamps are refused until it is right again'

t.test('neither server complains but of the clock, and both tell the same of each request', (t) => {
  for (const { log } of [alone, front]) {
    const complaints = log.filter(({ level }) => Number(level) >= 50).map(({ msg }) => msg)
    t.strictSame(
      complaints.filter((msg) => msg !== CLOCK),
      []
    )
  }
  const told = ({ log }: typeof alone) =>
    log
      .filter(({ msg }) => msg === 'request')
      .map(({ level, method, path, code, remote, requestId }) =>
        JSON.stringify([level, method, path, code, remote, requestId === 'the-same'])
      )
      .sort()
  t.ok(told(front).length > 500)
  t.strictSame(told(front), told(alone))
  t.end()
})
