import { createHmac, generateKeyPairSync, X509Certificate } from 'node:crypto'
import t from 'tap'
import { CLIENT_MESSAGES } from '../../src/ca/client-messages.js'
import { LogError } from '../../src/errors.js'
import { MAX_FULCIO_BODY_BYTES } from '../../src/http/fulcio.js'
import { parseSctJson, renderSctJson } from '../../src/x509/sct-json.js'
import { CT_NOW_MS } from '../helpers/ct-log.js'
import {
  createClientKey,
  type FulcioSite,
  ISSUER,
  keyBody,
  openFulcioSite
} from '../helpers/fulcio-app.js'
import { csrVectors, fulcioVector } from '../helpers/fulcio-vectors.js'
import type { CheckedResponse } from '../helpers/inject-checked.js'
import { signToken } from '../helpers/test-issuer.js'

const V1 = '/api/v1/signingCert'
const V2 = '/api/v2/signingCert'
const key = createClientKey()
const SECONDS = CT_NOW_MS / 1000

function post(
  site: FulcioSite,
  url: string,
  body: unknown,
  token?: string
): Promise<CheckedResponse> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return site.inject({ method: 'POST', url, headers, body })
}

interface Embedded {
  readonly signedCertificateEmbeddedSct: { readonly chain: { readonly certificates: string[] } }
}

function certificatesOf({ json }: CheckedResponse): string[] {
  return (json as Embedded).signedCertificateEmbeddedSct.chain.certificates
}

const refusalOf = (message: string | RegExp | StringConstructor) => ({
  status: 400,
  json: { code: 3, message, details: [] }
})

t.test('version 2: token in the body or in the header', async (t) => {
  const site = await openFulcioSite(t)
  const inBody = await post(site, V2, keyBody(key, 'alice@example.com', site.token()))
  t.equal(inBody.status, 200)
  const [leaf = '', root = ''] = certificatesOf(inBody)
  t.match(
    leaf,
    /^-----BEGIN CERTIFICATE-----\n[^-]+\n-----END CERTIFICATE-----$/,
    'no newline at the end'
  )
  const certificate = new X509Certificate(leaf)
  t.ok(certificate.publicKey.equals(key.publicKey))
  t.ok(certificate.verify(new X509Certificate(root).publicKey))
  t.equal(certificate.subjectAltName, 'email:alice@example.com')
  t.equal((await post(site, V2, keyBody(key), site.token())).status, 200)
  const both = await post(site, V2, keyBody(key, 'alice@example.com', site.token()), 'rubbish')
  t.equal(both.status, 200, 'the body goes first')
  const bare = await site.inject({
    method: 'POST',
    url: V2,
    headers: { authorization: site.token() },
    body: keyBody(key)
  })
  t.equal(bare.status, 200, 'a header without the word is a token as a whole')
  t.match(
    await post(site, V2, keyBody(key), `Bearer ${site.token()}`),
    refusalOf(CLIENT_MESSAGES.identityToken)
  )
  const lower = await site.inject({
    method: 'POST',
    url: V2,
    headers: { authorization: `bearer ${site.token()}` },
    body: keyBody(key)
  })
  t.match(lower, refusalOf(CLIENT_MESSAGES.identityToken), 'the word has a capital')
})

t.test('version 1: PEM or DER, 201, and only the header', async (t) => {
  const site = await openFulcioSite(t)
  for (const content of [key.der, Buffer.from(key.pem)]) {
    const answer = await post(
      site,
      V1,
      {
        publicKey: { algorithm: 'ecdsa', content: Buffer.from(content).toString('base64') },
        signedEmailAddress: key.prove('alice@example.com')
      },
      site.token()
    )
    t.equal(answer.status, 201)
    t.equal(answer.headers['content-type'], 'application/pem-certificate-chain')
    t.equal(answer.headers['sct'], undefined)
    t.match(
      answer.text,
      /^-----BEGIN CERTIFICATE-----\n[^-]+\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n[^-]+\n-----END CERTIFICATE-----$/
    )
  }
  const inBody = { ...keyBody(key, 'alice@example.com', site.token()), publicKey: { content: '' } }
  t.match(await post(site, V1, inBody), refusalOf(CLIENT_MESSAGES.identityToken))
})

