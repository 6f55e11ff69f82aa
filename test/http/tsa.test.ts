import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { encodeInteger, encodeNull, parseDer } from '../../src/encoding/der.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { LogError } from '../../src/errors.js'
import { loadTsaContract } from '../../src/http/contract.js'
import type { ApiRequest } from '../../src/metrics.js'
import type { Certificate } from '../../src/x509/certificate.js'
import { parseCertificateChainPem } from '../../src/x509/issuing-chain.js'
import type { TimestampRequest } from '../../src/x509/timestamp-request.js'
import { encodeTimestampRequest } from '../../src/x509/timestamp-request.js'
import { parseTimestampResponse } from '../../src/x509/timestamp-response.js'
import { verifyTimestampResponse } from '../../src/x509/timestamp-verification.js'
import { extension } from '../helpers/certificates.js'
import { fromBase64 } from '../helpers/ct-vectors.js'
import { createOwnAuthority, DEFAULT_POLICY, tsaApp } from '../helpers/tsa-service.js'
import { ownChain, tsaVector } from '../helpers/tsa-vectors.js'

const URL = '/api/v1/timestamp'
const QUERY = 'application/timestamp-query'
const DATA = fromBase64(tsaVector.artifactB64)
const CHAIN = ownChain as readonly [Certificate, ...Certificate[]] // two, as the vectors have it

const DIGEST = 'RVwuOsCpduH4joDkJ+UcmHnvGljfwMCC8CFay2VJQeM='
const BARE: TimestampRequest = {
  imprint: { hash: 'sha256', digest: fromBase64(DIGEST) },
  policyOid: undefined,
  nonce: undefined,
  wantsCertificates: false,
  extensions: []
}
const EXTENSION = extension('1.2.3.4', encodeNull())

const { app, inject } = await tsaApp(await createOwnAuthority())

/** Sends bytes as DER, text as JSON. */
const post = (
  body: string | Uint8Array,
  contentType = typeof body === 'string' ? 'application/json' : QUERY
) => inject({ method: 'POST', url: URL, headers: { 'content-type': contentType }, body })

const refusal = (status: number, message: string, code = status) => ({
  status,
  json: { code, message }
})

/** The answer as bytes: the checked one has been through a decoder for text. */
async function timestamp(body: string | Uint8Array, contentType: string): Promise<Uint8Array> {
  const { statusCode, rawPayload } = await app.inject({
    method: 'POST',
    url: URL,
    headers: { 'content-type': contentType },
    payload: Buffer.from(body)
  })
  if (statusCode !== 200) throw new Error(`${statusCode} ${rawPayload.toString()}`)
  return Uint8Array.from(rawPayload)
}

t.test('every operation of the document has a route', (t) => {
  t.equal(loadTsaContract().operations.length, 2)
  t.end()
})

t.test('requests of clients', async (t) => {
  t.equal(tsaVector.requests.length, 23)
  for (const { name, contentType, requestB64 = '', requestText, expect } of tsaVector.requests) {
    const body = requestText ?? fromBase64(requestB64)
    const answer = await post(body, contentType)
    t.equal(answer.status, expect.status, name)
    if (expect.body !== undefined) t.match(answer.json, expect.body, name)
    if (expect.status !== 200) continue
    t.equal(answer.headers['content-type'], expect.contentType)
    const response = await timestamp(body, contentType)
    const { nonce, policyOid, imprint } = await verifyTimestampResponse(response, {
      data: DATA,
      chain: CHAIN
    })
    t.equal(policyOid, expect.policy)
    t.equal(imprint.hash, expect.hash)
    const nonceHex = nonce === undefined ? undefined : encodeHex(nonce).replace(/^0+/, '')
    t.equal(nonceHex, expect.nonceHex, 'nonce')
    const { certificates } = parseTimestampResponse(response)
    if (expect.embedsCertificates !== undefined) {
      t.equal(certificates.length, expect.embedsCertificates ? 1 : 0)
    }
  }
})

