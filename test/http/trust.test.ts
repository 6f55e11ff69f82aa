import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { loadTrustContract } from '../../src/http/contract.js'
import type { ApiRequest } from '../../src/metrics.js'
import { sha256, stubContent, trustApp } from '../helpers/trust-app.js'

const NO_CACHE = 'no-cache'
const FOREVER = 'public, max-age=31536000, immutable'
const HASH = 'ab'.repeat(32)

/** A repository with a secret beside it, and every path it was asked for. */
const asked: string[] = []
const repository = new Map(
  Object.entries({
    'root.json': { text: '{"version":2}\n', isImmutable: false },
    '1.root.json': { text: '{"version":1}\n', isImmutable: true },
    'timestamp.json': { text: '{"version":71}\n', isImmutable: false },
    [`targets/${HASH}.trusted_root.json`]: { text: '{"tlogs":[]}\n', isImmutable: true },
    [`targets/${HASH}.rekor.pub`]: { text: 'a key\n', isImmutable: true }
  })
)
const { app, inject } = await trustApp({
  tufFile: (path) => {
    asked.push(path)
    const found = repository.get(path)
    return found && { bytes: Buffer.from(found.text), isImmutable: found.isImmutable }
  }
})

t.test('every operation of the document has a route', async (t) => {
  const { operations } = loadTrustContract()
  t.equal(operations.length, 12)
  for (const { method, path } of operations)
    t.ok(app.hasRoute({ method: method as 'GET', url: path.replace(/\{(\w+)\}/g, ':$1') }), path)
})

t.test('files of the repository', async (t) => {
  for (const [path, { text, isImmutable }] of repository) {
    const mediaType = path.endsWith('.json') ? 'application/json' : 'application/octet-stream'
    const expected = {
      'content-type': mediaType,
      'cache-control': isImmutable ? FOREVER : NO_CACHE,
      etag: `"${sha256(text)}"`,
      'content-length': String(text.length)
    }
    const got = await inject({ url: `/tuf/${path}` })
    t.match(got, { status: 200, text, headers: expected }, path)
    const head = await inject({ method: 'HEAD', url: `/tuf/${path}` })
    t.match(head, { status: 200, text: '', headers: expected }, `HEAD ${path}`)
  }
  for (const url of [
    '/tuf//timestamp.json',
    '//tuf/timestamp.json',
    '/tuf/timestamp.json/',
    '/tuf/timestamp%2ejson'
  ]) {
    t.match(await inject({ url }), { status: 200, text: '{"version":71}\n' }, url)
  }
  t.match(await inject({ url: `/tuf//targets/${HASH}.rekor.pub` }), { status: 200 })
})

t.test('what is not there is a 404 with its name', async (t) => {
  for (const path of [
    '3.root.json',
    `targets/${HASH}.other`,
    'targets',
    'a.b/c',
    'targets/a/b',
    ''
  ]) {
    const url = `/tuf/${path}`
    for (const method of ['GET', 'HEAD']) {
      const { status, json, headers } = await inject({ method, url })
      t.equal(status, 404, url)
      t.equal(headers['content-type'], 'application/json')
      t.equal(headers.etag, undefined, 'nothing to be kept')
      t.equal(headers['cache-control'], undefined)
      if (method === 'GET') t.match(json, { code: 404, message: /^path .+ was not found$/ })
    }
  }
})

t.test('names of no file are looked up nowhere', async (t) => {
  asked.length = 0
  const names = [
    '..%2froot.json',
    '..%2f..%2fetc%2fpasswd',
    '%2e%2e%2f%2e%2e%2fkeys%2flog.key',
    '%2Fetc%2Fpasswd',
    'targets%2f..%2froot.json',
    '..%5croot.json',
    'root.json%00',
    'root.json%00.html',
    'root.json%0d%0aset-cookie:a=b',
    'root%20json',
    '~root',
    'C:root.json',
    'r%C3%B6%C3%B6t.json',
    'root.json;a=b',
    '*',
    'a'.repeat(256),
    'a'.repeat(3000)
  ]
  for (const name of names) {
    for (const base of ['/tuf', '/tuf/targets', '/bootstrap']) {
      const { status, json } = await inject({ url: `${base}/${name}` })
      t.equal(status, 404, `${base}/${name.slice(0, 60)}`)
      t.match(json, { code: 404 })
      t.ok((json as { message: string }).message.length < 200, 'no echo without bound')
    }
  }
  t.strictSame(asked, [])
})