t.test('version 1: without a key the token is not looked at', async (t) => {
  const site = await openFulcioSite(t)
  for (const body of [undefined, '', {}, { publicKey: null }, { certificateSigningRequest: '' }]) {
    t.match(await post(site, V1, body, 'rubbish'), refusalOf(CLIENT_MESSAGES.publicKey))
  }
  t.match(
    await post(site, V2, {}, 'rubbish'),
    refusalOf(CLIENT_MESSAGES.identityToken),
    'version 2 begins with it'
  )
  t.match(await post(site, V2, undefined), refusalOf(CLIENT_MESSAGES.identityToken))
  t.match(await post(site, V2, {}, site.token()), refusalOf(CLIENT_MESSAGES.publicKey))
})

t.test('how a body may be written', async (t) => {
  const site = await openFulcioSite(t)
  const proof = key.prove('alice@example.com')
  const good = (changes: object = {}) => ({
    publicKeyRequest: { publicKey: { content: key.pem }, proofOfPossession: proof },
    ...changes
  })
  const cases: [name: string, body: unknown][] = [
    [
      'snake case',
      { public_key_request: { public_key: { content: key.pem }, proof_of_possession: proof } }
    ],
    ['null for absent', good({ credentials: null, certificateSigningRequest: null })],
    ['members nobody knows', good({ more: { a: [1] }, credentials: { x: 1 } })],
    [
      'an algorithm that does not exist',
      {
        publicKeyRequest: {
          publicKey: { algorithm: 'RSA', content: key.pem },
          proofOfPossession: proof
        }
      }
    ],
    [
      'an algorithm by number',
      {
        publicKeyRequest: {
          publicKey: { algorithm: 7, content: key.pem },
          proofOfPossession: proof
        }
      }
    ],
    [
      'URL base64 without padding',
      {
        publicKeyRequest: {
          publicKey: { content: key.pem },
          proofOfPossession: Buffer.from(proof, 'base64').toString('base64url')
        }
      }
    ]
  ]
  for (const [name, body] of cases) {
    t.equal((await post(site, V2, body, site.token())).status, 200, name)
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'rubbish',
    'application/json; charset=x'
  ]) {
    const headers = {
      'content-type': type,
      accept: 'image/png',
      authorization: `Bearer ${site.token()}`
    }
    const answer = await site.inject({
      method: 'POST',
      url: V2,
      headers,
      body: JSON.stringify(good())
    })
    t.equal(answer.status, 200, type)
    t.equal(answer.headers['content-type'], 'application/json')
  }
})

