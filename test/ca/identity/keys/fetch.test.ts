import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createFetch } from '../../../../src/ca/identity/keys/fetch.js'
import { encodePem } from '../../../../src/encoding/pem.js'
import { decodeUtf8 } from '../../../../src/encoding/text.js'
import {
  basicConstraints,
  certificate,
  general,
  name,
  subjectAltName
} from '../../../helpers/certificates.js'
import { refusalText } from '../../../helpers/refusals.js'

const fetchBytes = createFetch()
const options = { maximumBytes: 1000, timeoutMs: 5000, certificateAuthority: '' }
const get = async (address: string, changes: object = {}): Promise<string> =>
  decodeUtf8(await fetchBytes(address, { ...options, ...changes }))

type Answers = Readonly<Record<string, (response: ServerResponse) => void>>

/** Address of a server that lives as long as the test. */
async function serve(t: Test, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function listener(answers: Answers): RequestListener {
  return (request, response) => {
    const answer = answers[request.url ?? '']
    if (answer === undefined) response.writeHead(404).end()
    else answer(response)
  }
}

const redirectTo = (location: string, status = 302) => {
  return (response: ServerResponse) => void response.writeHead(status, { location }).end()
}

t.test('an answer', async (t) => {
  const seen: unknown[] = []
  const server = createServer((request, response) => {
    seen.push([request.method, request.url, request.headers])
    response.end('{}')
  })
  const host = await serve(t, server)
  t.equal(await get(`http://${host}/a?b`), '{}')
  t.same(seen, [
    [
      'GET',
      '/a?b',
      { accept: 'application/json', 'accept-encoding': 'identity', connection: 'close', host }
    ]
  ])
})

t.test('answers that are refused', async (t) => {
  const host = await serve(
    t,
    createServer(
      listener({
        '/error': (response) => void response.writeHead(500).end('{}'),
        '/created': (response) => void response.writeHead(201).end('{}'),
        '/long': (response) => void response.end('x'.repeat(1001)),
        '/full': (response) => void response.end('x'.repeat(1000)),
        '/endless': (response) => {
          const more = (): void => void response.write('x'.repeat(10_000), more)
          response.on('error', () => {})
          more()
        },
        '/packed': (response) => {
          response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
        },
        '/cut': (response) => {
          response.writeHead(200, { 'content-length': '100' })
          response.write('x', () => response.destroy())
        }
      })
    )
  )
  const at = (path: string): string => `http://${host}${path}`
  const reason = (path: string) => refusalText(() => get(at(path)))
  t.equal(await reason('/absent'), `upstream: ${at('/absent')} answered 404`)
  t.equal(await reason('/error'), `upstream: ${at('/error')} answered 500`)
  t.equal(await reason('/created'), `upstream: ${at('/created')} answered 201`)
  t.equal(await reason('/long'), `upstream: ${at('/long')} answered more than 1000 bytes`)
  t.equal(await reason('/endless'), `upstream: ${at('/endless')} answered more than 1000 bytes`)
  t.equal((await get(at('/full'))).length, 1000)
  t.equal(await reason('/packed'), `upstream: ${at('/packed')} answered in content encoding gzip`)
  t.match(await reason('/cut'), /^upstream: http.*\/cut: /)
})

t.test('redirects', async (t) => {
  const other = await serve(
    t,
    createServer((_, response) => void response.end('other'))
  )
  const host = await serve(
    t,
    createServer(
      listener({
        '/same': redirectTo('/end'),
        '/permanent': redirectTo('end', 308),
        '/other': redirectTo(`http://${other}/end`),
        '/name': redirectTo('//localhost/end'),
        '/user': (response) => redirectTo(`http://a:b@${host}/end`)(response),
        '/file': redirectTo('file:///etc/passwd'),
        '/loop': redirectTo('/loop'),
        '/nowhere': (response) => void response.writeHead(302).end(),
        '/end': (response) => void response.end('end')
      })
    )
  )
  const at = (path: string): string => `http://${host}${path}`
  const reason = (path: string) => refusalText(() => get(at(path)))
  t.equal(await get(at('/same')), 'end')
  t.equal(await get(at('/permanent')), 'end')
  t.equal(await reason('/other'), `upstream: ${at('/other')}: redirect to http://${other} blocked`)
  t.equal(await reason('/name'), `upstream: ${at('/name')}: redirect to http://localhost blocked`)
  t.equal(await reason('/user'), `upstream: http://${host}: address with user information`)
  t.equal(await reason('/file'), 'upstream: file:///etc/passwd is not an http or https URL')
  t.equal(await reason('/loop'), `upstream: ${at('/loop')}: more than 3 redirects`)
  t.equal(await reason('/nowhere'), `upstream: ${at('/nowhere')} answered 302`)
})

t.test('one deadline for everything', async (t) => {
  const host = await serve(
    t,
    createServer(
      listener({
        '/silent': () => {},
        '/slow': (response) => void response.write('x')
      })
    )
  )
  for (const path of ['/silent', '/slow']) {
    t.equal(
      await refusalText(() => get(`http://${host}${path}`, { timeoutMs: 200 })),
      `timeout: http://${host}${path} did not answer within 200 ms`
    )
  }
})

t.test('addresses that are none', async (t) => {
  t.equal(await refusalText(() => get('x')), 'upstream: x is not an http or https URL')
  t.equal(
    await refusalText(() => get('ftp://a/')),
    'upstream: ftp://a/ is not an http or https URL'
  )
  t.equal(
    await refusalText(() => get('http://user:secret@a/')),
    'upstream: http://a: address with user information'
  )
  t.match(await refusalText(() => get('http://127.0.0.1:1/')), /^upstream: .*ECONNREFUSED/)
})

t.test('TLS', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = name('test issuer')
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
  const answers: Answers = {
    '/end': (response) => void response.end('end'),
    '/plain': (response) => redirectTo(`http://${host}/end`)(response)
  }
  const host = await serve(t, createTlsServer({ key, cert: pem }, listener(answers)))
  const trusted = { certificateAuthority: pem }
  t.equal(await get(`https://${host}/end`, trusted), 'end')
  t.match(
    await refusalText(() => get(`https://${host}/end`)),
    /^upstream: .*self-signed certificate/
  )
  t.equal(
    await refusalText(() => get(`https://${host}/plain`, trusted)),
    `upstream: https://${host}/plain: redirect to http://${host} blocked`
  )
  const wrongName = host.replace('127.0.0.1', 'localhost')
  t.match(
    await refusalText(() => get(`https://${wrongName}/end`, trusted)),
    /^upstream: .*altnames/
  )

  const old = await serve(
    t,
    createTlsServer(
      { key, cert: pem, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
      listener(answers)
    )
  )
  // A client that takes old versions gets an answer from this one, so that it is the version that is refused.
  const status = await new Promise((resolve, reject) => {
    const lenient = {
      ca: pem,
      agent: false,
      minVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0'
    } as const
    request(`https://${old}/end`, lenient, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end()
  })
  t.equal(status, 200)
  t.match(
    await refusalText(() => get(`https://${old}/end`, trusted)),
    /^upstream: .*(?:protocol|version)/i
  )
})
