import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createRemoteCtLog } from '../../src/ca/remote-ct-log.js'
import { encodePem } from '../../src/encoding/pem.js'
import { renderSctJson } from '../../src/x509/sct-json.js'
import {
  basicConstraints,
  certificate,
  general,
  name,
  subjectAltName
} from '../helpers/certificates.js'
import { ctApp, createTestAuthority, openTestCt } from '../helpers/ct-log.js'
import { refusalText } from '../helpers/refusals.js'
import type { Teardown } from '../helpers/test-log.js'

type Handler = (request: IncomingMessage, response: ServerResponse, attempt: number) => void

/** A log that answers as it is told. */
async function fakeLog(t: Teardown, handle: Handler) {
  let attempts = 0
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => handle(request, response, ++attempts))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, attempts: () => attempts }
}

const sct = {
  logId: new Uint8Array(32).fill(1),
  timestampMs: 5,
  extensions: new Uint8Array(0),
  signature: { algorithm: 'ecdsa', signature: Uint8Array.of(1, 2) }
} as const

const submitTo = (url: string, timeoutMs = 30_000) =>
  createRemoteCtLog({ url, certificateAuthority: '', timeoutMs })('precertificate', [
    Uint8Array.of(1)
  ])

t.test('our own log, from the other side of a socket', async (t) => {
  const authority = await createTestAuthority()
  const log = await openTestCt(t, { roots: () => [authority.root.der] })
  const { app } = await ctApp(log.ct)
  t.teardown(() => app.close())
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const submit = createRemoteCtLog({ url: `${address}/`, certificateAuthority: '' })
  const precertificate = [await authority.issue('precertificate'), ...authority.chain]
  t.same(
    await submit('precertificate', precertificate),
    await log.ct.submit('precertificate', precertificate)
  )
  const certificate = [await authority.issue('certificate'), ...authority.chain]
  t.same(await submit('certificate', certificate), await log.ct.submit('certificate', certificate))
  t.match(
    await refusalText(() => submit('certificate', precertificate)),
    /^upstream: .*add-chain answered 400$/
  )
})

t.test('a log that is busy is asked again', async (t) => {
  const log = await fakeLog(t, (_request, response, attempt) => {
    if (attempt === 1) response.writeHead(503, { 'retry-after': '0' }).end()
    else if (attempt === 2) response.writeHead(429).end('later')
    else if (attempt === 3) response.destroy()
    else response.end(JSON.stringify(renderSctJson(sct)))
  })
  t.strictSame(await submitTo(log.url), sct)
  t.equal(log.attempts(), 4)
})

/** Asked again, and not in a hurry: half a second between attempts gives four in 1.9 s, fewer where the machine is busy. */
const isPatient = (attempts: number): boolean => attempts >= 2 && attempts <= 4

t.test('until the time is over', async (t) => {
  const busy = await fakeLog(t, (_request, response) => response.writeHead(503).end())
  t.match(
    await refusalText(() => submitTo(busy.url, 1900)),
    /^timeout: .*: answered 503, within 1900 ms$/
  )
  t.ok(isPatient(busy.attempts()), `${busy.attempts()} attempts`)
  // The last is more milliseconds than a timer can count.
  for (const seconds of ['9', '9999999', '9007199254740991']) {
    const patient = await fakeLog(t, (_request, response) =>
      response.writeHead(503, { 'retry-after': seconds }).end()
    )
    const startedMs = performance.now()
    t.match(await refusalText(() => submitTo(patient.url, 8000)), /^timeout: .*answered 503/)
    t.equal(patient.attempts(), 1, `${seconds}: not before it asked for`)
    t.ok(performance.now() - startedMs < 6000, `${seconds}: no waiting in vain`)
  }
  for (const text of ['-1', 'soon', 'Sat, 21 Nov 2026 06:00:00 GMT']) {
    const odd = await fakeLog(t, (_request, response) =>
      response.writeHead(429, { 'retry-after': text }).end()
    )
    t.match(await refusalText(() => submitTo(odd.url, 1900)), /^timeout: .*answered 429/)
    t.ok(isPatient(odd.attempts()), `${text}: the usual pause (${odd.attempts()} attempts)`)
  }
  const silent = await fakeLog(t, () => undefined)
  t.match(
    await refusalText(() => submitTo(silent.url, 300)),
    /^timeout: .*: no answer, within 300 ms$/
  )
  const stuck = await fakeLog(t, (_request, response) => response.writeHead(200).write('{'))
  t.match(await refusalText(() => submitTo(stuck.url, 300)), /^timeout: /)
  t.match(await refusalText(() => submitTo('http://127.0.0.1:9', 3000)), /^timeout: .*ECONNREFUSED/)
})

t.test('a connection that breaks off in the middle of the answer', async (t) => {
  const log = await fakeLog(t, (_request, response, attempt) => {
    const text = JSON.stringify(renderSctJson(sct))
    if (attempt > 1) {
      response.end(text)
      return
    }
    response.writeHead(200, { 'content-length': text.length })
    response.write(text.slice(0, 9), () => response.destroy())
  })
  t.strictSame(await submitTo(log.url), sct)
  t.equal(log.attempts(), 2)
})

t.test('TLS', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = name('test log')
  const pem = encodePem(
    'CERTIFICATE',
    certificate({
      key: publicKey,
      signer: privateKey,
      subject,
      issuer: subject,
      extensions: [basicConstraints(true), subjectAltName([general.ip(127, 0, 0, 1)])]
    })
  )
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const server = createTlsServer({ key, cert: pem }, (request, response) => {
    request.resume()
    response.end(JSON.stringify(renderSctJson(sct)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const submit = (certificateAuthority: string, timeoutMs: number) =>
    createRemoteCtLog({ url, certificateAuthority, timeoutMs })('certificate', [])
  t.strictSame(await submit(pem, 30_000), sct)
  // Asked again until the time is over, so only as long as a busy machine may need for one try.
  t.match(await refusalText(() => submit('', 3000)), /^timeout: .*self-signed certificate/)
})

t.test('answers that are no timestamp', async (t) => {
  const cases: [name: string, handle: Handler, message: RegExp][] = [
    ['refused', (_request, response) => response.writeHead(400).end('x'), /answered 400$/],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
      /answered 302$/
    ],
    [
      'no JSON',
      (_request, response) => response.end('<html>'),
      /answered no timestamp: not valid JSON/
    ],
    [
      'another version',
      (_request, response) =>
        response.end(JSON.stringify({ ...renderSctJson(sct), sct_version: 1 })),
      /answered no timestamp/
    ],
    [
      'without end',
      (_request, response) => response.end('x'.repeat(70_000)),
      /answered more than 65536 bytes/
    ]
  ]
  for (const [name, handle, message] of cases) {
    const log = await fakeLog(t, handle)
    const text = await refusalText(() => submitTo(log.url))
    t.match(text, /^upstream: /, name)
    t.match(text, message, name)
    t.equal(log.attempts(), 1, `${name}: once`)
  }
})