t.test('how it may not', async (t) => {
  const site = await openFulcioSite(t)
  const csr = Buffer.from('x').toString('base64')
  const deep = `{"a":${'['.repeat(200)}`
  const cases: [name: string, url: string, body: unknown, message: RegExp][] = [
    ['not JSON', V2, '{"credentials"', /^not valid JSON/],
    ['not UTF-8', V2, Buffer.from([0x7b, 0x22, 0xff]), /UTF-8|utf-8|encoded/],
    ['too deep', V2, deep, /nested deeper than 100/],
    ['a list', V2, [], /^the body is not a JSON object$/],
    ['text', V1, '"x"', /^the body is not a JSON object$/],
    [
      'a repeated member',
      V2,
      '{"credentials":{},"credentials":{}}',
      /^member "credentials" is repeated$/
    ],
    ['a repeated member inside', V2, '{"credentials":{"a":1,"a":2}}', /^member "a" is repeated$/],
    [
      'both spellings',
      V2,
      { publicKeyRequest: {}, public_key_request: {} },
      /^member publicKeyRequest is repeated as public_key_request$/
    ],
    [
      'both alternatives',
      V2,
      { publicKeyRequest: {}, certificateSigningRequest: csr },
      /exclude each other/
    ],
    [
      'an object for text',
      V2,
      { credentials: { oidcIdentityToken: {} } },
      /^member credentials.oidcIdentityToken is not text$/
    ],
    [
      'text for an object',
      V2,
      { publicKeyRequest: 'x' },
      /^member publicKeyRequest is not an object$/
    ],
    ['a list for an object', V1, { publicKey: [] }, /^member publicKey is not an object$/],
    [
      'an object for an algorithm',
      V2,
      { publicKeyRequest: { publicKey: { algorithm: {} } } },
      /algorithm is neither a name nor a number/
    ],
    ['no base64', V2, { publicKeyRequest: { proofOfPossession: '***' } }, /proofOfPossession/],
    ['no base64 for a key', V1, { publicKey: { content: '***' } }, /publicKey.content/],
    ['too large', V2, `"${'x'.repeat(MAX_FULCIO_BODY_BYTES)}"`, /^http: request body too large$/]
  ]
  for (const [name, url, body, message] of cases) {
    t.match(await post(site, url, body, site.token()), refusalOf(message), name)
  }
  t.equal(site.ctEntries(), 0)
})

t.test('tokens that are refused: one text for clients, the reason for the log', async (t) => {
  const site = await openFulcioSite(t)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const good = site.token()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hmac = `${part({ alg: 'HS256' })}.${payload}`
  const cases: [name: string, token: string, check: string][] = [
    ['none', '', 'form'],
    ['one part', 'x', 'form'],
    ['a million dots', '.'.repeat(1_000_000), 'form'],
    ['too long', `${'a'.repeat(70_000)}.b.c`, 'form'],
    ['no JSON', 'a.b.c', 'claims'],
    ['alg none', `${part({ alg: 'none' })}.${payload}.`, 'algorithm'],
    [
      'alg none with the signature',
      `${part({ alg: 'none' })}.${payload}.${signature}`,
      'algorithm'
    ],
    [
      'alg swapped for HMAC',
      `${hmac}.${createHmac('sha256', 'x').update(hmac).digest('base64url')}`,
      'algorithm'
    ],
    [
      'alg swapped for RSA',
      `${part({ alg: 'RS256', kid: 'test-1' })}.${payload}.${signature}`,
      'signature'
    ],
    ['an unknown key', site.token({}, { kid: 'other' }), 'signature'],
    [
      'signed by a stranger',
      signToken(
        privateKey,
        { alg: 'ES256', kid: 'test-1' },
        { iss: ISSUER, aud: 'sigstore', sub: 'x', exp: SECONDS + 9 }
      ),
      'signature'
    ],
    [
      'another payload',
      `${header}.${part({ iss: ISSUER, aud: 'sigstore', sub: 'x', exp: SECONDS + 9 })}.${signature}`,
      'signature'
    ],
    [
      'an issuer that only looks like ours',
      site.token({ iss: `${ISSUER}.evil.example` }),
      'issuer'
    ],
    ['no issuer', site.token({ iss: undefined }), 'claims'],
    ['another audience', site.token({ aud: 'other' }), 'audience'],
    ['a list without ours', site.token({ aud: ['a', 'b'] }), 'audience'],
    ['expired', site.token({ exp: SECONDS - 1 }), 'expiry'],
    ['expiry as text', site.token({ exp: 'tomorrow' }), 'expiry'],
    ['not yet valid', site.token({ nbf: SECONDS + 400 }), 'not-before'],
    ['no subject', site.token({ sub: '' }), 'subject'],
    ['subject of the wrong type', site.token({ sub: 7 }), 'subject'],
    ['unverified e-mail', site.token({ email_verified: false }), 'identity'],
    ['verified as a number', site.token({ email_verified: 1 }), 'identity'],
    ['no e-mail', site.token({ email: undefined }), 'identity'],
    ['e-mail of the wrong type', site.token({ email: ['a@example.com'] }), 'identity']
  ]
  for (const [name, token, check] of cases) {
    const before = site.lines.length
    t.match(
      await post(site, V2, keyBody(key), token),
      refusalOf(CLIENT_MESSAGES.identityToken),
      name
    )
    const line = site.lines.slice(before).find(({ msg }) => msg === 'certificate refused')
    // A claim of the wrong type may be noticed where it is read.
    t.ok(
      line?.['check'] === check || line?.['check'] === 'claims',
      `${name}: ${JSON.stringify(line)}`
    )
    t.type(line?.['reason'], 'string')
    if (token.length > 20) {
      t.notOk(
        JSON.stringify(site.lines.slice(before)).includes(token.slice(0, 200)),
        `${name}: not in the log`
      )
    }
  }
  t.equal(site.ctEntries(), 0)
  t.equal(
    (await post(site, V2, keyBody(key), site.token({ aud: ['a', 'sigstore'] }))).status,
    200,
    'a list with ours'
  )
})

