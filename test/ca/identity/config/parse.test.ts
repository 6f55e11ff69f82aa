import t from 'tap'
import { describeIssuers } from '../../../../src/ca/identity/config/describe.js'
import { findIssuer } from '../../../../src/ca/identity/config/find-issuer.js'
import { parseIdentityConfig } from '../../../../src/ca/identity/config/parse.js'
import { encodePem } from '../../../../src/encoding/pem.js'
import { encodeUtf8 } from '../../../../src/encoding/text.js'
import { fulcioVector, fulcioVectorText } from '../../../helpers/fulcio-vectors.js'
import { mutate } from '../../../helpers/mutations.js'
import { seededRandom } from '../../../helpers/random.js'
import { refusal, unlessRefused } from '../../../helpers/refusals.js'

const parse = (config: unknown) => parseIdentityConfig(JSON.stringify(config))
const problemsOf = async (config: unknown): Promise<readonly string[]> =>
  (await refusal(() => parse(config))).message.split('\n')

interface ValidationVectors {
  readonly cases: readonly {
    readonly name: string
    readonly config: object
    readonly ok?: boolean
    readonly error?: string
  }[]
}

t.test('every vector of the validation', async (t) => {
  const { cases } = fulcioVector<ValidationVectors>('config-validation.json')
  t.equal(cases.length, 23)
  for (const { name, config, ok, error } of cases) {
    if (ok === true) {
      t.doesNotThrow(() => parse(config), name)
    } else if (name === 'unparseable template') {
      const problems = await problemsOf(config)
      t.ok(
        problems.includes(
          'validate: CIIssuerMetadata["p"].ExtensionTemplates.BuildTrigger: ' +
            'template "{{.unclosed": unclosed action, at 1:11'
        ),
        problems.join()
      )
    } else {
      const problems = await problemsOf(config)
      t.equal(problems.length, 1, name)
      t.ok(problems[0]?.startsWith(`validate: ${error ?? ''} (`), `${name}: ${problems[0]}`)
    }
  }
})

t.test('the shipped configuration, in both spellings', (t) => {
  const json = parseIdentityConfig(fulcioVectorText('shipped-config.json'))
  const yaml = parseIdentityConfig(fulcioVectorText('shipped-config-with-alias-keys.yaml'))
  t.equal(json.issuers.length, 22)
  t.equal(json.patterns.length, 9)
  t.equal(json.ciProviders.size, 6)
  const sorted = ({ issuers, patterns, ciProviders }: typeof json) => ({
    issuers: [...issuers].sort((a, b) => (a.key < b.key ? -1 : 1)),
    patterns: [...patterns].sort((a, b) => (a.pattern < b.pattern ? -1 : 1)),
    ciProviders: [...ciProviders].sort(([a], [b]) => (a < b ? -1 : 1))
  })
  t.same(sorted(yaml), sorted(json))
  t.same(yaml.warnings, [])
  t.same(json.warnings, [])
  t.end()
})

const ISS = 'https://iss.example.com'
const good = { IssuerURL: ISS, ClientID: 'sigstore', Type: 'email' }

t.test('all problems at once', async (t) => {
  t.same(
    await problemsOf({
      OIDCIssuers: {
        a: { IssuerURL: 7, ClientID: ['x'], Type: 'email', SkipEmailVerification: 'yes' },
        b: [],
        c: { ...good, type: 'uri' },
        d: { ...good, IssuerClaim: 'federated_claims' }
      },
      MetaIssuers: { e: { ClientID: 'x', Type: 'uri' }, f: 'g' },
      CIIssuerMetadata: {
        p: {
          DefaultTemplateValues: { url: 1 },
          ExtensionTemplates: { BuildTrigger: '{{range .x}}{{end}}', RunnerEnvironment: true },
          SubjectAlternativeNameTemplate: '{{'
        }
      }
    }),
    [
      'parse: OIDCIssuers["a"].IssuerURL must be a text (got number)',
      'parse: OIDCIssuers["a"].ClientID must be a text (got a list)',
      'parse: OIDCIssuers["a"].SkipEmailVerification must be true or false (got string)',
      'parse: OIDCIssuers["b"] must be a map (got a list)',
      'parse: OIDCIssuers["c"].type is there twice',
      'parse: MetaIssuers["f"] must be a map (got string)',
      'parse: CIIssuerMetadata["p"].DefaultTemplateValues["url"] must be a text (got number)',
      'parse: CIIssuerMetadata["p"].ExtensionTemplates.RunnerEnvironment must be a text (got boolean)',
      'validate: CIIssuerMetadata["p"].ExtensionTemplates.BuildTrigger: template "{{range .x}}{{end}}": ' +
        '"range" is not supported, at 1:0',
      'validate: CIIssuerMetadata["p"].SubjectAlternativeNameTemplate: template "{{": unclosed action, at 1:2',
      'validate: issuer missing challenge claim (issuer b)',
      'validate: IssuerClaim must be a path of names such as $.federated_claims.connector_id (issuer d)',
      'validate: uri issuer must have SubjectDomain set (meta issuer e)',
      'validate: issuer missing challenge claim (meta issuer f)'
    ]
  )
})

