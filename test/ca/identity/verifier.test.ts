import { createHmac, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { parseIdentityConfig } from '../../../src/ca/identity/config/parse.js'
import { MAX_JWKS_KEYS } from '../../../src/ca/identity/keys/key-set.js'
import { MAX_TOKEN_LENGTH } from '../../../src/ca/identity/token.js'
import { createIdentityVerifier } from '../../../src/ca/identity/verifier.js'
import { LogError } from '../../../src/errors.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { fulcioVector } from '../../helpers/fulcio-vectors.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusal, unlessRefused } from '../../helpers/refusals.js'
import {
  createTestIssuer,
  discoveryAnswers,
  encodePart,
  fakeFetch,
  noFiles,
  signToken
} from '../../helpers/test-issuer.js'

interface JwtVectors {
  readonly now: number
  readonly issuerConfig: { readonly IssuerURL: string }
  readonly discovery: { readonly url: string; readonly document: { readonly jwks_uri: string } }
  readonly jwks: { readonly keys: readonly object[] }
  readonly cases: readonly {
    readonly name: string
    readonly token: string
    readonly accept: boolean
  }[]
}

const vectors = fulcioVector<JwtVectors>('jwt.json')
const ISS = vectors.issuerConfig.IssuerURL
const config = parseIdentityConfig(JSON.stringify({ OIDCIssuers: { [ISS]: vectors.issuerConfig } }))

function createVerifier(answers: Readonly<Record<string, unknown>>, nowSeconds = vectors.now) {
  const fetched = fakeFetch(answers)
  const problems: string[] = []
  const verifier = createIdentityVerifier({
    config,
    fetchBytes: fetched.fetchBytes,
    readFile: noFiles,
    nowSeconds: () => nowSeconds,
    onProblem: (problem) => problems.push(problem)
  })
  return { ...verifier, asked: fetched.asked, problems }
}

const vectorAnswers = {
  [vectors.discovery.url]: vectors.discovery.document,
  [vectors.discovery.document.jwks_uri]: vectors.jwks
}

/** `check: message` of a refused token. */
async function refusedAt(work: () => unknown): Promise<string> {
  const { code, message, details } = await refusal(work)
  return `${code} at ${details['check']}: ${message}`
}

/** Which check refuses each of the tokens that are refused. */
const REFUSED_AT: Readonly<Record<string, string>> = {
  'nbf 301 s ahead': 'not-before',
  'expired by one second': 'expiry',
  'exp missing': 'expiry',
  'wrong audience': 'audience',
  'empty audience array': 'audience',
  'audience missing': 'audience',
  'issuer with a trailing slash': 'issuer',
  'unknown issuer': 'issuer',
  'issuer missing': 'claims',
  'unknown kid': 'signature',
  'known kid, signature by another key': 'signature',
  'alg none': 'algorithm',
  'HS256 keyed with the public key PEM': 'algorithm',
  'PS256 not in the discovery list': 'algorithm',
  'RS512 not in the discovery list': 'algorithm',
  'payload changed after signing': 'signature',
  'two parts': 'form',
  'four parts': 'form',
  'many dots': 'form',
  'empty string': 'form',
  'payload not base64url': 'claims',
  'payload base64 with padding': 'claims',
  'payload is a JSON array': 'claims',
  'payload is not JSON': 'claims'
}

t.test('every token of the vectors', async (t) => {
  t.equal(vectors.cases.length, 33)
  const shared = createVerifier(vectorAnswers)
  for (const { name, token, accept } of vectors.cases) {
    for (const [state, verifier] of [
      ['fresh', createVerifier(vectorAnswers)],
      ['with keys at hand', shared]
    ] as const) {
      const title = `${name}, ${state}`
      if (accept) {
        t.equal((await verifier.verify(token)).challenge, 'alice@example.com', title)
      } else {
        const { code, details } = await refusal(() => verifier.verify(token))
        t.equal(code, 'unauthenticated', title)
        t.equal(details['check'], REFUSED_AT[name], title)
      }
    }
  }
  t.same(shared.asked, Object.keys(vectorAnswers), 'one server asks once')
})

