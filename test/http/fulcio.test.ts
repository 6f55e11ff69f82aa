import { createHmac, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import t from 'tap'
import { CLIENT_MESSAGES } from '../../src/ca/client-messages.js'
import type { CertificateAuthority } from '../../src/ca/contract.js'
import { createRemoteCtLog } from '../../src/ca/remote-ct-log.js'
import { encodePem } from '../../src/encoding/pem.js'
import { LogError } from '../../src/errors.js'
import { loadFulcioContract } from '../../src/http/contract.js'
import { fulcio, MAX_FULCIO_BODY_BYTES } from '../../src/http/fulcio.js'
import { parseSctJson, renderSctJson, type SctJson } from '../../src/x509/sct-json.js'
import { CT_NOW_MS } from '../helpers/ct-log.js'
import {
  createClientKey,
  type FulcioSite,
  ISSUER,
  keyBody,
  openFulcioSite
} from '../helpers/fulcio-app.js'
import { csrVectors, fulcioVector } from '../helpers/fulcio-vectors.js'
import { type CheckedResponse, createInjectChecked } from '../helpers/inject-checked.js'
import { stubApp } from '../helpers/stub-app.js'
import { createTestIssuer, signToken } from '../helpers/test-issuer.js'

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
    ['not JSON', V2, '{"credentials"', /^not valid JSON$/],
    ['a token instead of JSON', V2, site.token(), /^not valid JSON$/],
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
    [
      'a repeated member of great length',
      V2,
      `{"${'n'.repeat(99_999)}":1,"${'n'.repeat(99_999)}":2}`,
      /^member "n{100}…" is repeated$/
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
    ['an issuer of great length', site.token({ iss: `https://${'x'.repeat(30_000)}` }), 'issuer'],
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
    t.equal(line?.['check'], check, `${name}: ${JSON.stringify(line)}`)
    t.type(line?.['requestId'], 'string')
    t.equal(line?.['level'], 30, 'info')
    const reason = String(line?.['reason'])
    t.ok(reason.length > 10 && reason.length <= 500, `${name}: ${reason}`)
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
    readonly publicKeyContent: readonly {
      readonly name: string
      readonly content: string
      readonly parses?: boolean
      readonly message?: string
    }[]
    readonly derInV1: { readonly contentB64: string }
  }
  const { keys, proofs, publicKeyContent, derInV1 } = fulcioVector<PopVectors>('pop.json')
  let checked = 0
  for (const { name, key: keyName, challenge, proofB64, accept, message } of proofs) {
    const content = keys[keyName]?.publicKeyPem ?? ''
    if (!challenge.includes('@')) continue // below
    const token = site.token({ email: challenge })
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
  t.equal(checked, proofs.length - 1)
  const [last] = proofs.filter(({ challenge }) => !challenge.includes('@'))
  if (last === undefined) throw new Error('no proof over a subject')
  const named = await openFulcioSite(t, {
    config: {
      OIDCIssuers: {
        [ISSUER]: {
          IssuerURL: ISSUER,
          ClientID: 'sigstore',
          Type: 'username',
          SubjectDomain: 'example.com'
        }
      }
    }
  })
  const overSubject = (challenge: string) =>
    post(
      named,
      V2,
      {
        publicKeyRequest: {
          publicKey: { content: keys[last.key]?.publicKeyPem ?? '' },
          proofOfPossession: last.proofB64
        }
      },
      named.token({ sub: challenge })
    )
  t.equal((await overSubject(last.challenge)).status, 200, last.name)
  t.match(await overSubject('user'), refusalOf(CLIENT_MESSAGES.signature))
  for (const { name, content, parses, message } of publicKeyContent) {
    const body = { publicKeyRequest: { publicKey: { content }, proofOfPossession: 'AAAA' } }
    // Nobody has a proof for these: one that was read is refused for that.
    const expected = parses === true ? CLIENT_MESSAGES.signature : (message ?? '')
    t.match(await post(site, V2, body, site.token()), refusalOf(expected), name)
    const content64 = Buffer.from(content).toString('base64')
    const v1 = { publicKey: { content: content64 }, signedEmailAddress: 'AAAA' }
    t.match(await post(site, V1, v1, site.token()), refusalOf(expected), `${name}, version 1`)
  }
  t.match(
    await post(
      site,
      V1,
      { publicKey: { content: derInV1.contentB64 }, signedEmailAddress: 'AAAA' },
      site.token()
    ),
    refusalOf(CLIENT_MESSAGES.signature),
    'bare DER is read in version 1'
  )
  const inV2 = { publicKey: { content: derInV1.contentB64 }, proofOfPossession: 'AAAA' }
  t.match(
    await post(site, V2, { publicKeyRequest: inV2 }, site.token()),
    refusalOf(CLIENT_MESSAGES.publicKey),
    'and not in version 2'
  )
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
  for (const { name, csrPem, csrDerB64 = '', accept, message } of csrVectors()) {
    const certificateSigningRequest =
      csrPem === undefined ? csrDerB64 : Buffer.from(csrPem).toString('base64')
    for (const url of [V1, V2]) {
      const answer = await post(site, url, { certificateSigningRequest }, site.token())
      if (accept) t.equal(answer.status, url === V1 ? 201 : 200, name)
      else t.match(answer, refusalOf(message ?? String), name)
      if (accept) issued++
    }
  }
  t.equal(issued, 20)
  const pem =
    csrVectors().find(({ accept, csrPem }) => accept && csrPem !== undefined)?.csrPem ?? ''
  const der = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64')
  const longer = encodePem('CERTIFICATE REQUEST', Buffer.concat([der, Buffer.from([0])]))
  for (const url of [V1, V2]) {
    t.match(
      await post(
        site,
        url,
        { certificateSigningRequest: Buffer.from(longer).toString('base64') },
        site.token()
      ),
      refusalOf(CLIENT_MESSAGES.certificateRequest),
      'bytes behind the request'
    )
  }
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
    readonly v2SignedCertificateTimestamp: string
  }
  const { addChainResponse, v1HeaderSCT, v2SignedCertificateTimestamp } =
    fulcioVector<DetachedVector>('detached-sct.json')
  // An authority whose log and chain are those of somebody else.
  const contract = loadFulcioContract()
  const authority: CertificateAuthority = {
    issue: async () => ({
      chain: [Uint8Array.of(0x30, 0), Uint8Array.of(0x31, 0)],
      delivery: 'detached',
      sct: parseSctJson(addChainResponse)
    }),
    trustBundle: () => [
      [encodePem('CERTIFICATE', Uint8Array.of(0x30, 0)), encodePem('CERTIFICATE', Uint8Array.of(1))]
    ],
    issuers: () => []
  }
  const { app } = await stubApp(
    {},
    { plugins: [(scope) => fulcio(scope, { contract, authority })], families: [] }
  )
  const inject = createInjectChecked(app, contract)
  const decoded = (text: unknown): unknown =>
    JSON.parse(Buffer.from(String(text), 'base64').toString())
  const v1 = await inject({ method: 'POST', url: V1, body: { publicKey: { content: '' } } })
  t.same(decoded(v1.headers['sct']), decoded(v1HeaderSCT))
  const v2 = await inject({ method: 'POST', url: V2, body: {} })
  const { signedCertificateDetachedSct: detached } = v2.json as {
    signedCertificateDetachedSct: object & { signedCertificateTimestamp: string }
  }
  t.same(decoded(detached.signedCertificateTimestamp), decoded(v2SignedCertificateTimestamp))
  t.equal(
    (await inject({ url: '/api/v1/rootCert' })).text,
    '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n\n' +
      '-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----',
    'an empty line between, none at the end'
  )
  t.equal(
    v1.text,
    '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n' +
      '-----BEGIN CERTIFICATE-----\nMQA=\n-----END CERTIFICATE-----',
    'no empty line here'
  )
})

