import { mkdirSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { connectAdministration } from '../../src/cli/admin-socket.js'
import { LogError } from '../../src/errors.js'
import { listenForAdministration } from '../../src/server/admin-socket.js'
import type { Administration } from '../../src/site/administration.js'
import { MAX_ADMIN_REQUEST_BYTES } from '../../src/site/admin-protocol.js'
import { tempFolder } from '../helpers/cli.js'

/** What was asked, in order. */
type Asked = unknown[]

/** Says what it was asked, and gives what it was told to. */
function recording(asked: Asked, answer: () => Promise<unknown> = async () => ({ done: true })) {
  const tell =
    (operation: string) =>
    (...members: unknown[]) => {
      asked.push([operation, ...members])
      return answer()
    }
  return {
    status: tell('status'),
    rotate: tell('rotate'),
    draftRoot: tell('draftRoot'),
    publishRoot: tell('publishRoot'),
    draftTargets: tell('draftTargets'),
    publishTargets: tell('publishTargets')
  } as unknown as Administration // what it gives is not looked at
}

interface Listening {
  readonly path: string
  readonly lines: readonly Record<string, unknown>[]
  readonly stop: () => Promise<void>
}

async function listen(
  t: Test,
  administration: Administration,
  path = join(tempFolder(t), 'admin.sock')
): Promise<Listening> {
  const lines: Record<string, unknown>[] = []
  const logger = pino(
    {},
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) }
  )
  const stop = await listenForAdministration(path, administration, logger)
  t.teardown(stop)
  return { path, lines, stop }
}

function post(path: string, url: string, body: string | Buffer, method = 'POST'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, path: url, method }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve(JSON.parse(text)))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

async function connected(path: string): Promise<Administration> {
  const administration = await connectAdministration(path)
  if (administration === undefined) throw new Error('nobody listens')
  return administration
}

t.test('what the client asks reaches the server, and the answer comes back', async (t) => {
  const asked: Asked = []
  const { path } = await listen(t, recording(asked))
  t.equal(statSync(path).mode & 0o777, 0o600, 'for the owner alone')
  const client = await connected(path)
  t.strictSame(await client.status(), { done: true })
  await client.rotate({ what: 'log', dryRun: true, keepKey: true, hostname: 'h' })
  await client.rotate({ what: 'ca', dryRun: false, chainPem: 'PEM' })
  await client.draftRoot({ dryRun: false })
  await client.draftRoot({ role: 'root', publicKeysPem: ['A', 'B'], threshold: 2, dryRun: true })
  await client.publishRoot('draft', 'sha')
  await client.draftTargets()
  await client.publishTargets('draft')
  t.strictSame(asked, [
    ['status'],
    ['rotate', { what: 'log', dryRun: true, keepKey: true, hostname: 'h' }],
    ['rotate', { what: 'ca', dryRun: false, keepKey: false, chainPem: 'PEM' }],
    ['draftRoot', { dryRun: false }],
    ['draftRoot', { dryRun: true, role: 'root', publicKeysPem: ['A', 'B'], threshold: 2 }],
    ['publishRoot', 'draft', 'sha'],
    ['draftTargets'],
    ['publishTargets', 'draft']
  ])
})

t.test('refusals come back as they are, and mistakes of ours are logged', async (t) => {
  let problem: Error = new LogError('conflict', 'not now')
  const { path, lines } = await listen(
    t,
    recording([], () => Promise.reject(problem))
  )
  const client = await connected(path)
  await t.rejects(client.status(), { name: 'LogError', code: 'conflict', message: 'not now' })
  t.strictSame(lines, [])
  problem = new Error('a bug')
  await t.rejects(client.status(), { code: 'internal', message: 'a bug' })
  t.match(lines, [{ level: 50, msg: 'an admin command failed', err: { message: 'a bug' } }])
})