t.test('paths that are none', async (t) => {
  for (const url of [
    '/tuf/%',
    '/tuf/%zz',
    '/tuf/%c0%ae%c0%ae/a',
    '/tuf/targets/%ff',
    '/bootstrap/%e0%80'
  ]) {
    t.match(await inject({ url }), { status: 400, json: { code: 400 } }, url)
  }
  for (const url of [
    `/tuf/${'a'.repeat(5000)}`,
    `/bootstrap/${'a'.repeat(5000)}`,
    `/tuf${'/a'.repeat(5000)}`,
    '/tufa',
    '/bootstrap.xml'
  ]) {
    const { statusCode } = await app.inject({ url })
    t.ok(statusCode === 404 || statusCode === 414, `${url.slice(0, 40)} ${statusCode}`)
  }
})

t.test('over a socket, where nothing tidies a path up before', async (t) => {
  const looked: string[] = []
  const { app: own } = await trustApp({
    tufFile: (path) => {
      looked.push(path)
      return path === 'root.json' ? { bytes: Buffer.from('{}\n'), isImmutable: false } : undefined
    }
  })
  await own.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => own.close())
  const { port } = own.server.address() as AddressInfo
  const ask = (method: string, path: string) =>
    new Promise<{ status: number; length: unknown; body: string }>((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, method, path }, (answer) => {
        const { statusCode = 0, headers } = answer
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (text: string) => (body += text))
        answer.on('end', () => {
          resolve({ status: statusCode, length: headers['content-length'], body })
        })
      })
        .on('error', reject)
        .end()
    })
  t.same(await ask('GET', '/tuf/root.json'), { status: 200, length: '3', body: '{}\n' })
  t.same(await ask('HEAD', '/tuf/root.json'), { status: 200, length: '3', body: '' })
  t.strictSame(looked.splice(0), ['root.json', 'root.json'])
  for (const path of [
    '/tuf/..',
    '/tuf/.',
    '/tuf/%2e%2e',
    '/tuf/%2e',
    '/tuf/.%2E/root.json',
    '/tuf/%2e%2e/root.json',
    '/tuf/%2e%2e%2froot.json',
    '/tuf/%252e%252e%252froot.json',
    '/tuf/../root.json',
    '/tuf/../../../etc/passwd',
    '/tuf/./root.json',
    '/tuf/targets/../root.json',
    '/tuf/targets/%2e%2e',
    '/tuf/targets/%2e%2e/root.json',
    '/tuf/targets/..%2froot.json',
    '/tuf\\root.json',
    '/tuf/..\\root.json',
    '/bootstrap/%2e%2e',
    '/bootstrap/..'
  ]) {
    const { status } = await ask('GET', path)
    t.equal(status, 404, path)
  }
  t.strictSame(looked, [])
})

t.test('wrong methods', async (t) => {
  for (const url of [
    '/tuf/root.json',
    `/tuf/targets/${HASH}.rekor.pub`,
    '/bootstrap',
    '/bootstrap.zip',
    '/bootstrap/root.json'
  ]) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await inject({ method, url })
      t.match(answer, { status: 405, headers: { allow: 'GET,HEAD' } }, `${method} ${url}`)
    }
  }
})