t.test('explain and verify agree on every token of the vectors', async (t) => {
  const verifier = createVerifier(vectorAnswers)
  for (const { name, token, accept } of vectors.cases) {
    const { checks, challenge, identity } = await verifier.explain(token)
    const refused = checks.filter(({ outcome }) => outcome === 'refused')
    t.same(
      refused.map(({ check }) => check),
      accept ? [] : [REFUSED_AT[name]],
      name
    )
    t.equal(challenge, accept ? 'alice@example.com' : undefined, name)
    t.equal(identity !== undefined, accept, name)
    const outcomes = checks.map(({ outcome }) => outcome).join(' ')
    t.match(outcomes, /^(?:passed ?)*(?:refused(?: not reached)*)?$/, name)
    if (!accept) {
      const { message } = await refusal(() => verifier.verify(token))
      t.equal(refused[0]?.detail, message, name)
    }
  }
})

t.test('an explanation names what was found and not the token', async (t) => {
  const token = vectors.cases.find(({ name }) => name === 'ES256 good')?.token ?? ''
  const explanation = await createVerifier(vectorAnswers).explain(token)
  t.same(
    explanation.checks.map(({ check, detail }) => `${check}: ${detail}`),
    [
      'form: 346 characters',
      'claims: issuer https://issuer.example.test',
      'issuer: type email',
      'keys: 3 from https://issuer.example.test/keys',
      'audience: sigstore',
      'expiry: until 2026-01-01T00:10:00.000Z',
      'not-before: no limit',
      'algorithm: ES256',
      'signature: ecdsa key es-1',
      'subject: user-1',
      'identity: type email; the client signs "alice@example.com"',
      'certificate: for rfc822Name alice@example.com'
    ]
  )
  const told = JSON.stringify(explanation)
  for (const part of token.split('.')) t.notOk(told.includes(part))
})

t.test('a certificate that cannot be built is explained as such', async (t) => {
  const issuer = createTestIssuer()
  const verifier = createVerifier(discoveryAnswers(ISS, issuer.keySet))
  const token = issuer.token({ ...claims, email: 'usér@example.com' })
  const { checks, challenge, identity } = await verifier.explain(token)
  t.equal(challenge, 'usér@example.com')
  t.equal(identity, undefined)
  t.same(checks.at(-1), {
    check: 'certificate',
    title: 'gives a certificate',
    outcome: 'refused',
    detail: 'x509: "usér@example.com" cannot be encoded as an IA5String'
  })
  t.equal((await verifier.verify(token)).challenge, 'usér@example.com')
})

const claims = {
  iss: ISS,
  aud: 'sigstore',
  sub: 'u-1',
  email: 'a@example.com',
  email_verified: true,
  exp: vectors.now + 600
}

