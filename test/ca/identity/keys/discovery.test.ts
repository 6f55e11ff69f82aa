import t from 'tap'
import {
  discoveryAddress,
  parseDiscoveryDocument
} from '../../../../src/ca/identity/keys/discovery.js'
import { encodeUtf8 } from '../../../../src/encoding/text.js'
import { mutate } from '../../../helpers/mutations.js'
import { seededRandom } from '../../../helpers/random.js'
import { refusalText, unlessRefused } from '../../../helpers/refusals.js'

const ISS = 'https://iss.example.com/a'
const good = { issuer: ISS, jwks_uri: 'https://keys.example.com/k' }
const parse = (document: unknown, address = `${ISS}/.well-known/openid-configuration`) =>
  parseDiscoveryDocument(encodeUtf8(JSON.stringify(document)), ISS, address)

t.test('address', (t) => {
  const path = '/.well-known/openid-configuration'
  t.equal(discoveryAddress('https://a'), `https://a${path}`)
  t.equal(discoveryAddress('https://a/'), `https://a${path}`)
  t.equal(discoveryAddress('https://a//'), `https://a/${path}`)
  t.equal(discoveryAddress('https://a/b/'), `https://a/b${path}`)
  t.end()
})

t.test('algorithms', (t) => {
  const of = (names: unknown) =>
    parse({ ...good, id_token_signing_alg_values_supported: names }).algorithms
  t.same(parse(good).algorithms, ['RS256'])
  t.same(of(null), ['RS256'])
  t.same(of(['none', 'HS256', 'ES256', 7, 'PS512', 'RSA-OAEP']), ['ES256', 'PS512'])
  t.same(of(['HS256']), [])
  t.end()
})

t.test('documents that are refused', async (t) => {
  const cases: readonly (readonly [unknown, string])[] = [
    [[], 'is not a JSON object'],
    [{}, `is of issuer null, not "${ISS}"`],
    [{ ...good, issuer: `${ISS}/` }, `is of issuer "${ISS}/", not "${ISS}"`],
    [{ ...good, issuer: [ISS] }, `is of issuer ["${ISS}"], not "${ISS}"`],
    [{ issuer: ISS }, 'has no jwks_uri'],
    [{ ...good, jwks_uri: 7 }, 'has no jwks_uri'],
    [{ ...good, jwks_uri: '/keys' }, 'has no jwks_uri'],
    [{ ...good, jwks_uri: 'http://keys.example.com' }, 'has a jwks_uri without TLS'],
    [{ ...good, jwks_uri: 'file:///etc/keys' }, 'has a jwks_uri without TLS'],
    [
      { ...good, id_token_signing_alg_values_supported: 'RS256' },
      'has signing algorithms that are no list'
    ]
  ]
  for (const [document, problem] of cases) {
    t.equal(await refusalText(() => parse(document)), `upstream: discovery document ${problem}`)
  }
  t.equal(
    parse({ ...good, jwks_uri: 'http://a/k' }, 'http://a/discovery').jwksUri,
    'http://a/k',
    'where there was no TLS there need not be'
  )
})

t.test('fuzz: nothing but LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const sample = encodeUtf8(
    JSON.stringify({ ...good, id_token_signing_alg_values_supported: ['RS256'] })
  )
  for (let i = 0; i < 500; i++) {
    const bytes = mutate(sample, random)
    const document = await unlessRefused(() => parseDiscoveryDocument(bytes, ISS, ISS))
    if (document !== undefined) t.match(document.jwksUri, /^https:/i)
  }
})