t.test('conditional requests', async (t) => {
  const url = '/tuf/timestamp.json'
  const tag = `"${sha256('{"version":71}\n')}"`
  const other = `"${'0'.repeat(64)}"`
  for (const [header, status] of [
    [tag, 304],
    [`W/${tag}`, 304],
    ['*', 304],
    [`${other}, ${tag}`, 304],
    [`${other},W/${tag} , "x"`, 304],
    [other, 200],
    [tag.slice(1, -1), 200],
    [tag.toUpperCase(), 200],
    ['', 200],
    [',,,', 200],
    [`w/${tag}`, 200],
    [`"${'a,'.repeat(5000)}"`, 200]
  ] as const) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await inject({ method, url, headers: { 'if-none-match': header } })
      t.equal(answer.status, status, `${method} ${header.slice(0, 80)}`)
      if (status === 200) continue
      t.match(answer, { text: '', headers: { etag: tag, 'cache-control': NO_CACHE } })
      t.equal(answer.headers['content-type'], undefined)
    }
  }
  for (const path of ['/bootstrap', '/bootstrap.json', '/bootstrap.zip', '/bootstrap/root.json']) {
    const { headers } = await inject({ url: path })
    const again = await inject({ url: path, headers: { 'if-none-match': String(headers.etag) } })
    t.match(again, { status: 304, text: '' }, path)
  }
  const missing = await inject({ url: '/tuf/9.root.json', headers: { 'if-none-match': '*' } })
  t.equal(missing.status, 404)
})

t.test('other origins may read everything', async (t) => {
  for (const url of ['/tuf/root.json', '/tuf/9.root.json', '/bootstrap', '/bootstrap/root.json']) {
    const { headers } = await inject({ url, headers: { origin: 'https://other.example' } })
    t.match(headers, { 'access-control-allow-origin': '*', vary: /^Origin/ }, url)
  }
  const tag = `"${sha256('{"version":2}\n')}"`
  const { status, headers } = await inject({
    url: '/tuf/root.json',
    headers: { origin: 'https://other.example', 'if-none-match': tag }
  })
  t.match({ status, headers }, { status: 304, headers: { 'access-control-allow-origin': '*' } })
})

t.test('page or JSON', async (t) => {
  const html = 'text/html; charset=utf-8'
  const json = 'application/json'
  for (const [accept, mediaType] of [
    [undefined, html],
    ['*/*', html],
    ['', html],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', html],
    ['text/*', html],
    ['application/json', json],
    ['APPLICATION/JSON', json],
    ['application/json;charset=utf-8', json],
    ['application/json, text/plain, */*', html],
    ['application/json, */*;q=0.5', json],
    ['application/json, text/html', html],
    ['text/html;q=0.5, application/json', json],
    ['text/html;q=0.5, application/json;q=0.4', html],
    ['text/html;q=0, */*', json],
    ['*/*;q=0.1, text/html;q=0.05', json],
    ['application/*', json],
    ['application/json;q=nonsense', json]
  ] as const) {
    const headers: Record<string, string> = accept === undefined ? {} : { accept }
    for (const method of ['GET', 'HEAD']) {
      const answer = await inject({ method, url: '/bootstrap', headers })
      t.match(answer, { status: 200, headers: { 'content-type': mediaType } }, accept ?? 'nothing')
      t.equal(answer.headers.vary, 'Origin, Accept')
      t.equal('content-security-policy' in answer.headers, mediaType === html)
    }
  }
  for (const accept of ['image/png', 'application/xml', 'text/html;q=0, application/json;q=0.0']) {
    const answer = await inject({ url: '/bootstrap', headers: { accept } })
    t.match(answer, {
      status: 406,
      json: { code: 406, message: /only \[text\/html application\/json\]/ }
    })
  }
  const always = await inject({ url: '/bootstrap.json', headers: { accept: 'text/html' } })
  t.match(always, { status: 200, headers: { 'content-type': json } })
  t.match(always.json, {
    publicUrl: 'https://log.example',
    tuf: {
      rootUrl: 'https://log.example/bootstrap/root.json',
      roles: [{ role: 'root', version: 2, expires: '2030-03-17T17:46:40Z' }, {}]
    },
    archiveUrl: 'https://log.example/bootstrap.zip'
  })
  const asJson = await inject({ url: '/bootstrap', headers: { accept: json } })
  t.equal(asJson.text, always.text)
})