t.test('media types', async (t) => {
  const der = encodeTimestampRequest(BARE)
  for (const type of [
    QUERY,
    `${QUERY}; charset=binary`,
    'Application/Timestamp-Query',
    `${QUERY} ;a="application/json"`
  ]) {
    t.equal((await post(der, type)).status, 200, type)
  }
  const json = JSON.stringify({ artifactHash: DIGEST, hashAlgorithm: 'sha256' })
  for (const type of ['application/json', 'application/json;charset=utf-8', 'APPLICATION/JSON']) {
    t.equal((await post(json, type)).status, 200, type)
  }
  for (const type of [
    'text/plain',
    'application/octet-stream',
    'application/jsonp',
    'text/plain; application/json',
    'text/application/json',
    `${QUERY}s`,
    `${QUERY}, application/json`,
    'application/timestamp-reply',
    '*/*',
    ';'
  ]) {
    const answer = await post(der, type)
    t.match(
      answer,
      { status: 415, json: { code: 415, message: /^unsupported media type "/ } },
      type
    )
  }
  const none = await app.inject({ method: 'POST', url: URL, payload: Buffer.from(der) })
  t.match(
    [none.statusCode, none.json()],
    [
      415,
      {
        code: 415,
        message:
          'unsupported media type "application/octet-stream", only [application/timestamp-query application/json] are allowed'
      }
    ]
  )
  t.match(
    await post(json, QUERY),
    refusal(400, 'Error generating timestamp response'),
    'JSON under the type of DER'
  )
})

t.test('an empty body comes before its type', async (t) => {
  for (const type of [QUERY, 'application/json', 'text/plain']) {
    t.match(await post('', type), refusal(422, 'request in body is required', 602), type)
  }
  const none = await inject({ method: 'POST', url: URL })
  t.match(none, refusal(422, 'request in body is required', 602))
})

t.test('what is wrong with a request', async (t) => {
  const general = 'Error generating timestamp response'
  const der = encodeTimestampRequest(BARE)
  const good = { artifactHash: DIGEST, hashAlgorithm: 'sha256' }
  const json = (change: object) => JSON.stringify({ ...good, ...change })
  const policyForm = 'OID should be comprised of at most 128 components'
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['trailing byte', Uint8Array.of(...der, 0), general],
    ['BER', Uint8Array.of(0x30, 0x80, ...der.subarray(2), 0, 0), general],
    ['one byte', Uint8Array.of(0x30), general],
    [
      'policy of another',
      encodeTimestampRequest({ ...BARE, policyOid: '1.2.3.4' }),
      'unaccepted policy: requested TSA policy is not supported by the TSA'
    ],
    [
      'extension',
      encodeTimestampRequest({ ...BARE, extensions: [EXTENSION] }),
      'unaccepted extension: requested extensions are not supported by the TSA'
    ],
    ['no JSON', '{', general],
    ['an array', '[]', general],
    ['null', 'null', general],
    ['nothing', '{}', general],
    ['blanks', '  ', general],
    ['no hash', json({ hashAlgorithm: undefined }), general],
    ['hash of a strange kind', json({ hashAlgorithm: 5 }), general],
    ['MD5', json({ hashAlgorithm: 'md5' }), general],
    ['name of a member every object has', json({ hashAlgorithm: 'constructor' }), general],
    ['no digest', json({ artifactHash: null }), general],
    ['empty digest', json({ artifactHash: '' }), general],
    ['digest in hex', json({ artifactHash: 'zz' }), general],
    ['digest without padding', json({ artifactHash: DIGEST.replace('=', '') }), general],
    ['digest in the alphabet of URLs', json({ artifactHash: DIGEST.replace('+', '-') }), general],
    ['text for certificates', json({ certificates: 'true' }), general],
    ['text for a nonce', json({ nonce: '5' }), general],
    ['fraction for a nonce', json({ nonce: 1.5 }), general],
    ['exponent for a nonce', `${json({}).slice(0, -1)},"nonce":1e3}`, general],
    ['list for a nonce', json({ nonce: [1] }), general],
    ['number for a policy', json({ tsaPolicyOID: 1.2 }), general],
    ['one component', json({ tsaPolicyOID: '1' }), policyForm],
    ['dots only', json({ tsaPolicyOID: '.'.repeat(800) }), policyForm],
    ['129 components', json({ tsaPolicyOID: `1${'.1'.repeat(128)}` }), policyForm],
    ['letters', json({ tsaPolicyOID: '1.2.a' }), policyForm],
    ['leading zero', json({ tsaPolicyOID: '1.2.03' }), policyForm],
    ['negative', json({ tsaPolicyOID: '1.2.-3' }), policyForm],
    ['first component 3', json({ tsaPolicyOID: '3.1' }), policyForm],
    ['second component 40', json({ tsaPolicyOID: '1.40' }), policyForm],
    ['component of 500 digits', json({ tsaPolicyOID: `1.2.${'9'.repeat(500)}` }), policyForm],
    [
      '128 components',
      json({ tsaPolicyOID: `1${'.1'.repeat(127)}` }),
      'unaccepted policy: requested TSA policy is not supported by the TSA'
    ],
    [
      'SHA-1 in capitals',
      json({ hashAlgorithm: 'SHA1' }),
      'Weak hash algorithm in timestamp request'
    ],
    [
      'digest of SHA-256 for SHA-512',
      json({ hashAlgorithm: 'sha512' }),
      'Message digest has incorrect length for specified algorithm'
    ],
    ['1025 bytes', json({}).padEnd(1025), 'timestamp request is too large'],
    [
      'a nonce of a kilobyte',
      json({}).replace('}', `,"nonce":${'9'.repeat(1024)}}`),
      'timestamp request is too large'
    ]
  ]
  for (const [name, body, message] of cases) {
    t.match(await post(body), refusal(400, message), name)
  }
  const latin1 = Buffer.from(json({ other: '\u00ff' }), 'latin1')
  t.match(await post(latin1, 'application/json'), refusal(400, general), 'not UTF-8')
})

t.test('nonces of any size come back as they were', async (t) => {
  const json = (nonce: string) =>
    `{"artifactHash":"${DIGEST}","hashAlgorithm":"sha256","nonce":${nonce}}`
  for (const nonce of [
    '0',
    '-0',
    '-1',
    '-128',
    '9007199254740993',
    `-${'8'.repeat(300)}`,
    '7'.repeat(900)
  ]) {
    const response = await timestamp(json(nonce), 'application/json')
    const found = await verifyTimestampResponse(response, { data: DATA, chain: CHAIN })
    t.same(found.nonce, parseDer(encodeInteger(BigInt(nonce))).content, nonce.slice(0, 30))
  }
  const last = await timestamp(json('1,"nonce":2'), 'application/json')
  t.same(
    (await verifyTimestampResponse(last, { data: DATA, chain: CHAIN })).nonce,
    Uint8Array.of(2)
  )
  const nulls = json('null,"certificates":null,"tsaPolicyOID":null,"more":{"nonce":5}')
  const bare = await timestamp(nulls, 'application/json')
  t.equal((await verifyTimestampResponse(bare, { data: DATA, chain: CHAIN })).nonce, undefined)
  const policy = await timestamp(json(`1,"tsaPolicyOID":"${DEFAULT_POLICY}"`), 'application/json')
  t.ok(await verifyTimestampResponse(policy, { data: DATA, chain: CHAIN }))

  const long = new Uint8Array(900_000).fill(0x55)
  const response = await timestamp(encodeTimestampRequest({ ...BARE, nonce: long }), QUERY)
  const found = await verifyTimestampResponse(response, { data: DATA, chain: CHAIN, nonce: long })
  t.equal(found.nonce?.length, 900_000)
})

t.test('bodies above the limit', async (t) => {
  const der = encodeTimestampRequest({ ...BARE, nonce: new Uint8Array(1 << 20).fill(1) })
  t.match(await post(der), refusal(400, 'timestamp request is too large'))
  const small = await tsaApp(await createOwnAuthority(), { maxRequestBodyBytes: 50 })
  const answer = await small.inject({
    method: 'POST',
    url: URL,
    headers: { 'content-type': QUERY },
    body: encodeTimestampRequest(BARE)
  })
  t.match(answer, refusal(400, 'timestamp request is too large'))
})

t.test('caching', async (t) => {
  const { headers } = await post(encodeTimestampRequest(BARE))
  t.match(headers, {
    'cache-control': 'no-cache, no-store, no-transform, must-revalidate, private, max-age=0',
    pragma: 'no-cache',
    expires: 'Thu, 01 Jan 1970 00:00:00 GMT'
  })
  const chain = await inject({ url: `${URL}/certchain` })
  t.equal(chain.status, 200)
  t.equal(chain.headers['content-type'], 'application/pem-certificate-chain')
  t.equal(chain.headers['cache-control'], 'max-age=86400, immutable')
  t.same(
    parseCertificateChainPem(chain.text).map(({ der }) => der),
    ownChain.map(({ der }) => der)
  )
})

t.test('other paths and methods', async (t) => {
  t.match(await inject({ url: URL }), refusal(405, 'method GET is not allowed, but [POST] are'))
  t.match(
    await inject({ method: 'POST', url: `${URL}/certchain`, body: '' }),
    refusal(405, 'method POST is not allowed, but [GET] are')
  )
  t.match(await inject({ url: `${URL}/other` }), refusal(404, `path ${URL}/other was not found`))
  const slashes = await inject({
    method: 'POST',
    url: '//api/v1//timestamp/',
    headers: { 'content-type': QUERY },
    body: encodeTimestampRequest(BARE)
  })
  t.equal(slashes.status, 200)
})

t.test('other origins', async (t) => {
  const answer = await inject({
    method: 'POST',
    url: URL,
    headers: { 'content-type': QUERY, origin: 'https://example.test' },
    body: encodeTimestampRequest(BARE)
  })
  t.equal(answer.headers['access-control-allow-origin'], '*')
})

t.test('failures that are ours', async (t) => {
  const failing = (err: Error) =>
    tsaApp({
      issue: async () => Promise.reject(err),
      chainPem: () => {
        throw err
      }
    })
  for (const [err, expected] of [
    [new LogError('internal', 'secret'), refusal(500, 'Error generating timestamp response')],
    [new LogError('integrity', 'secret'), refusal(500, 'Error generating timestamp response')],
    [new Error('secret'), refusal(500, 'Error generating timestamp response')],
    [new LogError('overloaded', 'come back'), refusal(503, 'come back')]
  ] as const) {
    const { inject: ask } = await failing(err)
    const answer = await ask({
      method: 'POST',
      url: URL,
      headers: { 'content-type': QUERY },
      body: encodeTimestampRequest(BARE)
    })
    t.match(answer, expected)
    t.notMatch(answer.text, /secret/)
    if (expected.status === 503) t.equal(answer.headers['retry-after'], '1')
  }
  const { inject: ask } = await failing(new Error('secret'))
  t.match(
    await ask({ url: `${URL}/certchain` }),
    refusal(500, 'Error generating timestamp response')
  )
})

t.test('201, for those who want it', async (t) => {
  const { inject: ask } = await tsaApp(await createOwnAuthority(), { successStatus: 201 })
  const answer = await ask({
    method: 'POST',
    url: URL,
    headers: { 'content-type': QUERY },
    body: encodeTimestampRequest(BARE)
  })
  t.equal(answer.status, 201)
})

t.test('requests are told when they are over, also those whose client has left', async (t) => {
  const told: ApiRequest[] = []
  let release = (): void => undefined
  const { promise: entered, resolve: enter } = promiseWithResolvers()
  const { app: slow, inject: ask } = await tsaApp(
    {
      chainPem: () => '',
      issue: () =>
        new Promise((resolve) => {
          release = () => {
            resolve(Uint8Array.of(0x30, 0))
          }
          enter()
        })
    },
    { onRequestDone: (request) => told.push(request) }
  )
  await ask({ method: 'POST', url: URL, headers: { 'content-type': 'text/plain' }, body: 'x' })
  t.match(told, [{ path: URL, method: 'POST', code: 415 }])

  await slow.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => slow.close())
  const { port } = slow.server.address() as AddressInfo
  const client = httpRequest({
    port,
    host: '127.0.0.1',
    path: URL,
    method: 'POST',
    headers: { 'content-type': QUERY }
  })
  client.on('error', () => undefined) // it is we who leave
  client.end(encodeTimestampRequest(BARE))
  await entered
  client.destroy()
  while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  release()
  t.match(told[1], { path: URL, method: 'POST', code: 499 })
  t.ok((told[1]?.seconds ?? -1) >= 0)
})

function promiseWithResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

t.test('an OID of megabytes costs nothing', async (t) => {
  const startedMs = performance.now()
  const arcs = new Uint8Array(1_000_000).fill(1)
  const head = encodeTimestampRequest(BARE)
  const fields = parseDer(head).children.map(({ encoded }) => Buffer.from(encoded))
  const oid = Buffer.concat([Buffer.from([0x06, 0x83, 0x0f, 0x42, 0x40]), arcs])
  const content = Buffer.concat([...fields, oid])
  const length = content.length
  const body = Buffer.concat([
    Buffer.from([0x30, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]),
    content
  ])
  t.match(await post(body), refusal(400, 'Error generating timestamp response'))
  t.ok(performance.now() - startedMs < 1000)
})