t.test('look-alikes of patterns, empty Kubernetes names', async (t) => {
  const site = await openFulcioSite(t, {
    config: {
      OIDCIssuers: { [ISSUER]: { IssuerURL: ISSUER, ClientID: 'sigstore', Type: 'kubernetes' } },
      MetaIssuers: {
        'https://oidc.*.example.com/id/*': { ClientID: 'sigstore', Type: 'kubernetes' }
      }
    }
  })
  const reasonOf = async (token: string) => {
    const before = site.lines.length
    t.match(await post(site, V2, keyBody(key), token), refusalOf(CLIENT_MESSAGES.identityToken))
    return site.lines.slice(before).find(({ msg }) => msg === 'certificate refused')?.['check']
  }
  for (const iss of [
    'http://localhost?issuer=https://oidc.a.example.com/id/1',
    'https://oidc.a.example.com/id/1/more',
    'https://oidc..example.com/id/1',
    'https://oidc.a.b.example.com/id/1',
    'https://xoidc.a.example.com/id/1'
  ]) {
    t.equal(await reasonOf(site.token({ iss })), 'issuer', iss)
  }
  for (const kubernetes of [
    {},
    { namespace: '', serviceaccount: { name: 'x' } },
    { namespace: 'x', serviceaccount: { name: '' } },
    { namespace: 'x', serviceaccount: 'y' }
  ]) {
    const token = site.token({ 'kubernetes.io': kubernetes })
    t.equal(await reasonOf(token), 'identity', JSON.stringify(kubernetes))
  }
})

t.test('keys and proofs that are refused', async (t) => {
  const site = await openFulcioSite(t)
  interface PopVectors {
    readonly keys: Readonly<Record<string, { readonly publicKeyPem: string }>>
    readonly proofs: readonly {
      readonly name: string
      readonly key: string
      readonly challenge: string
      readonly proofB64: string
      readonly accept: boolean
      readonly message?: string
    }[]
  }
  const { keys, proofs } = fulcioVector<PopVectors>('pop.json')
  let checked = 0
  for (const { name, key: keyName, challenge, proofB64, accept, message } of proofs) {
    const content = keys[keyName]?.publicKeyPem ?? ''
    const token = site.token(challenge.includes('@') ? { email: challenge } : {})
    if (!challenge.includes('@')) continue
    const answer = await post(
      site,
      V2,
      { publicKeyRequest: { publicKey: { content }, proofOfPossession: proofB64 } },
      token
    )
    if (accept) t.equal(answer.status, 200, name)
    else t.match(answer, refusalOf(message ?? ''), name)
    checked++
  }
  t.ok(checked > 10, `${checked} proofs`)
  interface WeakVectors {
    readonly cases: readonly {
      readonly name: string
      readonly accept: boolean
      readonly publicKeyPem?: string
      readonly message?: string
    }[]
  }
  const weak = fulcioVector<WeakVectors>('weak-keys.json').cases.filter(
    ({ accept, publicKeyPem }) => !accept && publicKeyPem !== undefined
  )
  t.ok(weak.length > 3)
  for (const { name, publicKeyPem, message } of weak) {
    const body = {
      publicKeyRequest: { publicKey: { content: publicKeyPem }, proofOfPossession: 'AAAA' }
    }
    t.match(await post(site, V2, body, site.token()), refusalOf(message ?? String), name)
  }
  t.match(
    await post(site, V2, keyBody(key, 'bob@example.com'), site.token()),
    refusalOf(CLIENT_MESSAGES.signature)
  )
})