t.test('each file, as the list has it', async (t) => {
  const { json } = await inject({ url: '/bootstrap.json' })
  const { files } = json as {
    files: { name: string; url: string; mediaType: string; sha256: string; size: number }[]
  }
  t.equal(files.length, stubContent().files.length)
  for (const { name, url, mediaType, sha256: hash, size } of files) {
    t.equal(url, `https://log.example/bootstrap/${name}`)
    const answer = await inject({ url: `/bootstrap/${name}` })
    t.match(answer, {
      status: 200,
      headers: { 'content-type': mediaType, 'cache-control': NO_CACHE, etag: `"${hash}"` }
    })
    t.equal(sha256(answer.text), hash)
    t.equal(answer.text.length, size)
  }
  t.match(await inject({ url: '/bootstrap/SHA256SUMS' }), {
    status: 404,
    json: { message: 'path "/bootstrap/SHA256SUMS" was not found' }
  })
})

t.test('the archive unpacks and its sums are right', async (t) => {
  const answer = await app.inject({ url: '/bootstrap.zip' })
  t.match(answer.headers, {
    'content-type': 'application/zip',
    'content-disposition': 'attachment; filename="bootstrap.zip"'
  })
  const dir = t.testdir()
  writeFileSync(`${dir}/bootstrap.zip`, answer.rawPayload)
  execFileSync('unzip', ['-q', 'bootstrap.zip'], { cwd: dir })
  const checked = execFileSync('sha256sum', ['--strict', '-c', 'SHA256SUMS'], {
    cwd: dir
  }).toString()
  t.equal(checked.match(/: OK$/gm)?.length, 8)
})

t.test('what is made of a content is made once, and anew when it changes', async (t) => {
  let content = stubContent()
  let rendered = 0
  const { app: own } = await trustApp({
    bootstrap: () => content,
    renderPage: () => `<!doctype html>\n${++rendered}`
  })
  const tagOf = async (url: string) => (await own.inject({ url })).headers.etag
  const first = [
    await tagOf('/bootstrap'),
    await tagOf('/bootstrap.json'),
    await tagOf('/bootstrap.zip')
  ]
  t.same(
    [await tagOf('/bootstrap'), await tagOf('/bootstrap.json'), await tagOf('/bootstrap.zip')],
    first
  )
  t.equal(rendered, 1)
  content = stubContent({
    clients: [{ id: 'x', title: 'x', note: '', lines: 'x\n', documents: [] }]
  })
  for (const [i, url] of ['/bootstrap', '/bootstrap.json', '/bootstrap.zip'].entries()) {
    t.not(await tagOf(url), first[i], url)
  }
})

t.test('failures of ours say nothing of themselves', async (t) => {
  const fail = (): never => {
    throw new Error('secret')
  }
  const { inject: ask } = await trustApp({ tufFile: fail, bootstrap: fail })
  for (const url of [
    '/tuf/root.json',
    '/tuf/targets/a',
    '/bootstrap',
    '/bootstrap.json',
    '/bootstrap.zip',
    '/bootstrap/a'
  ]) {
    const answer = await ask({ url })
    t.equal(answer.status, 500, url)
    t.notMatch(answer.text, /secret/)
  }
})

t.test('requests are told of under their template', async (t) => {
  const told: ApiRequest[] = []
  const { app: own } = await trustApp({ onRequestDone: (request) => told.push(request) })
  await own.inject({ url: '/tuf/1.root.json' })
  await own.inject({ url: '/tuf/targets/a' })
  await own.inject({ method: 'HEAD', url: '/bootstrap' })
  t.match(told, [
    { path: '/tuf/:file', method: 'GET', code: 404 },
    { path: '/tuf/targets/:file', method: 'GET', code: 404 },
    { path: '/bootstrap', method: 'HEAD', code: 200 }
  ])
})