t.test('failures of what is only read', async (t) => {
  const contract = loadFulcioContract()
  const broken = (): never => {
    throw new Error('a secret path')
  }
  const authority = { issue: broken, trustBundle: broken, issuers: broken }
  const lines: string[] = []
  const { app } = await stubApp(
    {},
    {
      logger: pino({}, { write: (line: string) => lines.push(line) }),
      plugins: [(scope) => fulcio(scope, { contract, authority })],
      families: []
    }
  )
  const inject = createInjectChecked(app, contract)
  for (const [url, message] of [
    ['/api/v2/trustBundle', 'error retrieving trust bundle from CA backend'],
    ['/api/v1/rootCert', 'error retrieving trust bundle from CA backend'],
    ['/api/v2/configuration', 'error loading fulcio configuration']
  ] as const) {
    t.match(await inject({ url }), { status: 500, json: { code: 13, message, details: [] } })
    t.match(lines.splice(0).join(''), /a secret path/)
  }
  t.match(
    await inject({
      method: 'POST',
      url: V2,
      headers: { 'x-request-id': 'my-id' },
      body: keyBody(key)
    }),
    { status: 500, json: { code: 2, message: 'unexpected error (request my-id)', details: [] } },
    'a bug'
  )
  t.match(lines.join(''), /"requestId":"my-id".*a secret path/)
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
})