t.test('certificate requests', async (t) => {
  const site = await openFulcioSite(t)
  let issued = 0
  for (const { name, csrPem, accept, message } of csrVectors()) {
    if (csrPem === undefined) continue
    const certificateSigningRequest = Buffer.from(csrPem).toString('base64')
    for (const url of [V1, V2]) {
      const answer = await post(site, url, { certificateSigningRequest }, site.token())
      if (accept) t.equal(answer.status, url === V1 ? 201 : 200, name)
      else t.match(answer, refusalOf(message ?? String), name)
      if (accept) issued++
    }
  }
  t.ok(issued > 4)
  const pem =
    csrVectors().find(({ accept, csrPem }) => accept && csrPem !== undefined)?.csrPem ?? ''
  const answer = await post(
    site,
    V1,
    {
      certificateSigningRequest: Buffer.from(pem).toString('base64'),
      publicKey: { content: 'AAAA' }
    },
    site.token()
  )
  t.equal(answer.status, 201, 'in version 1 the request goes before the key')
})

t.test('timestamps beside the certificate', async (t) => {
  const site = await openFulcioSite(t, { delivery: 'detached' })
  const v1 = await post(
    site,
    V1,
    {
      publicKey: { content: Buffer.from(key.der).toString('base64') },
      signedEmailAddress: key.prove('alice@example.com')
    },
    site.token()
  )
  const header = JSON.parse(
    Buffer.from(String(v1.headers['sct']), 'base64').toString()
  ) as Parameters<typeof parseSctJson>[0]
  t.match(header, { sct_version: 0, timestamp: CT_NOW_MS, extensions: '', signature: /^BAMA/ })
  const sct = parseSctJson(header)
  t.same(renderSctJson(sct), header)
  const v2 = await post(site, V2, keyBody(key), site.token())
  const { signedCertificateDetachedSct: detached } = v2.json as {
    signedCertificateDetachedSct: {
      chain: { certificates: string[] }
      signedCertificateTimestamp: string
    }
  }
  t.equal(detached.chain.certificates.length, 2)
  t.match(JSON.parse(Buffer.from(detached.signedCertificateTimestamp, 'base64').toString()), {
    sct_version: 0
  })
  t.equal(site.ctEntries(), 2)

  const none = await openFulcioSite(t, { delivery: 'none' })
  const plain = await post(none, V2, keyBody(key), none.token())
  t.match(plain.json, { signedCertificateDetachedSct: { signedCertificateTimestamp: '' } })
  t.equal(none.ctEntries(), 0)
})

t.test('the shape in which a timestamp is handed over', async (t) => {
  interface DetachedVector {
    readonly addChainResponse: Parameters<typeof parseSctJson>[0]
    readonly v1HeaderSCT: string
  }
  const { addChainResponse, v1HeaderSCT } = fulcioVector<DetachedVector>('detached-sct.json')
  t.same(
    renderSctJson(parseSctJson(addChainResponse)),
    JSON.parse(Buffer.from(v1HeaderSCT, 'base64').toString())
  )
})