t.test('what is malformed is refused by name, and the server goes on', async (t) => {
  const asked: Asked = []
  const { path, lines } = await listen(t, recording(asked))
  const cases: [name: string, url: string, body: string, code: string, message: RegExp][] = [
    ['not JSON', '/status', 'hello', 'invalid_request', /^not valid JSON/],
    ['nothing', '/status', '', 'invalid_request', /^not valid JSON/],
    [
      'not UTF-8',
      '/status',
      Buffer.from([0x22, 0xff, 0x22]).toString('latin1'),
      'invalid_request',
      /./
    ],
    ['a list', '/status', '[]', 'invalid_request', /^the request is no object$/],
    ['null', '/status', 'null', 'invalid_request', /^the request is no object$/],
    ['deep', '/status', '['.repeat(200), 'invalid_request', /nested deeper/],
    ['no operation', '/', '{}', 'not_found', /^there is no operation ""$/],
    ['unknown', '/delete', '{}', 'not_found', /^there is no operation "delete"$/],
    ['a member of every object', '/constructor', '{}', 'not_found', /no operation "constructor"/],
    ['a query', '/status?x=1', '{}', 'not_found', /no operation/],
    ['no part', '/rotate', '{}', 'invalid_request', /^what must be one of log, ct, ca, tsa$/],
    ['a strange part', '/rotate', '{"what":"tuf"}', 'invalid_request', /^what must be one of/],
    ['a part that is a list', '/rotate', '{"what":["log"]}', 'invalid_request', /^what must be/],
    [
      'a number for a name',
      '/rotate',
      '{"what":"log","hostname":1}',
      'invalid_request',
      /^hostname must be a text$/
    ],
    [
      'null for a chain',
      '/rotate',
      '{"what":"ca","chainPem":null}',
      'invalid_request',
      /^chainPem must/
    ],
    [
      'text for dryRun',
      '/rotate',
      '{"what":"ca","dryRun":"yes"}',
      'invalid_request',
      /^dryRun must/
    ],
    [
      'null for keepKey',
      '/rotate',
      '{"what":"log","keepKey":null}',
      'invalid_request',
      /^keepKey must/
    ],
    [
      'a strange role',
      '/draftRoot',
      '{"role":"mirrors"}',
      'invalid_request',
      /^role must be one of/
    ],
    [
      'keys that are no list',
      '/draftRoot',
      '{"publicKeysPem":"A"}',
      'invalid_request',
      /^publicKeysPem must be a list$/
    ],
    [
      'keys that are no texts',
      '/draftRoot',
      '{"publicKeysPem":[1]}',
      'invalid_request',
      /^publicKeysPem must be a text$/
    ],
    [
      'a threshold in words',
      '/draftRoot',
      '{"threshold":"2"}',
      'invalid_request',
      /^threshold must be a number$/
    ],
    [
      'no draft',
      '/publishRoot',
      '{"confirmation":"x"}',
      'invalid_request',
      /^draft must be a text$/
    ],
    [
      'no confirmation',
      '/publishRoot',
      '{"draft":"x"}',
      'invalid_request',
      /^confirmation must be a text$/
    ],
    [
      'a draft that is an object',
      '/publishTargets',
      '{"draft":{}}',
      'invalid_request',
      /^draft must/
    ]
  ]
  for (const [name, url, body, code, message] of cases) {
    t.match(await post(path, url, Buffer.from(body, 'latin1')), { error: { code, message } }, name)
  }
  t.match(await post(path, '/status', '{}', 'PUT'), { error: { code: 'invalid_request' } })
  t.match(await post(path, '/status', '', 'GET'), { error: { code: 'invalid_request' } })
  const long = JSON.stringify({ draft: 'x'.repeat(20 * 1024 * 1024) })
  t.match(await post(path, '/publishTargets', long), {
    error: { code: 'too_large', message: `a request has at most ${MAX_ADMIN_REQUEST_BYTES} bytes` }
  })
  t.strictSame(asked, [], 'nothing was done')
  t.strictSame(lines, [], 'and nothing is a mistake of the server')
  const most = { draft: 'x'.repeat(MAX_ADMIN_REQUEST_BYTES - 12) }
  t.equal(JSON.stringify(most).length, MAX_ADMIN_REQUEST_BYTES)
  t.strictSame(await post(path, '/publishTargets', JSON.stringify(most)), {
    result: { done: true }
  })
})

t.test('no HTTP, and half of it', async (t) => {
  const { path, lines } = await listen(t, recording([]))
  const garbage = connect(path)
  garbage.resume()
  garbage.end('\x00\x01\x02 hello\r\n\r\n')
  await new Promise((resolve) => garbage.on('close', resolve))
  const half = connect(path)
  half.on('error', () => undefined)
  half.write('POST /status HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{')
  await new Promise((resolve) => setTimeout(resolve, 20))
  half.destroy()
  t.strictSame(await (await connected(path)).status(), { done: true }, 'it goes on')
  t.strictSame(lines, [], 'nothing failed')
})

t.test('a stop waits for what is being done, and for nobody who only holds the line', async (t) => {
  let finish = (): void => undefined
  const work = new Promise<unknown>((resolve) => (finish = () => resolve('x'.repeat(2_000_000))))
  const { path, stop } = await listen(
    t,
    recording([], () => work)
  )
  const silent = connect(path)
  const half = connect(path)
  for (const socket of [silent, half]) socket.on('error', () => undefined)
  half.write('POST /status HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{')
  const answer = (await connected(path)).status()
  await new Promise((resolve) => setTimeout(resolve, 20))
  let stopped = false
  const stopping = stop().then(() => (stopped = true))
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.notOk(stopped, 'the operation goes on')
  half.end('x'.repeat(99)) // too late
  finish()
  t.equal(((await answer) as unknown as string).length, 2_000_000, 'and its answer is whole')
  await stopping
  t.equal(await connectAdministration(path), undefined)
  t.notOk(existsSync(path), 'the socket goes with the server')
})

t.test('what a dead server left', async (t) => {
  const path = join(tempFolder(t), 'admin.sock')
  t.equal(await connectAdministration(path), undefined, 'no socket')
  writeFileSync(path, '')
  t.equal(await connectAdministration(path), undefined, 'a file that nobody listens on')
  const { stop } = await listen(t, recording([]), path)
  t.strictSame(await (await connected(path)).status(), { done: true }, 'replaced')
  await stop()

  const other = join(tempFolder(t), 'admin.sock')
  mkdirSync(other)
  await t.rejects(listen(t, recording([]), other), 'a folder is nothing we made')
})

t.test('a path that no socket can have', async (t) => {
  const folder = join(tempFolder(t), 'x'.repeat(100))
  mkdirSync(folder)
  const path = join(folder, 'admin.sock')
  const { lines, stop } = await listen(t, recording([]), path)
  t.match(lines, [{ level: 40, path, msg: /too long: commands need a stopped server/ }])
  t.notOk(existsSync(path))
  t.equal(await connectAdministration(path), undefined)
  await stop()
})

t.test('a server that is gone in the middle', async (t) => {
  const path = join(tempFolder(t), 'admin.sock')
  const server = createServer((socket) => socket.on('data', () => socket.destroy()))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  await t.rejects((await connected(path)).status(), {
    code: 'upstream',
    message: /the server is gone/
  })
})
