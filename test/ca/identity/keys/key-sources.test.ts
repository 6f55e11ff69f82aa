import t from 'tap'
import { findIssuer } from '../../../../src/ca/identity/config/find-issuer.js'
import { parseIdentityConfig } from '../../../../src/ca/identity/config/parse.js'
import { MIN_REFETCH_SECONDS } from '../../../../src/ca/identity/keys/discovered-keys.js'
import type { FetchBytes } from '../../../../src/ca/identity/keys/fetch.js'
import { createIdentityVerifier } from '../../../../src/ca/identity/verifier.js'
import { encodeUtf8 } from '../../../../src/encoding/text.js'
import { createKeySources } from '../../../../src/ca/identity/keys/key-sources.js'
import { LogError } from '../../../../src/errors.js'
import { refusal, refusalText } from '../../../helpers/refusals.js'
import {
  createTestIssuer,
  discoveryAnswers,
  fakeFetch,
  noFiles
} from '../../../helpers/test-issuer.js'

const ISS = 'https://iss.example.com'
const claims = { iss: ISS, aud: 'x', sub: 's', email: 'a@example.com', email_verified: true }

/** A verifier of one issuer, with a clock and answers that a test can change. */
function createScene(members: object = {}) {
  const scene = {
    now: 1000,
    answers: {} as Record<string, unknown>,
    files: {} as Record<string, string>,
    problems: [] as string[],
    asked: [] as string[],
    authorities: [] as string[]
  }
  const verifier = createIdentityVerifier({
    config: parseIdentityConfig(
      JSON.stringify({
        OIDCIssuers: { [ISS]: { IssuerURL: ISS, ClientID: 'x', Type: 'email', ...members } }
      })
    ),
    async fetchBytes(address, { certificateAuthority, timeoutMs }) {
      t.equal(timeoutMs, 10_000)
      scene.asked.push(address)
      scene.authorities.push(certificateAuthority)
      await new Promise((resolve) => setImmediate(resolve))
      return fakeFetch(scene.answers).fetchBytes(address, {
        maximumBytes: 0,
        timeoutMs,
        certificateAuthority
      })
    },
    async readFile(path) {
      const text = scene.files[path]
      return text === undefined ? noFiles(path) : encodeUtf8(text)
    },
    nowSeconds: () => scene.now,
    onProblem: (problem) => scene.problems.push(problem)
  })
  const verify = (token: string) => verifier.verify(token)
  return { scene, verify }
}

t.test('keys are kept, and fetched anew when a token fails on them', async (t) => {
  const { scene, verify } = createScene()
  const [first, second] = [createTestIssuer('k1'), createTestIssuer('k2')]
  scene.answers = discoveryAnswers(ISS, first.keySet)
  const token = first.token({ ...claims, exp: 1_000_000 })
  for (let i = 0; i < 3; i++) t.ok(await verify(token))
  scene.now += 100_000
  t.ok(await verify(token), 'age does not matter')
  t.equal(scene.asked.length, 2)

  scene.answers = discoveryAnswers(ISS, second.keySet)
  t.ok(await verify(second.token({ ...claims, exp: 1_000_000 })), 'unknown kid')
  t.same(scene.asked.slice(2), [`${ISS}/keys`], 'the document is not asked for again')
  t.equal((await refusal(() => verify(token))).details['check'], 'signature', 'the old key is gone')
  t.equal(scene.asked.length, 3, 'asked a moment ago')

  scene.now += MIN_REFETCH_SECONDS
  t.equal((await refusal(() => verify(token))).details['check'], 'signature')
  t.equal(scene.asked.length, 4)
})

t.test('same kid, another key', async (t) => {
  const { scene, verify } = createScene()
  const [first, second] = [createTestIssuer('k'), createTestIssuer('k')]
  scene.answers = discoveryAnswers(ISS, first.keySet)
  t.ok(await verify(first.token({ ...claims, exp: 2000 })))
  scene.answers = discoveryAnswers(ISS, second.keySet)
  scene.now += MIN_REFETCH_SECONDS
  t.ok(await verify(second.token({ ...claims, exp: 2000 })))
})

t.test('junk tokens do not become requests', async (t) => {
  const { scene, verify } = createScene()
  const [issuer, stranger] = [createTestIssuer(), createTestIssuer('other')]
  scene.answers = discoveryAnswers(ISS, issuer.keySet)
  await verify(issuer.token({ ...claims, exp: 100_000 }))
  scene.asked.length = 0
  for (let i = 0; i < 100; i++) {
    scene.now += 1
    await refusal(() => verify(stranger.token({ ...claims, exp: 100_000 })))
  }
  t.equal(scene.asked.length, 100 / MIN_REFETCH_SECONDS)
  scene.now -= 50_000
  await refusal(() => verify(stranger.token({ ...claims, exp: 100_000 })))
  t.equal(scene.asked.length, 11, 'a clock set back does not stop it')
})

t.test('many at once share one request', async (t) => {
  const { scene, verify } = createScene()
  const [first, second] = [createTestIssuer('k1'), createTestIssuer('k2')]
  scene.answers = discoveryAnswers(ISS, first.keySet)
  const token = first.token({ ...claims, exp: 2000 })
  await Promise.all(Array.from({ length: 20 }, () => verify(token)))
  t.equal(scene.asked.length, 2)
  scene.answers = discoveryAnswers(ISS, second.keySet)
  scene.now += MIN_REFETCH_SECONDS
  const next = second.token({ ...claims, exp: 2000 })
  await Promise.all(Array.from({ length: 20 }, () => verify(next)))
  t.equal(scene.asked.length, 3)
})

