import t from 'tap'
import { parseIdentityConfig } from '../../../../src/ca/identity/config/parse.js'
import { ISSUER_TYPES } from '../../../../src/ca/identity/issuer-types/index.js'
import type { Principal } from '../../../../src/ca/identity/principal.js'
import { createIdentityVerifier } from '../../../../src/ca/identity/verifier.js'
import { encodeHex } from '../../../../src/encoding/hex.js'
import { buildFulcioExtensions } from '../../../../src/x509/fulcio-extensions.js'
import { fulcioVector, fulcioVectorText } from '../../../helpers/fulcio-vectors.js'
import { refusal, refusalText } from '../../../helpers/refusals.js'
import {
  createTestIssuer,
  discoveryAnswers,
  fakeFetch,
  noFiles
} from '../../../helpers/test-issuer.js'

interface PrincipalVector {
  readonly name: string
  readonly config: string | object
  readonly claims: Readonly<Record<string, unknown>> & { readonly iss: string }
  readonly expect:
    | {
        readonly error?: undefined
        readonly challengeName: string
        readonly san: { readonly type: string; readonly value: string }
        readonly extensions: readonly { readonly oid: string; readonly valueHex: string }[]
      }
    | { readonly error: true; readonly internalReason: string; readonly clientMessage: string }
}

const issuer = createTestIssuer()
const now = 1_767_225_600

/** A signed token with these claims, verified by a server with this configuration. */
async function identify(config: string | object, claims: PrincipalVector['claims']) {
  const text = typeof config === 'string' ? fulcioVectorText(config) : JSON.stringify(config)
  const verifier = createIdentityVerifier({
    config: parseIdentityConfig(text),
    fetchBytes: fakeFetch(discoveryAnswers(claims.iss, issuer.keySet)).fetchBytes,
    readFile: noFiles,
    nowSeconds: () => now,
    onProblem: () => {}
  })
  return verifier.verify(issuer.token({ ...claims, exp: now + 600 }))
}

const SAN_KINDS: Readonly<Record<string, string>> = {
  rfc822Name: 'rfc822Name',
  URI: 'uniformResourceIdentifier',
  otherName: 'otherName'
}