t.test('claims of the wrong type and at the edges', async (t) => {
  const issuer = createTestIssuer()
  const verifier = createVerifier(discoveryAnswers(ISS, issuer.keySet))
  const refused: readonly (readonly [string, object, string])[] = [
    ['iss a number', { iss: 1 }, 'claims: token has no issuer (iss)'],
    ['iss empty', { iss: '' }, 'claims: token has no issuer (iss)'],
    ['iss a list', { iss: [ISS] }, 'claims: token has no issuer (iss)'],
    ['aud a number', { aud: 1 }, 'audience: claim aud must be a string or a list of strings'],
    [
      'aud a list with a number',
      { aud: ['sigstore', 1] },
      'audience: claim aud must be a string or a list of strings'
    ],
    [
      'aud an object',
      { aud: { sigstore: true } },
      'audience: claim aud must be a string or a list of strings'
    ],
    ['aud null', { aud: null }, 'audience: expected audience "sigstore" got []'],
    [
      'aud in capitals',
      { aud: 'Sigstore' },
      'audience: expected audience "sigstore" got ["Sigstore"]'
    ],
    ['exp a string', { exp: String(vectors.now + 600) }, 'expiry: claim exp must be a number'],
    ['exp null', { exp: null }, 'expiry: token has no expiry (exp)'],
    ['exp true', { exp: true }, 'expiry: claim exp must be a number'],
    [
      'exp a fraction under now',
      { exp: vectors.now - 0.5 },
      `expiry: token is expired (exp ${vectors.now - 1}, now ${vectors.now})`
    ],
    ['nbf a string', { nbf: '0' }, 'not-before: claim nbf must be a number'],
    ['sub null', { sub: null }, 'subject: token has no subject (sub)']
  ]
  for (const [name, changes, reason] of refused) {
    const token = issuer.token({ ...claims, ...changes })
    t.equal(await refusedAt(() => verifier.verify(token)), `unauthenticated at ${reason}`, name)
  }
  const accepted: Readonly<Record<string, object>> = {
    'nbf null': { nbf: null },
    'nbf 300.9 s ahead': { nbf: vectors.now + 300.9 },
    'exp beyond dates': { exp: 1e300 },
    'iat of the wrong type': { iat: 'yesterday' },
    'exp this second': { exp: vectors.now + 0.5 }
  }
  for (const [name, changes] of Object.entries(accepted)) {
    const token = issuer.token({ ...claims, ...changes })
    t.equal((await verifier.verify(token)).challenge, 'a@example.com', name)
    await t.resolves(verifier.explain(token), name)
  }
})

t.test('headers', async (t) => {
  const issuer = createTestIssuer()
  const verifier = createVerifier(discoveryAnswers(ISS, issuer.keySet))
  const allowed = 'allowed are RS256, ES256, EdDSA'
  const refused: readonly (readonly [string, object, string])[] = [
    ['alg none', { alg: 'none' }, `algorithm: algorithm "none" not allowed; ${allowed}`],
    ['alg NONE', { alg: 'NONE' }, `algorithm: algorithm "NONE" not allowed; ${allowed}`],
    ['alg a list', { alg: ['ES256'] }, `algorithm: algorithm ["ES256"] not allowed; ${allowed}`],
    ['alg missing', { alg: undefined }, `algorithm: algorithm null not allowed; ${allowed}`],
    [
      'alg in small letters',
      { alg: 'es256' },
      `algorithm: algorithm "es256" not allowed; ${allowed}`
    ],
    [
      'alg not of the list',
      { alg: 'ES384' },
      `algorithm: algorithm "ES384" not allowed; ${allowed}`
    ],
    [
      'alg of another kind of key',
      { alg: 'RS256' },
      'signature: no key "test-1" for RS256 among 1 keys of the issuer'
    ],
    ['crit', { crit: ['exp'] }, 'algorithm: header member crit not supported'],
    ['b64', { b64: false }, 'algorithm: header member b64 not supported'],
    ['kid a number', { kid: 1 }, 'algorithm: header member kid must be a string'],
    [
      'unknown kid',
      { kid: 'toString' },
      'signature: no key "toString" for ES256 among 1 keys of the issuer'
    ]
  ]
  for (const [name, header, reason] of refused) {
    const token = issuer.token(claims, header)
    t.equal(await refusedAt(() => verifier.verify(token)), `unauthenticated at ${reason}`, name)
  }
  for (const header of [{ kid: undefined }, { kid: '' }, { typ: 'anything' }]) {
    t.ok(await verifier.verify(issuer.token(claims, header)), JSON.stringify(header))
  }
})

t.test('a key in the header is not the key', async (t) => {
  const issuer = createTestIssuer()
  const verifier = createVerifier(discoveryAnswers(ISS, issuer.keySet))
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  const token = signToken(
    privateKey,
    { alg: 'ES256', jwk, jku: 'https://evil.example.test/keys', kid: 'test-1' },
    claims
  )
  t.equal(
    await refusedAt(() => verifier.verify(token)),
    'unauthenticated at signature: signature is of none of the 1 keys it may be of'
  )
  t.equal(verifier.asked.filter((address) => address.includes('evil')).length, 0)
})

