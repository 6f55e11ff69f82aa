import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { LogError } from '../../src/errors.js'
import { createApp } from '../../src/http/app.js'
import { loadRekorV1Contract } from '../../src/http/contract.js'
import type { ApiRequest } from '../../src/metrics.js'
import type { LoggedEntry } from '../../src/rekor/service.js'
import { ALL_OPERATIONS, stubApp } from '../helpers/stub-app.js'
import { stubRekor } from '../helpers/stub-rekor.js'

const ENTRY_ID = '0123456789abcdef' + 'ab'.repeat(32)
const NOTE = `log.example - 81985529216486895\n1\n${'A'.repeat(43)}=\n\n— log.example AAAAAAAA\n`
const LOGGED: LoggedEntry = {
  entryId: ENTRY_ID,
  entry: {
    body: 'eyI8Ij4mXHUyMDI4In0=',
    integratedTime: 1_700_000_000,
    logID: 'cd'.repeat(32),
    logIndex: 7,
    verification: {
      inclusionProof: {
        checkpoint: NOTE,
        hashes: [],
        logIndex: 0,
        rootHash: 'ef'.repeat(32),
        treeSize: 1
      },
      signedEntryTimestamp: 'MEUC'
    }
  }
}
const TREE = {
  rootHash: 'ef'.repeat(32),
  signedTreeHead: NOTE,
  treeID: '81985529216486895',
  treeSize: 1
}
const PROPOSED = { kind: 'hashedrekord', apiVersion: '0.0.1', spec: { a: 1 } }
const PEM = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'
const ENTRIES = '/api/v1/log/entries'

t.test('unknown paths and wrong methods', async (t) => {
  const { inject } = await stubApp()
  for (const method of ['GET', 'POST', 'PUT', 'PROPFIND', 'OPTIONS', 'QUERY']) {
    const answer = await inject({ method, url: '/nothing?x=1', body: '{' })
    t.equal(answer.status, 404)
    t.strictSame(answer.json, { code: 404, message: 'path /nothing was not found' })
  }
  for (const method of ['DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
    const answer = await inject({
      method,
      url: ENTRIES,
      headers: { 'content-type': 'a/b' },
      body: 'x'
    })
    t.equal(answer.status, 405, method)
    t.equal(answer.headers.allow, 'GET,POST')
    t.strictSame(answer.json, {
      code: 405,
      message: `method ${method} is not allowed, but [GET,POST] are`
    })
  }
  const allowed = async (method: string, url: string) =>
    (await inject({ method, url })).headers.allow
  t.equal(await allowed('GET', '/api/v1/index/retrieve'), 'POST')
  t.equal(await allowed('PUT', `${ENTRIES}/retrieve`), 'GET,POST')
  t.equal(await allowed('POST', `${ENTRIES}/${ENTRY_ID}`), 'GET')
  t.equal(await allowed('POST', '//ping/'), 'GET,HEAD')
  const head = await inject({ method: 'HEAD', url: '/api/v1/log' })
  t.match(head, { status: 405, text: '', headers: { allow: 'GET' } })
  t.match(await inject({ method: 'HEAD', url: '/ping' }), { status: 200, text: '' })
  t.match(await inject({ url: '/ping' }), { status: 200, text: '.' })
})

t.test('slashes at the end and in pairs', async (t) => {
  const { inject } = await stubApp({
    logInfo: async () => ({ inactiveShards: null, ...TREE }),
    entryById: async (id) => (id === ENTRY_ID ? LOGGED : undefined),
    retrieve: async () => [],
    submit: async () => LOGGED
  })
  for (const url of ['/api/v1/log', '/api/v1/log/', '//api/v1//log', '/api/v1/log//']) {
    t.equal((await inject({ url })).status, 200, url)
  }
  t.equal((await inject({ url: `//api/v1/log/entries/${ENTRY_ID}/` })).status, 200)
  for (const url of [`${ENTRIES}/retrieve/`, '//api/v1/log/entries//retrieve']) {
    t.equal((await inject({ method: 'POST', url, body: {} })).status, 200, url)
  }
  const created = await inject({ method: 'POST', url: `/${ENTRIES}/`, body: PROPOSED })
  t.equal(created.headers.location, `${ENTRIES}/${ENTRY_ID}`)
})

t.test('an entry goes out as clients want it', async (t) => {
  const { inject } = await stubApp({
    submit: async () => LOGGED,
    entryByIndex: async (logIndex) => (logIndex === 7 ? LOGGED : undefined)
  })
  const created = await inject({ method: 'POST', url: ENTRIES, body: PROPOSED })
  t.equal(created.status, 201)
  t.equal(created.headers.etag, ENTRY_ID, 'no quotes, and equal to the member name')
  t.equal(created.headers.location, `${ENTRIES}/${ENTRY_ID}`)
  t.equal(created.headers['content-type'], 'application/json', 'no charset')
  t.notOk(created.headers['cache-control'])
  t.equal(created.text, `${JSON.stringify({ [ENTRY_ID]: LOGGED.entry })}\n`)

  const read = await inject({
    url: `${ENTRIES}?logIndex=7`,
    headers: { 'if-none-match': ENTRY_ID }
  })
  t.equal(read.status, 200)
  t.notOk(read.headers.etag)
  const missing = await inject({ url: `${ENTRIES}?logIndex=8` })
  t.match(missing, { status: 404, text: '' })
  t.notOk(missing.headers['content-type'])
  t.notOk('x-powered-by' in read.headers)
  t.notOk('server' in read.headers)
})

t.test('text is not escaped for HTML', async (t) => {
  const { inject } = await stubApp({
    proof: async () => {
      throw new LogError('invalid_request', '<&>\u2028')
    }
  })
  const { text } = await inject({ url: '/api/v1/log/proof?lastSize=1' })
  t.equal(text, '{"code":400,"message":"<&>\u2028"}\n')
})

t.test('media types', async (t) => {
  const { inject } = await stubApp({
    submit: async () => LOGGED,
    logInfo: async () => ({ inactiveShards: [TREE], ...TREE }),
    publicKey: () => PEM
  })
  const post = async (type: string | undefined, body = JSON.stringify(PROPOSED)) => {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
    return inject({ method: 'POST', url: ENTRIES, headers, body })
  }
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset="utf-8"; x=y',
    'Application/JSON'
  ]) {
    t.equal((await post(type)).status, 201, type)
  }
  for (const type of [
    'application/yaml',
    'text/plain',
    'application/x-pem-file',
    'application/jsonx'
  ]) {
    t.strictSame((await post(type)).json, {
      code: 415,
      message: `unsupported media type "${type}", only [application/json] are allowed`
    })
  }

  const get = async (url: string, accept: string) => inject({ url, headers: { accept } })
  for (const accept of ['application/json', '*/*', 'text/html, application/*;q=0.5', '']) {
    t.equal((await get('/api/v1/log', accept)).status, 200, accept)
  }
  for (const accept of ['text/html', 'application/json;q=0', 'application/x-pem-file']) {
    t.strictSame((await get('/api/v1/log', accept)).json, {
      code: 406,
      message: 'unsupported media type requested, only [application/json] are available'
    })
  }
  t.strictSame((await get('/api/v1/log/publicKey', 'application/json')).json, {
    code: 406,
    message: 'unsupported media type requested, only [application/x-pem-file] are available'
  })
  const key = await get('/api/v1/log/publicKey', 'application/x-pem-file')
  t.equal(key.text, PEM)
  t.equal(key.headers['content-type'], 'application/x-pem-file')
})