t.test('nothing configured, and the wrong spelling', async (t) => {
  const none =
    'parse: no issuers configured; a JSON file has them under OIDCIssuers, not oidc-issuers'
  t.same(await problemsOf({}), [none])
  t.same(await problemsOf({ 'oidc-issuers': { [ISS]: good } }), [none])
  t.same(await problemsOf(null), [none])
  t.same(await problemsOf([]), ['parse: the file must be a map (got a list)', none])
  const yaml = 'OIDCIssuers:\n  https://a:\n    IssuerURL: https://a\n'
  t.equal(
    (await refusal(() => parseIdentityConfig(yaml))).message,
    'parse: no issuers configured; a YAML file has them under oidc-issuers, not OIDCIssuers'
  )
  t.match((await refusal(() => parseIdentityConfig('a: [b'))).message, /^parse: .*line 1/)
  t.match((await refusal(() => parseIdentityConfig('a: 1\na: 2'))).message, /^parse: .*unique/)
  t.match((await refusal(() => parseIdentityConfig('{"OIDCIssuers":'))).message, /^parse: /)
})

t.test('JSON names in any case, null as good as absent, names without meaning', (t) => {
  const config = parse({
    oidcissuers: { [ISS]: { issuerurl: ISS, CLIENTID: 'x', tYPE: 'email', CACert: null, Typo: 1 } },
    CIIssuerMetadata: null,
    Other: true
  })
  t.equal(config.issuers[0]?.clientId, 'x')
  t.equal(config.issuers[0]?.caCert, '')
  t.same(config.warnings, [
    'Other has no meaning here',
    `OIDCIssuers["${ISS}"].Typo has no meaning here`
  ])
  t.end()
})

t.test('warnings', (t) => {
  const config = parse({
    OIDCIssuers: {
      a: { ...good },
      [ISS]: { IssuerURL: ISS, Type: 'ci-provider', CIProvider: 'nope' }
    },
    MetaIssuers: { 'https://*': { Type: 'email' } },
    CIIssuerMetadata: {
      p: { ExtensionTemplates: { Issuer: 'x', Subject: '{{ .sub }}', BuildTrigger: ' ' } }
    }
  })
  t.same(config.warnings, [
    'CIIssuerMetadata["p"].ExtensionTemplates.Issuer has no effect',
    'CIIssuerMetadata["p"].ExtensionTemplates.Subject has no effect',
    `OIDCIssuers["a"] matches no token: its IssuerURL is "${ISS}"`,
    `OIDCIssuers["${ISS}"] has no ClientID and so refuses every token`,
    'MetaIssuers["https://*"] has no ClientID and so refuses every token',
    `OIDCIssuers["${ISS}"] refuses every token: CIIssuerMetadata has no "nope"`,
    'CIIssuerMetadata["p"] has no SubjectAlternativeNameTemplate'
  ])
  t.equal(config.ciProviders.get('p')?.extensions.size, 0)
  t.end()
})

const [ca] = fulcioVector<{ cases: readonly { certChainPem: string }[] }>('file-ca.json').cases
const shippedCa = ca?.certChainPem ?? ''
const otherPem = encodePem('PUBLIC KEY', Uint8Array.of(5, 0))
const damagedPem = encodePem('CERTIFICATE', Uint8Array.of(5, 0))

