import t from 'tap'
import { createRekorClient } from '../../src/client/rekor-client.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { fakeTree, serveAnswers, serveFake } from '../helpers/fake-rekor.js'

const old = fakeTree('5', ['{"a":0}', '{"a":1}'])
const tree = fakeTree('7', ['{"b":0}', '{"b":1}', '{"b":2}'], 2)

t.test('asks what the API understands', async (t) => {
  const server = await serveFake([old, tree])
  t.teardown(server.close)
  const client = createRekorClient({ baseUrl: server.url })
  const info = await client.logInfo()
  t.equal(info.active.treeId, '7')
  t.equal(info.inactive[0]?.treeId, '5')
  t.equal(encodeHex((await client.publicKey()).logId), tree.logId)
  t.equal(encodeHex((await client.publicKey('5')).logId), old.logId)
  t.equal((await client.entryByIndex(3)).entryId, tree.entryId(1))
  t.equal((await client.entryById(old.entryId(1).slice(16))).logIndex, 1)
  t.equal((await client.proof({ firstSize: 1, lastSize: 2, treeId: '5' })).hashes.length, 1)
  await client.search({
    email: 'a@b.test',
    publicKey: { format: 'ssh', content: encodeUtf8('key') },
    operator: 'and'
  })
  t.strictSame(server.requests, [
    'GET /api/v1/log',
    'GET /api/v1/log/publicKey',
    'GET /api/v1/log/publicKey?treeID=5',
    'GET /api/v1/log/entries?logIndex=3',
    `GET /api/v1/log/entries/${old.entryId(1).slice(16)}`,
    'GET /api/v1/log/proof?firstSize=1&lastSize=2&treeID=5',
    'POST /api/v1/index/retrieve {"email":"a@b.test","publicKey":{"format":"ssh","content":"a2V5"},"operator":"and"}'
  ])
  await t.rejects(client.entryByIndex(99), { code: 'not_found', message: /answered 404$/ })
})

t.test('answers that are none', async (t) => {
  const cases: [name: string, status: number, body: string, code: string, message: RegExp][] = [
    ['not JSON', 200, 'hello', 'upstream', /malformed: not valid JSON/],
    ['too deep', 200, '['.repeat(1000), 'upstream', /malformed: JSON nested deeper/],
    [
      'refusal',
      422,
      '{"code":606,"message":"no good"}',
      'invalid_request',
      /answered 422: no good$/
    ],
    ['failure', 500, '{"code":500,"message":"oh"}', 'upstream', /answered 500: oh$/],
    ['failure in HTML', 502, '<html>', 'upstream', /answered 502$/],
    ['escape sequences', 400, '{"message":"a\\u001b[2J\\nb"}', 'invalid_request', /: a \[2J b$/],
    ['redirect', 301, '', 'upstream', /^cannot reach /]
  ]
  for (const [name, status, body, code, message] of cases) {
    const server = await serveAnswers(() => ({ status, body }))
    const client = createRekorClient({ baseUrl: server.url })
    await t.rejects(client.logInfo(), { code, message }, name)
    await server.close()
  }
})

t.test('one public key', async (t) => {
  for (const body of ['', `${old.publicKeyPem}${tree.publicKeyPem}`]) {
    const server = await serveAnswers(() => ({ body }))
    const client = createRekorClient({ baseUrl: server.url })
    await t.rejects(client.publicKey(), { code: 'upstream', message: /answer is malformed/ })
    await server.close()
  }
})

t.test('bounded in time and size', async (t) => {
  const silent = await serveAnswers(() => new Promise(() => undefined))
  const waiting = createRekorClient({ baseUrl: silent.url, timeoutMs: 50 })
  await t.rejects(waiting.logInfo(), { code: 'timeout', message: /no answer from .* within 50 ms/ })
  await silent.close()

  let chunks = 0
  const endless = new ReadableStream({
    pull(controller) {
      chunks++
      controller.enqueue(new Uint8Array(1024 * 1024))
    }
  })
  const client = createRekorClient({
    baseUrl: 'http://localhost',
    fetch: async () => new Response(endless)
  })
  await t.rejects(client.logInfo(), { code: 'too_large', message: /larger than 67108864 bytes/ })
  t.ok(chunks < 70, `stopped reading after ${chunks} MiB`)
})

t.test('nobody there', async (t) => {
  const server = await serveAnswers(() => ({ body: '' }))
  await server.close()
  const client = createRekorClient({ baseUrl: server.url })
  await t.rejects(client.logInfo(), {
    code: 'upstream',
    message: `cannot reach ${server.url}/api/v1/log: ECONNREFUSED`
  })
})