t.test('a body without media type is refused, no body at all is a missing body', async (t) => {
  const { app, inject } = await stubApp()
  const untyped = await app.inject({ method: 'POST', url: ENTRIES, payload: Buffer.from('{}') })
  t.equal(untyped.statusCode, 415)
  t.equal(
    untyped.body,
    '{"code":415,"message":"unsupported media type \\"application/octet-stream\\", only [application/json] are allowed"}\n'
  )
  const required = (name: string) => ({ code: 602, message: `${name} in body is required` })
  t.strictSame((await inject({ method: 'POST', url: ENTRIES })).json, required('proposedEntry'))
  t.strictSame(
    (await inject({ method: 'POST', url: `${ENTRIES}/retrieve`, body: '' })).json,
    required('entry')
  )
  t.strictSame(
    (await inject({ method: 'POST', url: '/api/v1/index/retrieve' })).json,
    required('query')
  )
})

t.test('bodies that are not JSON', async (t) => {
  const { inject } = await stubApp()
  const deep = `${'['.repeat(101)}${']'.repeat(101)}`
  const bodies: readonly (readonly [string, string | Buffer])[] = [
    ['cut off', '{'],
    ['a trailing comma', '{"a":1,}'],
    ['a second value', '{} {}'],
    ['too deep', deep],
    ['too deep by a million', '['.repeat(1e6)],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
    ['a byte order mark', '\ufeff{}']
  ]
  for (const [name, body] of bodies) {
    const entry = await inject({ method: 'POST', url: ENTRIES, body })
    t.match(entry, { status: 400, json: { code: 400, message: /./ } }, name)
    for (const [url, what] of [
      [`${ENTRIES}/retrieve`, 'entry'],
      ['/api/v1/index/retrieve', 'query']
    ] as const) {
      const { status, json } = await inject({ method: 'POST', url, body })
      t.equal(status, 400, name)
      t.ok(
        (json as { message: string }).message.startsWith(
          `parsing ${what} body from "" failed, because `
        ),
        name
      )
    }
  }
})