/** Fulcio certifies empty names of Kubernetes; we do as its document advises. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  'kubernetes: claim object absent (upstream accepts; an implementation SHOULD refuse)':
    'unauthenticated: kubernetes.io claim has no valid namespace ("")'
}

const TOKEN_MESSAGE = 'There was an error processing the identity token'

t.test(
  'every vector, in the JSON and the YAML spelling of the shipped configuration',
  async (t) => {
    const { cases } = fulcioVector<{ cases: readonly PrincipalVector[] }>('principals.json')
    t.equal(cases.length, 93)
    for (const { name, config, claims, expect } of cases) {
      const configs =
        config === 'shipped-config.json'
          ? [config, 'shipped-config-with-alias-keys.yaml']
          : [config]
      for (const some of configs) {
        const title = typeof some === 'string' ? `${name} (${some})` : name
        const deviation = DEVIATIONS[name]
        if (deviation !== undefined) {
          t.equal(await refusalText(() => identify(some, claims)), deviation, title)
        } else if (expect.error === undefined) {
          const principal: Principal = await identify(some, claims)
          t.equal(principal.challenge, expect.challengeName, title)
          const { subjectAlternativeName: san, extensions } = principal.buildIdentity()
          t.same(san, { kind: SAN_KINDS[expect.san.type], value: expect.san.value }, title)
          t.same(
            buildFulcioExtensions(extensions).map(({ oid, value }) => [oid, encodeHex(value)]),
            expect.extensions.map(({ oid, valueHex }) => [oid, valueHex]),
            title
          )
        } else if (expect.clientMessage === TOKEN_MESSAGE) {
          const { code, message } = await refusal(() => identify(some, claims))
          t.equal(`${code}: ${message}`, `unauthenticated: ${expect.internalReason}`, title)
        } else {
          const principal = await identify(some, claims)
          const { code, message } = await refusal(() => principal.buildIdentity())
          t.equal(code, 'invalid_request', title)
          const wanted = expect.internalReason.replace(/^template: /, '')
          t.ok(message.includes(wanted), `${title}: ${message}`)
        }
      }
    }
  }
)

t.test('texts that clients are shown, exactly', async (t) => {
  const { cases } = fulcioVector<{ cases: readonly PrincipalVector[] }>('principals.json')
  const textOf = async (name: string): Promise<string> => {
    const vector = cases.find((some) => some.name.includes(name))
    if (vector === undefined) throw new Error(`no vector ${name}`)
    const principal = await identify(vector.config, vector.claims)
    return (await refusal(() => principal.buildIdentity())).message
  }
  t.equal(
    await textOf('claim used in a template absent'),
    'template: :1:68: executing "" at <.run_attempt>: map has no entry for key "run_attempt"'
  )
  t.equal(
    await textOf('directly replaced claim absent'),
    'value <workflow_sha> not present in either claims or defaults. ' +
      '{\n\t"ExtensionName": "BuildConfigDigest",\n\t"Issuer": "https://token.actions.githubusercontent.com"\n}'
  )
  t.equal(
    await textOf('no SAN template'),
    'SubjectAlternativeNameTemplate should not be empty. Issuer: https://iss.example.com'
  )
})

const ISS = 'https://iss.example.com'

function configOf(members: object): object {
  return { OIDCIssuers: { [ISS]: { IssuerURL: ISS, ClientID: 'sigstore', ...members } } }
}

const base = { iss: ISS, aud: 'sigstore', sub: 'u-1' }
const github = (changes: object): PrincipalVector['claims'] => {
  const { cases } = fulcioVector<{ cases: readonly PrincipalVector[] }>('principals.json')
  const claims = cases.find(({ name }) => name === 'github-workflow: complete token')?.claims
  return { ...claims, ...base, ...changes }
}
const kubernetes = (namespace: unknown, name: unknown) => ({
  ...base,
  'kubernetes.io': { namespace, serviceaccount: { name } }
})

t.test('hostile claims: refused while the token is read', async (t) => {
  const email = { Type: 'email' }
  const k8s = { Type: 'kubernetes' }
  const dex = { Type: 'email', IssuerClaim: '$.a.b' }
  const verified = { ...base, email: 'a@example.com', email_verified: true }
  const cases: readonly (readonly [string, object, PrincipalVector['claims'], string])[] = [
    ['email a list', email, { ...base, email: ['a@b.co'] }, 'claim email must be a string'],
    [
      'email_verified null',
      email,
      { ...verified, email_verified: null },
      'invalid value for boolean'
    ],
    ['email_verified 1', email, { ...verified, email_verified: 1 }, 'invalid value for boolean'],
    [
      'email_verified null, although not looked at',
      { Type: 'email', SkipEmailVerification: true },
      { ...verified, email_verified: null },
      'invalid value for boolean'
    ],
    [
      'email_verified "TRUE"',
      email,
      { ...verified, email_verified: 'TRUE' },
      'invalid value for boolean'
    ],
    [
      'email with a line break',
      email,
      { ...verified, email: 'a@example.com\n' },
      'email address is not valid'
    ],
    ['issuer claim a list', dex, { ...verified, a: [] }, 'JSONPath key not found'],
    [
      'issuer claim not a text',
      dex,
      { ...verified, a: { b: 1 } },
      'claim a.b is not a text that could be an issuer'
    ],
    [
      'issuer claim empty',
      dex,
      { ...verified, a: { b: '' } },
      'claim a.b is not a text that could be an issuer'
    ],
    [
      'issuer claim by a name all objects have',
      { Type: 'email', IssuerClaim: '$.toString' },
      verified,
      'JSONPath key not found'
    ],
    [
      'Kubernetes namespace empty',
      k8s,
      kubernetes('', 'default'),
      'kubernetes.io claim has no valid namespace ("")'
    ],
    [
      'Kubernetes account empty',
      k8s,
      kubernetes('ns', ''),
      'kubernetes.io claim has no valid serviceaccount.name ("")'
    ],
    [
      'Kubernetes namespace with a path',
      k8s,
      kubernetes('a/serviceaccounts/b', 'c'),
      'kubernetes.io claim has no valid namespace ("a/serviceaccounts/b")'
    ],
    [
      'Kubernetes account that leads up',
      k8s,
      kubernetes('a', '../../b'),
      'kubernetes.io claim has no valid serviceaccount.name ("../../b")'
    ],
    ['Kubernetes namespace a number', k8s, kubernetes(1, 'c'), 'claim namespace must be a string'],
    [
      'Kubernetes claim a text',
      k8s,
      { ...base, 'kubernetes.io': 'x' },
      'claim kubernetes.io must be an object'
    ],
    [
      'URI with user information',
      { Type: 'uri', SubjectDomain: ISS },
      { ...base, sub: 'https://example.com@iss.example.com/a' },
      'URI with user information'
    ],
    [
      'URI that only looks like the host',
      { Type: 'uri', SubjectDomain: ISS },
      { ...base, sub: 'https://iss.example.com.evil.test/a' },
      'subject hostname (iss.example.com.evil.test) must match expected domain (iss.example.com)'
    ],
    [
      'URI with a wrong escape',
      { Type: 'uri', SubjectDomain: ISS },
      { ...base, sub: 'https://iss.example.com/%zz' },
      'invalid URL escape "%zz"'
    ],
    [
      'GitHub claim a number',
      { Type: 'github-workflow' },
      github({ run_id: 42 }),
      'claim run_id must be a string'
    ],
    [
      'GitLab runner a text',
      { Type: 'gitlab-pipeline' },
      gitlab({ runner_id: '1' }),
      'claim runner_id must be an integer'
    ],
    [
      'GitLab runner a fraction',
      { Type: 'gitlab-pipeline' },
      gitlab({ runner_id: 1.5 }),
      'claim runner_id must be an integer'
    ],
    ['no subject', email, { ...verified, sub: '' }, 'token has no subject (sub)'],
    ['subject a number', email, { ...verified, sub: 7 }, 'token has no subject (sub)'],
    [
      'type that is none',
      { Type: 'toString', ChallengeClaim: 'sub' },
      base,
      'unsupported issuer type: toString'
    ]
  ]
  for (const [name, members, claims, reason] of cases) {
    t.equal(
      await refusalText(() => identify(configOf(members), claims)),
      `unauthenticated: ${reason}`,
      name
    )
  }
})

function gitlab(changes: object): PrincipalVector['claims'] {
  const { cases } = fulcioVector<{ cases: readonly PrincipalVector[] }>('principals.json')
  const claims = cases.find(({ name }) => name === 'gitlab-pipeline: complete token')?.claims
  return { ...claims, ...base, ...changes }
}

t.test('hostile claims: refused when the certificate is built', async (t) => {
  const verified = { ...base, email: 'a@example.com', email_verified: true }
  const templated = (name: string, extensions: object = {}): object => ({
    ...configOf({ Type: 'ci-provider', CIProvider: 'p' }),
    CIIssuerMetadata: {
      p: { SubjectAlternativeNameTemplate: name, ExtensionTemplates: extensions }
    }
  })
  const provider = (template: string): object =>
    templated('https://ci.example.com/{{ .job }}', { BuildTrigger: template })
  const long = 'x'.repeat(2049)
  const cases: readonly (readonly [string, object, PrincipalVector['claims'], string])[] = [
    [
      'e-mail beyond ASCII',
      configOf({ Type: 'email' }),
      { ...verified, email: 'usér@example.com' },
      'x509: "usér@example.com" cannot be encoded as an IA5String'
    ],
    [
      'subject with a control character',
      configOf({ Type: 'email' }),
      { ...verified, sub: 'a\u0000b' },
      'subject has a control character'
    ],
    [
      'subject with half a character',
      configOf({ Type: 'email' }),
      { ...verified, sub: 'a\ud800' },
      'subject is not well-formed Unicode'
    ],
    [
      'subject too long',
      configOf({ Type: 'email' }),
      { ...verified, sub: long },
      'subject of 2049 bytes is longer than 2048'
    ],
    [
      'user name with a line break',
      configOf({ Type: 'username', SubjectDomain: 'example.com' }),
      { ...base, sub: 'alice\nbob' },
      'subject alternative name has a control character'
    ],
    [
      'URI with a line break',
      provider('job'),
      { ...base, job: 'a\nb' },
      'net/url: invalid control character in URL'
    ],
    [
      'extension with an escape character',
      provider('other'),
      { ...base, job: 'a', other: 'a\u001b[2Jb' },
      'buildTrigger has a control character'
    ],
    [
      'extension too long',
      provider('other'),
      { ...base, job: 'a', other: long },
      'buildTrigger of 2049 bytes is longer than 2048'
    ],
    [
      'URI with a blank',
      provider('job'),
      { ...base, job: 'a b' },
      'URI "https://ci.example.com/a b" has a blank'
    ],
    [
      'URI beyond ASCII',
      provider('job'),
      { ...base, job: 'fünf' },
      'x509: "https://ci.example.com/fünf" cannot be encoded as an IA5String'
    ],
    [
      'URI without a scheme',
      templated('{{ .job }}'),
      { ...base, job: '/a' },
      'URI "/a" has no scheme'
    ],
    [
      'URI with a host that Go cannot read',
      templated('{{ .job }}'),
      { ...base, job: 'https://a..b/c' },
      'URI "https://a..b/c" has an empty label in its host'
    ],
    [
      'URI without a host',
      templated('{{ .job }}'),
      { ...base, job: 'https:///c' },
      'URI "https:///c" has an empty label in its host'
    ],
    [
      'URI with user information',
      templated('{{ .job }}'),
      { ...base, job: 'https://github.com@evil.test/c' },
      'URI with user information'
    ],
    [
      'GitHub path with a blank',
      configOf({ Type: 'github-workflow' }),
      github({ workflow_ref: 'a b' }),
      'URI "https://github.com/a b" has characters that must be escaped'
    ]
  ]
  for (const [name, config, claims, reason] of cases) {
    const principal = await identify(config, claims)
    t.equal(await refusalText(() => principal.buildIdentity()), `invalid_request: ${reason}`, name)
  }
})

t.test('paths of the legacy types are cleaned and escaped as Go does', async (t) => {
  const sanOf = async (job_workflow_ref: string): Promise<string> => {
    const principal = await identify(
      configOf({ Type: 'github-workflow' }),
      github({ job_workflow_ref })
    )
    return principal.buildIdentity().subjectAlternativeName.value
  }
  t.equal(await sanOf('a/../b//c/./d@refs/heads/x'), 'https://github.com/b/c/d@refs/heads/x')
  t.equal(await sanOf('../../a'), 'https://github.com/a')
  t.equal(await sanOf('a/b@refs/heads/fix#12'), 'https://github.com/a/b@refs/heads/fix%2312')
  t.equal(await sanOf('a/b?c'), 'https://github.com/a/b%3Fc')
})

t.test('a trust domain configured as a SPIFFE ID', async (t) => {
  const config = configOf({ Type: 'spiffe', SPIFFETrustDomain: 'spiffe://example.com/any' })
  t.ok(await identify(config, { ...base, sub: 'spiffe://example.com/a' }))
  t.equal(
    await refusalText(() => identify(config, { ...base, sub: 'spiffe://example.org/a' })),
    "unauthenticated: spiffe ID trust domain example.org doesn't match configured trust domain spiffe://example.com/any"
  )
})

t.test('what claims contain is never a template', async (t) => {
  const config = {
    ...configOf({ Type: 'ci-provider', CIProvider: 'p' }),
    CIIssuerMetadata: {
      p: {
        SubjectAlternativeNameTemplate: 'https://ci.example.com/{{ .job }}',
        ExtensionTemplates: { BuildTrigger: 'other', RunInvocationURI: '{{ .other }}' }
      }
    }
  }
  const principal = await identify(config, { ...base, job: 'a', other: '{{ .sub }}' })
  const { extensions } = principal.buildIdentity()
  t.equal(extensions.buildTrigger, '{{ .sub }}')
  t.equal(extensions.runInvocationUri, '{{ .sub }}')
})

t.test('the list of types', (t) => {
  t.equal(new Set(ISSUER_TYPES.map(({ name }) => name)).size, 11)
  t.same(
    ISSUER_TYPES.filter(({ challengeClaim }) => challengeClaim === 'email').map(({ name }) => name),
    ['email']
  )
  t.end()
})