t.test('a certificate log elsewhere that fails', async (t) => {
  const good: SctJson = {
    sct_version: 0,
    id: Buffer.alloc(32).toString('base64'),
    timestamp: CT_NOW_MS,
    extensions: '',
    signature:
      'BAMARjBEAiAIc21J5ZbdKZHw5wLxCP+MhBEsV5+nfvGyakOIv6FOvAIgWYMZb6Pw///uiNM7QTg2Of1OqmK1GbeGuEl9VJN8v8c='
  }
  type Answer = (response: ServerResponse) => unknown
  const answers: [name: string, answer: Answer, problem: RegExp][] = [
    ['refuses', (response) => response.writeHead(400).end('secret'), /answered 400/],
    ['hangs', () => undefined, /no answer, within 300 ms/],
    ['is busy', (response) => response.writeHead(503).end(), /answered 503, within 300 ms/],
    ['hangs up', (response) => response.destroy(), /within 300 ms/],
    ['says something else', (response) => response.end('{}'), /sct_version is not a number/],
    ['is another one', (response) => response.end(JSON.stringify(good)), /log id is not that/]
  ]
  for (const [name, answer, problem] of answers) {
    const server = createServer((request, response) => {
      request.resume()
      answer(response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const submit = createRemoteCtLog({ url, certificateAuthority: '', timeoutMs: 300 })
    const site = await openFulcioSite(t, { submit })
    t.match(
      await post(site, V2, keyBody(key), site.token()),
      {
        status: 500,
        json: { code: 13, message: 'Error entering certificate in CTL', details: [] }
      },
      name
    )
    const line = site.lines.find(({ msg }) => msg === 'request failed')
    t.match(line, { err: { message: problem } }, name)
    t.equal(site.issued(), 0, name)
    server.closeAllConnections()
    server.close()
  }
})

t.test('every refusal of the vectors', async (t) => {
  interface Refusals {
    readonly cases: readonly {
      readonly name: string
      readonly config: string | object
      readonly claims: { readonly iss: string }
      readonly expect: { readonly error?: boolean; readonly clientMessage: string }
    }[]
  }
  const cases = fulcioVector<Refusals>('principals.json').cases.filter(
    ({ expect }) => expect.error === true
  )
  t.equal(cases.length, 60)
  const sites = new Map<string, FulcioSite>()
  let late = 0
  for (const { name, config, claims, expect } of cases) {
    const full = typeof config === 'string' ? fulcioVector<object>(config) : config
    const id = JSON.stringify(config)
    const site = sites.get(id) ?? (await openFulcioSite(t, { config: full }))
    sites.set(id, site)
    const token = site.token({
      email: undefined,
      email_verified: undefined,
      ...claims,
      aud: 'sigstore',
      exp: SECONDS + 60,
      nbf: undefined
    })
    const sub = (claims as { sub?: string }).sub ?? ''
    const before = site.lines.length
    const answer = await post(site, V2, keyBody(key, sub), token)
    const line = site.lines.slice(before).find(({ msg }) => msg === 'certificate refused')
    if (expect.clientMessage === CLIENT_MESSAGES.identityToken) {
      t.match(answer, refusalOf(CLIENT_MESSAGES.identityToken), name)
      const check = name === 'email: issuer not configured' ? 'issuer' : 'identity'
      t.equal(line?.['check'], check, `${name}: ${JSON.stringify(line)}`)
    } else {
      // Found while the certificate is built: these are told as they are.
      late++
      const text = (answer.json as { message: string }).message
      t.match(answer, refusalOf(text), name)
      t.not(text, CLIENT_MESSAGES.identityToken, name)
      const [fixed = ''] = expect.clientMessage.split(' {')
      if (!fixed.includes('raw)')) t.ok(text.startsWith(fixed), `${name}: ${text}`)
    }
    t.equal(site.issued(), 0)
  }
  t.equal(late, 3)
})

t.test('ten thousand keys of an issuer', async (t) => {
  const { keySet } = createTestIssuer()
  const [jwk] = keySet.keys
  const keys = Array.from({ length: 10_000 }, (_, i) => ({ ...jwk, kid: `k${i}` }))
  const site = await openFulcioSite(t, { keySet: { keys } })
  t.match(
    await post(site, V2, keyBody(key), site.token()),
    refusalOf(CLIENT_MESSAGES.identityToken)
  )
  t.match(
    site.lines.find(({ msg }) => msg === 'certificate refused'),
    { check: 'keys', reason: /keys/ }
  )
})

t.test('over a socket: long tokens, long bodies', async (t) => {
  const site = await openFulcioSite(t)
  const url = `${await site.app.listen({ host: '127.0.0.1', port: 0 })}${V2}`
  const send = async (headers: Record<string, string>, body: string) => {
    const answer = await fetch(url, { method: 'POST', headers, body })
    return { status: answer.status, json: (await answer.json()) as object }
  }
  const text = JSON.stringify(keyBody(key))
  const long = site.token({ groups: 'g'.repeat(45_000) })
  t.ok(long.length > 60_000)
  t.equal((await send({ authorization: `Bearer ${long}` }, text)).status, 200, 'in the header')
  const tooLong = `Bearer ${'.'.repeat(70_000)}`
  t.match(await send({ authorization: tooLong }, text), refusalOf(CLIENT_MESSAGES.identityToken))
  const dots = JSON.stringify(keyBody(key, 'x', '.'.repeat(3_000_000)))
  t.match(await send({}, dots), refusalOf(CLIENT_MESSAGES.identityToken), 'millions of dots')
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