t.test('HMAC with the published key as its secret', async (t) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'rs' }
  const answers = discoveryAnswers(
    ISS,
    { keys: [jwk, { kty: 'oct', k: 'c2VjcmV0', kid: 'hs' }] },
    { id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'] }
  )
  const verifier = createVerifier(answers)
  const secrets = { rs: publicKey.export({ format: 'pem', type: 'spki' }), hs: 'secret' }
  for (const [kid, secret] of Object.entries(secrets)) {
    const signed = `${encodePart({ alg: 'HS256', kid })}.${encodePart(claims)}`
    const mac = createHmac('sha256', secret).update(signed).digest('base64url')
    t.equal(
      await refusedAt(() => verifier.verify(`${signed}.${mac}`)),
      'unauthenticated at algorithm: algorithm "HS256" not allowed; allowed are RS256'
    )
  }
})

t.test('tokens out of all proportion are refused at once', async (t) => {
  const verifier = createVerifier({})
  const malformed = 'unauthenticated at form: oidc: malformed jwt, token must have 3 parts'
  const tooLong = `unauthenticated at form: token longer than ${MAX_TOKEN_LENGTH} characters`
  const started = process.cpuUsage()
  t.equal(await refusedAt(() => verifier.verify('.'.repeat(10_000_000))), tooLong)
  t.equal(await refusedAt(() => verifier.verify('a'.repeat(10_000_000))), tooLong)
  t.equal(await refusedAt(() => verifier.verify('.'.repeat(MAX_TOKEN_LENGTH))), malformed)
  const deep = Buffer.from('['.repeat(20_000)).toString('base64url')
  t.match(
    await refusedAt(() => verifier.verify(`e30.${deep}.e30`)),
    /at claims: oidc: malformed jwt payload: JSON nested deeper/
  )
  const { user, system } = process.cpuUsage(started)
  t.ok(user + system < 1_000_000, `${(user + system) / 1000} ms`)
  t.same(verifier.asked, [])
})

t.test('ten thousand keys', async (t) => {
  const issuer = createTestIssuer()
  const [key] = issuer.keySet.keys
  const keys = Array.from({ length: 10_000 }, (_, i) => ({ ...key, kid: `k${i}` }))
  const verifier = createVerifier(discoveryAnswers(ISS, { keys }))
  t.match(
    await refusedAt(() => verifier.verify(issuer.token(claims))),
    /^unauthenticated at keys: keys of the issuer: (?:JWK Set longer|JWK Set of 10000 keys)/
  )
  const most = { keys: [...keys.slice(0, MAX_JWKS_KEYS - 1), key] }
  const other = createVerifier(discoveryAnswers(ISS, most))
  t.ok(await other.verify(issuer.token(claims)))
})

t.test('an issuer that cannot be reached', async (t) => {
  const issuer = createTestIssuer()
  const verifier = createVerifier({})
  t.equal(
    await refusedAt(() => verifier.verify(issuer.token(claims))),
    `unauthenticated at keys: keys of the issuer: ${ISS}/.well-known/openid-configuration: not reachable`
  )
  await verifier.warmUp()
  t.same(verifier.problems, [
    `issuer ${ISS}: keys of the issuer: ${ISS}/.well-known/openid-configuration: not reachable`
  ])
})

t.test('warming up gets the keys', async (t) => {
  const issuer = createTestIssuer()
  const verifier = createVerifier(discoveryAnswers(ISS, issuer.keySet))
  await verifier.warmUp()
  t.equal(verifier.asked.length, 2)
  t.ok(await verifier.verify(issuer.token(claims)))
  t.equal(verifier.asked.length, 2)
  t.same(verifier.problems, [])
})