t.test('large bodies', async (t) => {
  const { app, inject } = await stubApp(
    { submit: async () => LOGGED },
    { maxRequestBodyBytes: 1000 }
  )
  const tooLarge = { code: 413, message: 'Request Entity Too Large. Limit set to 1000' }
  const body = (size: number) => JSON.stringify(PROPOSED).padEnd(size)
  t.equal((await inject({ method: 'POST', url: ENTRIES, body: body(1000) })).status, 201)
  t.strictSame((await inject({ method: 'POST', url: ENTRIES, body: body(1001) })).json, tooLarge)

  t.test('without announced length, over a socket', async (t) => {
    await app.listen({ host: '127.0.0.1', port: 0 })
    t.teardown(() => app.close())
    const { port } = app.server.address() as AddressInfo
    const answer = await fetch(`http://127.0.0.1:${port}${ENTRIES}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(body(1001)))
          controller.close()
        }
      }),
      duplex: 'half'
    } as RequestInit)
    t.equal(answer.status, 413)
    t.strictSame(await answer.json(), tooLarge)
  })
})

t.test('cross-origin', async (t) => {
  const { inject } = await stubApp({ logInfo: async () => ({ inactiveShards: null, ...TREE }) })
  const plain = await inject({ url: '/api/v1/log' })
  t.equal(plain.headers.vary, 'Origin')
  t.notOk(plain.headers['access-control-allow-origin'])
  for (const url of ['/api/v1/log', '/nothing', '/ping']) {
    const answer = await inject({ url, headers: { origin: 'https://a.example' } })
    t.equal(answer.headers['access-control-allow-origin'], '*', url)
    t.notOk(answer.headers['access-control-expose-headers'])
  }

  const preflight = async (headers: Record<string, string>) =>
    inject({
      method: 'OPTIONS',
      url: ENTRIES,
      headers: { origin: 'https://a.example', ...headers }
    })
  const good = await preflight({
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'Content-Type, accept'
  })
  t.match(good, {
    status: 204,
    text: '',
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, accept',
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'
    }
  })
  for (const headers of [
    { 'access-control-request-method': 'DELETE' },
    { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }
  ]) {
    const refused = await preflight(headers)
    t.equal(refused.status, 204)
    t.notOk(refused.headers['access-control-allow-origin'])
  }
  t.equal((await inject({ method: 'OPTIONS', url: ENTRIES })).status, 405, 'no preflight')
})

t.test('operations that are switched off', async (t) => {
  const requests: Readonly<Record<string, { method?: string; url: string; body?: unknown }>> = {
    'Create Entry API': { method: 'POST', url: ENTRIES, body: PROPOSED },
    'Get Log Entry by Index API': { url: `${ENTRIES}?logIndex=0` },
    'Get Log Entry by UUID API': { url: `${ENTRIES}/${ENTRY_ID}` },
    'Search Log Query API': { method: 'POST', url: `${ENTRIES}/retrieve`, body: {} },
    'Get Log Info API': { url: '/api/v1/log' },
    'Get Public Key API': { url: '/api/v1/log/publicKey' },
    'Get Log Proof API': { url: '/api/v1/log/proof?lastSize=1' },
    'Search Index API': { method: 'POST', url: '/api/v1/index/retrieve', body: {} }
  }
  t.equal(Object.keys(requests).length, ALL_OPERATIONS.length)
  const { inject } = await stubApp({}, { enabledOperations: [] })
  for (const [name, request] of Object.entries(requests)) {
    t.match(await inject(request), {
      status: 501,
      json: { code: 501, message: `${name} not enabled in this Rekor instance` }
    })
  }
  t.equal((await inject({ url: ENTRIES })).status, 422, 'validation comes first')
})

t.test('failures', async (t) => {
  const failing = async (err: unknown) => {
    const fail = async () => {
      throw err
    }
    return stubApp({
      submit: fail,
      retrieve: fail,
      logInfo: fail,
      searchIndex: fail,
      publicKey: () => {
        throw err
      }
    })
  }
  const post = { method: 'POST', url: ENTRIES, body: PROPOSED }

  t.test('of the request say what is wrong', async (t) => {
    const cases = [
      ['invalid_request', 400],
      ['unsupported', 400],
      ['verification_failed', 400],
      ['too_large', 413],
      ['log_frozen', 405]
    ] as const
    for (const [code, status] of cases) {
      const { inject } = await failing(new LogError(code, 'because'))
      t.match(await inject(post), { status, json: { code: status, message: 'because' } }, code)
    }
  })

  t.test('because the entry is there say where', async (t) => {
    const { inject } = await failing(
      new LogError('already_exists', 'there', { details: { entryId: ENTRY_ID, leafIndex: 3 } })
    )
    const answer = await inject(post)
    t.match(answer, { status: 409, json: { code: 409, message: 'there' } })
    t.equal(answer.headers.location, `${ENTRIES}/${ENTRY_ID}`)
    t.notOk(answer.headers.etag)
  })

  t.test('because of load say when to come back', async (t) => {
    const { inject } = await failing(new LogError('overloaded', 'queue is full'))
    const answer = await inject(post)
    t.match(answer, { status: 503, json: { code: 503, message: 'queue is full' } })
    t.equal(answer.headers['retry-after'], '1')
  })

  t.test('of ours say nothing but the request id', async (t) => {
    const headers = { 'x-request-id': 'my-id.1' }
    for (const err of [
      new LogError('integrity', 'secret'),
      new LogError('internal', 'secret'),
      new TypeError('secret')
    ]) {
      const { inject } = await failing(err)
      const message = async (request: { method?: string; url: string; body?: unknown }) => {
        const answer = await inject({ ...request, headers })
        t.equal(answer.status, 500)
        return (answer.json as { message: string }).message
      }
      t.equal(await message(post), 'unexpected result from transparency log (request my-id.1)')
      t.equal(
        await message({ url: '/api/v1/log' }),
        'unexpected error communicating with transparency log (request my-id.1)'
      )
      t.equal(
        await message({ method: 'POST', url: '/api/v1/index/retrieve', body: {} }),
        'unexpected result from searching index (request my-id.1)'
      )
      await message({ url: '/api/v1/log/publicKey' })
    }
    const { inject } = await failing(new LogError('timeout', 'secret'))
    t.match(await inject({ ...post, headers: { 'x-request-id': 'a b' } }), {
      status: 504,
      json: { message: /^unexpected result from transparency log \(request [0-9a-f-]{36}\)$/ }
    })
  })
})

t.test('the public key of a tree that is not there', async (t) => {
  const { inject } = await stubApp({ publicKey: () => undefined })
  const answer = await inject({ url: '/api/v1/log/publicKey?treeID=99999999999999999999' })
  t.match(answer, { status: 400, json: { code: 400, message: 'Bad Request' } })
  t.equal(answer.headers['content-type'], 'application/x-pem-file')
})

t.test('more than ten lookups in one query', async (t) => {
  const { inject } = await stubApp({ retrieve: async () => [] })
  const query = (logIndexes: number, entryUUIDs: number, entries: number) => ({
    method: 'POST',
    url: `${ENTRIES}/retrieve`,
    body: {
      logIndexes: logIndexes ? Array(logIndexes).fill(0) : null,
      entryUUIDs: entryUUIDs ? Array(entryUUIDs).fill(ENTRY_ID) : null,
      entries: Array(entries).fill(PROPOSED)
    }
  })
  t.equal((await inject(query(4, 3, 3))).status, 200)
  t.match(await inject(query(4, 4, 3)), {
    status: 422,
    json: { code: 422, message: 'more than max allowed 10 entries in request' }
  })
})

t.test('paths Fastify itself would refuse in its own words', async (t) => {
  const { inject } = await stubApp()
  t.match(await inject({ url: '/api/%zz' }), { status: 400, json: { code: 400, message: /./ } })
  const pattern = "entryUUID in path should match '^([0-9a-fA-F]{64}|[0-9a-fA-F]{80})$'"
  for (const id of ['zz', 'a'.repeat(3000), 'a%2Fb', 'retrieve', '%00']) {
    t.match(await inject({ url: `${ENTRIES}/${id}` }), {
      status: 422,
      json: { code: 605, message: pattern }
    })
  }
})

t.test('every finished request of an enabled operation is reported, and no other', async (t) => {
  const done: ApiRequest[] = []
  const { inject } = await stubApp(
    { logInfo: async () => ({ inactiveShards: null, ...TREE }), entryById: async () => undefined },
    {
      onRequestDone: (request) => done.push(request),
      enabledOperations: ALL_OPERATIONS.filter((name) => name !== 'createLogEntry')
    }
  )
  await inject({ url: '/api/v1/log/' })
  await inject({ url: `${ENTRIES}/${ENTRY_ID}` })
  await inject({ url: `${ENTRIES}/zz` })
  await inject({ method: 'POST', url: ENTRIES, body: PROPOSED })
  await inject({ url: '/nothing' })
  await inject({ url: '/ping' })
  await inject({ method: 'DELETE', url: ENTRIES })
  t.match(done, [
    { path: '/api/v1/log', method: 'GET', code: 200, seconds: Number },
    { path: '/api/v1/log/entries/{entryUUID}', method: 'GET', code: 404 },
    { path: '/api/v1/log/entries/{entryUUID}', method: 'GET', code: 422 }
  ])
  t.equal(done.length, 3)
})

t.test('a client that hangs up counts as 499', async (t) => {
  let release = (): void => undefined
  const waiting = new Promise<void>((resolve) => {
    release = resolve
  })
  let isReached = (): void => undefined
  const reached = new Promise<void>((resolve) => {
    isReached = resolve
  })
  let report = (_request: ApiRequest): void => undefined
  const reported = new Promise<ApiRequest>((resolve) => {
    report = resolve
  })
  const { app } = await stubApp(
    {
      logInfo: async () => {
        isReached()
        await waiting
        return { inactiveShards: null, ...TREE }
      }
    },
    { onRequestDone: (request) => report(request) }
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /api/v1/log HTTP/1.1\r\nHost: x\r\n\r\n')
  await reached
  socket.destroy()
  const { code } = await reported
  release()
  t.equal(code, 499)
})

t.test('a server that stops answers what is still coming in', async (t) => {
  let release = (): void => undefined
  const waiting = new Promise<void>((resolve) => {
    release = resolve
  })
  let isReached = (): void => undefined
  const reached = new Promise<void>((resolve) => {
    isReached = resolve
  })
  const { app } = await stubApp({
    logInfo: async () => {
      isReached()
      await waiting
      return { inactiveShards: null, ...TREE }
    }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /api/v1/log HTTP/1.1\r\nHost: x\r\n\r\n')
  await reached
  const closed = app.close()
  socket.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n')
  // The second request must have been read before the first lets go of the connection.
  setTimeout(release, 100)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  await closed
  t.strictSame(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200'])
  t.match(text, /connection: close/i)
})

t.test('bytes that are not HTTP', async (t) => {
  const { app } = await stubApp()
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const answerTo = async (bytes: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    socket.write(bytes)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    return text
  }
  t.match(
    await answerTo('hello\r\n\r\n'),
    /^HTTP\/1\.1 400 .*\{"code":400,"message":"Bad Request"\}\n$/s
  )
  t.match(
    await answerTo(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 .*"code":431/s
  )
})

t.test('health', async (t) => {
  const sick = await stubApp({}, { health: () => ({ isHealthy: false, reason: 'disk' }) })
  t.match(await sick.inject({ url: '/healthz' }), {
    status: 503,
    json: { status: 'failing', reason: 'disk' }
  })
  const { inject } = await stubApp()
  t.strictSame((await inject({ url: '/healthz' })).json, { status: 'ok' })
})

t.test('the statement of a tree', async (t) => {
  const { inject } = await stubApp({
    statement: (treeId) => (treeId === '5' ? 'text\n' : undefined)
  })
  t.match(await inject({ url: '/log-statement/5' }), { status: 200, text: 'text\n' })
  t.match(await inject({ url: '/log-statement/6' }), { status: 404, json: { code: 404 } })
  t.match(await inject({ url: '/log-statement/x' }), { status: 422, json: { code: 605 } })
})

t.test('schemas of other plugins neither coerce nor drop nor fill in', async (t) => {
  const app = await createApp({
    logger: (await stubApp()).app.log,
    contract: loadRekorV1Contract(),
    rekor: stubRekor({}),
    enabledOperations: [],
    maxRequestBodyBytes: 1000,
    health: () => ({ isHealthy: true }),
    homePage: () => '',
    plugins: [
      async (scope) => {
        scope.post(
          '/echo',
          {
            schema: {
              querystring: {
                type: 'object',
                properties: { n: { type: 'integer' }, d: { default: 1 } },
                additionalProperties: false
              }
            }
          },
          async (request) => request.query
        )
      }
    ]
  })
  const ask = async (query: string) => app.inject({ method: 'POST', url: `/echo?${query}` })
  t.equal((await ask('n=1')).statusCode, 400, 'a number is not made of text')
  t.equal((await ask('x=1')).statusCode, 400, 'an unknown member is not dropped')
  t.equal((await ask('')).body, '{}', 'a default is not filled in')
})