t.test('members of our own', async (t) => {
  const config = parse({
    OIDCIssuers: {
      a: { ...good, JWKSFile: 'keys.json' },
      b: { ...good, CACertFile: 'ca.pem', DiscoveryURL: 'http://10.0.0.1:8080/openid' }
    },
    MetaIssuers: { 'https://*.example.com': { ClientID: 'x', Type: 'email', CACertFile: 'ca.pem' } }
  })
  t.equal(config.issuers[0]?.jwksFile, 'keys.json')
  t.equal(config.issuers[1]?.discoveryUrl, 'http://10.0.0.1:8080/openid')
  t.equal(config.patterns[0]?.issuer.caCertFile, 'ca.pem')
  const yaml = parseIdentityConfig(
    'oidc-issuers:\n  https://a:\n    type: email\n    jwks-file: k\n  https://b:\n    type: email\n' +
      '    ca-cert-file: c\n    discovery-url: https://d\n'
  )
  t.equal(yaml.issuers[0]?.jwksFile, 'k')
  t.same([yaml.issuers[1]?.caCertFile, yaml.issuers[1]?.discoveryUrl], ['c', 'https://d'])

  const refused: readonly (readonly [object, string])[] = [
    [{ JWKSFile: 'k', DiscoveryURL: 'https://a' }, 'JWKSFile and DiscoveryURL exclude each other'],
    [{ CACert: shippedCa, CACertFile: 'c' }, 'CACert and CACertFile exclude each other'],
    [{ CACert: `${shippedCa}${otherPem}` }, `failed to parse CA certificate for issuer ${ISS}`],
    [{ CACert: damagedPem }, `failed to parse CA certificate for issuer ${ISS}`],
    [{ JWKSFile: 'k', CACertFile: 'c' }, 'JWKSFile leaves no use for a CA certificate'],
    ...['ftp://a', 'a', 'https://u:p@a/', 'https://a/#b'].map((address) => {
      const problem =
        'DiscoveryURL must be an http or https URL without user information or fragment'
      return [{ DiscoveryURL: address }, problem] as const
    })
  ]
  for (const [members, problem] of refused) {
    t.same(await problemsOf({ OIDCIssuers: { [ISS]: { ...good, ...members } } }), [
      `validate: ${problem} (issuer ${ISS})`
    ])
  }
  for (const members of [{ JWKSFile: 'k' }, { DiscoveryURL: 'https://a' }]) {
    t.same(await problemsOf({ MetaIssuers: { 'https://*': { ...good, ...members } } }), [
      'validate: meta issuers cannot have JWKSFile or DiscoveryURL (meta issuer https://*)'
    ])
  }
})

t.test('rules for patterns', async (t) => {
  const problemOf = async (members: object): Promise<string | undefined> =>
    (await problemsOf({ MetaIssuers: { 'https://*': { ClientID: 'x', ...members } } }))[0]
  const where = '(meta issuer https://*)'
  t.equal(
    await problemOf({ Type: 'email', CACert: 'x' }),
    `validate: failed to parse CA certificate for meta issuer https://* ${where}`
  )
  t.equal(
    await problemOf({ Type: 'username', SubjectDomain: 'https://a' }),
    `validate: SubjectDomain for username should not contain scheme ${where}`
  )
  t.equal(
    await problemOf({ Type: 'kubernetes', IssuerClaim: '$.a' }),
    `validate: only email issuers can use issuer claim mapping ${where}`
  )
  t.doesNotThrow(() =>
    parse({ MetaIssuers: { 'https://*': { Type: 'uri', SubjectDomain: 'https://a.example' } } })
  )
})

t.test('domains under a registry are not shared', async (t) => {
  const configOf = (issuer: string, subject: string): object => ({
    OIDCIssuers: {
      i: { ...good, IssuerURL: `https://${issuer}`, Type: 'username', SubjectDomain: subject }
    }
  })
  t.same(await problemsOf(configOf('a.co.uk', 'b.co.uk')), [
    'validate: hostname top-level and second-level domains do not match: b.co.uk, a.co.uk (issuer i)'
  ])
  t.doesNotThrow(() => parse(configOf('x.a.co.uk', 'y.a.co.uk')))
  t.doesNotThrow(() => parse(configOf('x.example.uk', 'y.example.uk')))
  t.same(await problemsOf(configOf('user@a.example.com', 'b.example.com')), [
    'validate: URI with user information (issuer i)'
  ])
})