t.test('a failure is kept for a while', async (t) => {
  const { scene, verify } = createScene()
  const issuer = createTestIssuer()
  const token = issuer.token({ ...claims, exp: 2000 })
  const first = await refusal(() => verify(token))
  t.equal(first.details['check'], 'keys')
  const all = await Promise.all(Array.from({ length: 5 }, () => refusal(() => verify(token))))
  t.ok(all.every(({ message }) => message === first.message))
  t.equal(scene.asked.length, 1)
  scene.answers = discoveryAnswers(ISS, issuer.keySet)
  await refusal(() => verify(token))
  t.equal(scene.asked.length, 1)
  scene.now += MIN_REFETCH_SECONDS
  t.ok(await verify(token))
})

t.test('keys at hand survive an issuer that went away', async (t) => {
  const { scene, verify } = createScene()
  const issuer = createTestIssuer()
  scene.answers = discoveryAnswers(ISS, issuer.keySet)
  const token = issuer.token({ ...claims, exp: 2000 })
  await verify(token)
  scene.answers = {}
  scene.now += MIN_REFETCH_SECONDS
  const stranger = createTestIssuer('other')
  t.equal(
    await refusalText(() => verify(stranger.token({ ...claims, exp: 2000 }))),
    `unauthenticated: keys of the issuer: ${ISS}/keys: not reachable`
  )
  t.ok(await verify(token))
})

t.test('another address for discovery, and roots in a file', async (t) => {
  const address = 'http://10.0.0.1/discovery'
  const { scene, verify } = createScene({ DiscoveryURL: address, CACertFile: '/ca.pem' })
  const issuer = createTestIssuer()
  scene.answers = {
    [address]: {
      issuer: ISS,
      jwks_uri: 'http://10.0.0.1/keys',
      id_token_signing_alg_values_supported: ['ES256']
    },
    'http://10.0.0.1/keys': issuer.keySet
  }
  scene.files = { '/ca.pem': 'roots' }
  t.ok(await verify(issuer.token({ ...claims, exp: 2000 })))
  t.same(scene.asked, [address, 'http://10.0.0.1/keys'])
  t.same(scene.authorities, ['roots', 'roots'])
})

t.test('keys in a file: no network, and a change counts at once', async (t) => {
  const { scene, verify } = createScene({ JWKSFile: '/keys.json' })
  const [first, second] = [createTestIssuer('k1'), createTestIssuer('k2')]
  const tokenOf = (issuer: typeof first) => issuer.token({ ...claims, exp: 2000 })
  t.equal(
    await refusalText(() => verify(tokenOf(first))),
    "unauthenticated: keys in /keys.json cannot be used: ENOENT: no such file or directory, open '/keys.json'"
  )
  scene.files['/keys.json'] = JSON.stringify(first.keySet)
  t.ok(await verify(tokenOf(first)))
  t.equal((await refusal(() => verify(tokenOf(second)))).details['check'], 'signature')

  scene.files['/keys.json'] = JSON.stringify(second.keySet)
  t.ok(await verify(tokenOf(second)))
  t.equal((await refusal(() => verify(tokenOf(first)))).details['check'], 'signature')

  for (const content of ['{"keys":[', '{"keys":[]}']) {
    scene.files['/keys.json'] = content
    t.ok(await verify(tokenOf(second)), 'half written')
    t.ok(await verify(tokenOf(second)), 'half written')
  }
  t.equal(scene.problems.length, 2, 'told once for each kind of trouble')
  t.match(
    scene.problems[1],
    /^keys in \/keys\.json cannot be used: no usable key: the set is empty; those it had/
  )
  scene.files['/keys.json'] = JSON.stringify(first.keySet)
  t.ok(await verify(tokenOf(first)))
  t.same(scene.asked, [])
})

t.test('issuers of patterns: the last hundred are kept', async (t) => {
  const config = parseIdentityConfig(
    JSON.stringify({ MetaIssuers: { 'https://*.example.com': { ClientID: 'x', Type: 'email' } } })
  )
  const issuer = createTestIssuer()
  const asked: string[] = []
  const sourceOf = createKeySources({
    async fetchBytes(address, options) {
      asked.push(address)
      const host = new URL(address).origin
      return fakeFetch(discoveryAnswers(host, issuer.keySet)).fetchBytes(address, options)
    },
    readFile: noFiles,
    nowSeconds: () => 0,
    onProblem: () => {}
  })
  const current = async (name: string) => {
    const matched = findIssuer(config, `https://${name}.example.com`)
    if (matched === undefined) throw new Error('no match')
    return (await sourceOf(matched).current()).keys.length
  }
  t.equal(await current('first'), 1)
  for (let i = 0; i < 99; i++) await current(`i${i}`)
  await current('first')
  t.equal(asked.length, 200)
  await current('i99')
  await current('first')
  t.equal(asked.length, 202, 'the one not used for longest went, not the first')
  await current('i0')
  t.equal(asked.length, 204)
})

t.test('issuers of patterns: not too many are asked at once', async (t) => {
  const config = parseIdentityConfig(
    JSON.stringify({ MetaIssuers: { 'https://*.example.com': { ClientID: 'x', Type: 'email' } } })
  )
  let waiting = 0
  const never: FetchBytes = () => {
    waiting++
    return new Promise(() => {})
  }
  const sourceOf = createKeySources({
    fetchBytes: never,
    readFile: noFiles,
    nowSeconds: () => 0,
    onProblem: () => {}
  })
  const refused: unknown[] = []
  for (let i = 0; i < 20; i++) {
    const matched = findIssuer(config, `https://i${i}.example.com`)
    if (matched === undefined) throw new Error('no match')
    sourceOf(matched)
      .current()
      .catch((err: unknown) => refused.push(err))
  }
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(waiting, 8)
  t.equal(refused.length, 12)
  t.ok(refused[0] instanceof LogError)
})