t.test('trust bundle, root and configuration', async (t) => {
  const site = await openFulcioSite(t)
  const bundle = (await site.inject({ url: '/api/v2/trustBundle' })).json as {
    chains: { certificates: string[] }[]
  }
  const [pem = ''] = bundle.chains[0]?.certificates ?? []
  t.ok(pem.endsWith('-----END CERTIFICATE-----\n'))
  const root = await site.inject({ url: '/api/v1/rootCert' })
  t.equal(root.text, pem.trimEnd())
  t.equal(root.headers['content-type'], 'application/pem-certificate-chain')
  const issued = await post(site, V2, keyBody(key), site.token())
  const leaf = new X509Certificate(certificatesOf(issued)[0] ?? '')
  t.ok(leaf.verify(new X509Certificate(pem).publicKey))
  t.strictSame((await site.inject({ url: '/api/v2/configuration' })).json, {
    issuers: [
      {
        issuerUrl: ISSUER,
        audience: 'sigstore',
        challengeClaim: 'email',
        spiffeTrustDomain: '',
        issuerType: 'email',
        subjectDomain: '',
        skipEmailVerification: false
      }
    ]
  })
})

t.test('failures on our side', async (t) => {
  const cases: [submit: () => Promise<never>, message: string][] = [
    [
      () => Promise.reject(new LogError('timeout', 'secret address')),
      'Error entering certificate in CTL'
    ]
  ]
  for (const [submit, message] of cases) {
    const site = await openFulcioSite(t, { submit })
    const answer = await post(site, V2, keyBody(key), site.token())
    t.match(answer, { status: 500, json: { code: 13, message, details: [] } })
    t.match(
      site.lines.find(({ msg }) => msg === 'request failed'),
      { err: { message: /secret address/ } }
    )
  }
  const broken = await openFulcioSite(t, {
    authority: ({ chain, signer }) => ({
      chain,
      signer: { ...signer, sign: () => Promise.reject(new Error('HSM')) }
    })
  })
  t.match(
    await post(
      broken,
      V1,
      {
        publicKey: { content: Buffer.from(key.der).toString('base64') },
        signedEmailAddress: key.prove('alice@example.com')
      },
      broken.token()
    ),
    {
      status: 500,
      json: { code: 13, message: 'error communicating with CA backend', details: [] }
    }
  )
  const bug = await openFulcioSite(t, {
    authority: () => {
      throw new TypeError('a bug')
    }
  }).catch((err: unknown) => err)
  t.type(bug, TypeError)
})

t.test('other methods, other paths, other origins', async (t) => {
  const site = await openFulcioSite(t)
  for (const [method, url] of [
    ['GET', V2],
    ['DELETE', V1],
    ['POST', '/api/v2/trustBundle']
  ] as const) {
    const answer = await site.inject({ method, url })
    t.match(
      answer,
      { status: 501, json: { code: 12, message: 'Method Not Allowed', details: [] } },
      `${method} ${url}`
    )
  }
  t.equal((await site.inject({ url: '/api/v2/nothing' })).status, 404)
  const preflight = await site.inject({
    method: 'OPTIONS',
    url: V2,
    headers: {
      origin: 'https://x.test',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization'
    }
  })
  t.equal(preflight.status, 204)
  t.equal(
    preflight.headers['access-control-allow-origin'],
    undefined,
    'no Authorization from other origins'
  )
})

t.test('requests are counted, under their method and status', async (t) => {
  const site = await openFulcioSite(t)
  await post(site, V2, keyBody(key), site.token())
  await post(site, V2, {})
  await site.inject({ url: '/api/v1/rootCert' })
  await new Promise((resolve) => setImmediate(resolve))
  t.match(
    site.counted.map(({ method, code }) => `${method} ${code}`),
    ['POST 200', 'POST 400', 'GET 200']
  )
  t.equal(site.issued(), 1)
})