t.test('which issuer a token is of', (t) => {
  const config = parse({
    OIDCIssuers: {
      'https://a.example.com': { ...good, IssuerURL: 'https://a.example.com' },
      b: good
    },
    MetaIssuers: {
      'https://*.example.com': { ClientID: 'first', Type: 'email', ChallengeClaim: 'x' },
      'https://*.*.com': { ClientID: 'second', Type: 'email', IssuerClaim: '$.a' }
    }
  })
  t.equal(findIssuer(config, 'https://a.example.com')?.issuer.clientId, 'sigstore')
  const match = findIssuer(config, 'https://c.example.com')
  t.equal(match?.pattern, 'https://*.example.com')
  t.equal(match?.issuer.clientId, 'first')
  t.equal(match?.issuer.issuerUrl, 'https://c.example.com')
  t.equal(match?.issuer.challengeClaim, '')
  t.same(findIssuer(config, 'https://c.other.com')?.issuer.issuerClaim, ['a'])
  t.equal(findIssuer(config, ISS)?.pattern, 'https://*.example.com', 'not the entry under b')
  t.equal(findIssuer(config, 'b'), undefined)
  t.end()
})

t.test('patterns', (t) => {
  const groups =
    fulcioVector<
      readonly { pattern: string; match: readonly string[]; noMatch: readonly string[] }[]
    >('meta-issuers.json')
  t.equal(groups.length, 6)
  for (const { pattern, match, noMatch } of groups) {
    const config = parse({ MetaIssuers: { [pattern]: { ClientID: 'x', Type: 'kubernetes' } } })
    for (const issuer of match) t.equal(findIssuer(config, issuer)?.pattern, pattern, issuer)
    for (const issuer of noMatch) t.equal(findIssuer(config, issuer), undefined, issuer)
  }
  const odd = parse({ MetaIssuers: { 'https://a.b/(c)+[d]?*$': { ClientID: 'x', Type: 'email' } } })
  t.ok(findIssuer(odd, 'https://a.b/(c)+[d]?x$'))
  t.notOk(findIssuer(odd, 'https://axb/ccdx'))
  t.end()
})

t.test('what the API tells', (t) => {
  const config = parse({
    OIDCIssuers: {
      'https://b': { ...good, IssuerURL: 'https://b', SkipEmailVerification: true },
      'https://a': {
        IssuerURL: 'https://a',
        ClientID: 'x',
        Type: 'spiffe',
        SPIFFETrustDomain: 'example.com'
      },
      'https://c': { IssuerURL: 'https://c', ClientID: 'x', Type: 'other', ChallengeClaim: 'z' }
    },
    MetaIssuers: { 'https://*': { ClientID: 'y', Type: 'kubernetes' } }
  })
  const members = { audience: 'x', spiffeTrustDomain: '', subjectDomain: '' }
  t.same(describeIssuers(config), [
    {
      ...members,
      issuerUrl: 'https://a',
      challengeClaim: 'sub',
      spiffeTrustDomain: 'example.com',
      issuerType: 'spiffe',
      skipEmailVerification: false
    },
    {
      ...members,
      issuerUrl: 'https://b',
      audience: 'sigstore',
      challengeClaim: 'email',
      issuerType: 'email',
      skipEmailVerification: true
    },
    {
      ...members,
      issuerUrl: 'https://c',
      challengeClaim: 'z',
      issuerType: 'other',
      skipEmailVerification: false
    },
    {
      ...members,
      wildcardIssuerUrl: 'https://*',
      audience: 'y',
      challengeClaim: 'sub',
      issuerType: 'kubernetes',
      skipEmailVerification: false
    }
  ])
  t.end()
})

t.test('the result is frozen', (t) => {
  const config = parseIdentityConfig(fulcioVectorText('shipped-config.json'))
  t.ok(Object.isFrozen(config))
  t.ok(Object.isFrozen(config.issuers[0]))
  t.ok(Object.isFrozen(config.patterns[0]?.issuer))
  t.ok(Object.isFrozen(config.ciProviders.get('github-workflow')))
  t.end()
})

t.test('fuzz: nothing but LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const yaml = fulcioVectorText('shipped-config-with-alias-keys.yaml')
  const samples = [
    encodeUtf8(yaml.slice(yaml.indexOf('ci-issuer-metadata:'))),
    encodeUtf8(yaml.slice(0, 1500)),
    encodeUtf8(JSON.stringify({ OIDCIssuers: { [ISS]: { ...good, IssuerClaim: '$.a.b' } } }))
  ]
  let read = 0
  for (let i = 0; i < 200; i++) {
    const text = Buffer.from(mutate(random.pick(samples), random)).toString('latin1')
    if ((await unlessRefused(() => parseIdentityConfig(text))) !== undefined) read++
  }
  t.ok(read > 0, `${read} of 200 read`)
})