t.test('look-alikes of a pattern: refused, and nobody is asked', async (t) => {
  const pattern = 'https://oidc.eks.*.amazonaws.com/id/*'
  const fetched = fakeFetch({})
  const verifier = createIdentityVerifier({
    config: parseIdentityConfig(
      JSON.stringify({ MetaIssuers: { [pattern]: { ClientID: 'sigstore', Type: 'kubernetes' } } })
    ),
    fetchBytes: fetched.fetchBytes,
    readFile: noFiles,
    nowSeconds: () => vectors.now,
    onProblem: () => {}
  })
  const issuer = createTestIssuer()
  const groups =
    fulcioVector<readonly { pattern: string; noMatch: readonly string[] }[]>('meta-issuers.json')
  const lookAlikes = [
    ...(groups.find((group) => group.pattern === pattern)?.noMatch ?? []),
    'https://oidc.eks.a@evil.example.amazonaws.com/id/b',
    'https://oidc.eks.evil.test/.amazonaws.com/id/b',
    'https://oidc.eks.ü.amazonaws.com/id/b',
    'HTTPS://oidc.eks.a.amazonaws.com/id/b',
    'https://oidc.eks.a.amazonaws.com/id/b#',
    '\nhttps://oidc.eks.a.amazonaws.com/id/b'
  ]
  t.ok(lookAlikes.length > 10)
  for (const iss of lookAlikes) {
    t.equal(
      await refusedAt(() => verifier.verify(issuer.token({ ...claims, iss }))),
      `unauthenticated at issuer: failed to match issuer URL ${iss} from token with any configured providers`
    )
  }
  t.same(fetched.asked, [])
})

t.test('fuzz: a changed token is refused, with LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const verifier = createVerifier(vectorAnswers)
  const good = vectors.cases.filter(({ accept }) => accept)
  for (let i = 0; i < 500; i++) {
    const { token } = random.pick(good)
    const changed = Buffer.from(mutate(encodeUtf8(token), random)).toString('latin1')
    if (changed === token) continue
    const principal = await unlessRefused(() => verifier.verify(changed))
    t.equal(principal, undefined, changed)
    await verifier.explain(changed)
  }
})

t.test('fuzz: any claims under a good signature', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const issuer = createTestIssuer()
  const values = [null, true, 0, -1, 1e308, '', 'x', '\u0000', '😀', [], [1], {}, { a: [{}] }, ISS]
  const types = ['email', 'uri', 'username', 'kubernetes', 'github-workflow', 'gitlab-pipeline']
  const names = ['sub', 'email', 'email_verified', 'kubernetes.io', 'ref', 'runner_id', '__proto__']
  let built = 0
  for (let i = 0; i < 300; i++) {
    const some = { IssuerURL: ISS, ClientID: 'sigstore', Type: random.pick(types) }
    const subjectDomain = some.Type === 'uri' ? ISS : 'issuer.example.test'
    const verifier = createIdentityVerifier({
      config: parseIdentityConfig(
        JSON.stringify({ OIDCIssuers: { [ISS]: { ...some, SubjectDomain: subjectDomain } } })
      ),
      fetchBytes: fakeFetch(discoveryAnswers(ISS, issuer.keySet)).fetchBytes,
      readFile: noFiles,
      nowSeconds: () => vectors.now,
      onProblem: () => {}
    })
    const changes = Object.fromEntries(
      Array.from({ length: 3 }, () => [random.pick(names), random.pick(values)])
    )
    const token = issuer.token({ ...claims, ...changes })
    const identity = await unlessRefused(async () => {
      return (await verifier.verify(token)).buildIdentity()
    })
    if (identity !== undefined) built++
    const explained = await verifier.explain(token)
    t.same(explained.identity, identity)
  }
  t.comment(`${built} of 300 would have been certified`)
})

t.test('that OpenSSL fails is no refusal of a token', async (t) => {
  const { fetchBytes } = fakeFetch(vectorAnswers)
  const verifier = createIdentityVerifier({
    config,
    fetchBytes,
    readFile: noFiles,
    nowSeconds: () => vectors.now,
    onProblem: () => undefined,
    checkData: () => Promise.reject(new LogError('internal', 'no memory'))
  })
  const found = vectors.cases.find(({ name, accept }) => accept && /ES256/.test(name))
  t.ok(found, 'a token with ECDSA')
  t.equal(
    await refusedAt(() => verifier.verify(found?.token ?? '')),
    'internal at signature: no memory'
  )
})
