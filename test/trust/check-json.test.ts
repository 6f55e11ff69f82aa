/* eslint-disable @typescript-eslint/no-unsafe-assignment -- files are broken here in ways no type allows */
import { createHash, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { decodeUtf8, encodeUtf8 } from '../../src/encoding/text.js'
import { checkTrustFile, type TrustFinding } from '../../src/trust/check.js'
import { buildClientTrustConfig } from '../../src/trust/client-trust-config.js'
import { buildSigningConfig } from '../../src/trust/signing-config.js'
import { buildTrustedRoot } from '../../src/trust/trusted-root.js'
import { spkiOf } from '../helpers/certificates.js'
import {
  createTrustState,
  newCertificateAuthority,
  newTimestampAuthority,
  NOW_SECONDS,
  SECOND
} from '../helpers/trust-state.js'

const state = await createTrustState()

/** A JSON file in which anything may be put anywhere. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the point is to break types
type Loose = any

function check(bytes: Uint8Array, nowSeconds = NOW_SECONDS): readonly TrustFinding[] {
  return checkTrustFile({ bytes, state, nowSeconds })
}

function notOk(findings: readonly TrustFinding[]): readonly string[] {
  return findings
    .filter(({ severity }) => severity !== 'ok')
    .map(({ severity, where }) => `${severity} ${where}`)
}

/** What is found in a file of ours after a change. */
function changed(
  build: (of: typeof state) => Uint8Array,
  change: (value: Loose) => void
): readonly TrustFinding[] {
  const value: Loose = JSON.parse(decodeUtf8(build(state)))
  change(value)
  return check(encodeUtf8(JSON.stringify(value)))
}

interface Case {
  readonly change: (value: Loose) => void
  /** Severity and place of all that is not ok. */
  readonly found: readonly string[]
  /** What the first says. */
  readonly says: RegExp
}

const strangersKey = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
const p224 = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-224' }).publicKey)

function setKey(log: Loose, key: Uint8Array): void {
  log.publicKey.rawBytes = encodeBase64(key)
  log.logId.keyId = createHash('sha256').update(key).digest('base64')
}

async function authorityJson(kind: 'certificateAuthorities' | 'timestampAuthorities') {
  const other = {
    ...state,
    certificateAuthorities: [await newCertificateAuthority('other', SECOND)],
    timestampAuthorities: [await newTimestampAuthority(SECOND, false)]
  }
  return (JSON.parse(decodeUtf8(buildTrustedRoot(other))) as Loose)[kind][0] as Loose
}

const otherCa = await authorityJson('certificateAuthorities')
const otherTsa = await authorityJson('timestampAuthorities')

t.test('what the server publishes has nothing wrong', (t) => {
  for (const build of [buildTrustedRoot, buildSigningConfig, buildClientTrustConfig]) {
    const findings = check(build(state))
    t.ok(findings.length > 4, 'says what is right')
    t.same(
      findings.filter(({ severity }) => severity !== 'ok'),
      []
    )
  }
  const wheres = check(buildTrustedRoot(state)).map(({ where }) => where)
  t.same(wheres, [
    'file',
    'tlogs[0]',
    'tlogs[1]',
    'certificateAuthorities[0]',
    'certificateAuthorities[1]',
    'ctlogs[0]',
    'ctlogs[1]',
    'timestampAuthorities[0]',
    'timestampAuthorities[1]'
  ])
  t.end()
})

const V01 = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1'

const ROOT_CASES: Readonly<Record<string, Case>> = {
  'version 0.2': {
    change: (root) => (root.mediaType = 'application/vnd.dev.sigstore.trustedroot.v0.2+json'),
    found: ['error mediaType'],
    says: /sigstore-go .* and sigstore-python refuse/
  },
  'another spelling of the media type': {
    change: (root) => (root.mediaType = `${V01} `),
    found: ['error mediaType'],
    says: /write application/
  },
  'no media type': {
    change: (root) => delete root.mediaType,
    found: ['error mediaType'],
    says: /is missing/
  },
  'unknown member': {
    change: (root) => (root.tlogs[0].note = 'x'),
    found: ['error tlogs[0]'],
    says: /"note".*remove them/
  },
  'many unknown members': {
    change: (root) => Object.assign(root, Object.fromEntries([...'abcdefg'].map((c) => [c, 1]))),
    found: ['error file'],
    says: /"e" and 2 more/
  },
  'checkpoint key id': {
    change: (root) => (root.tlogs[1].checkpointKeyId = { keyId: 'AAAAAA==' }),
    found: ['error tlogs[1].checkpointKeyId'],
    says: /remove it/
  },
  'operators of version 0.2': {
    change: (root) => {
      root.tlogs[1].operator = 'x'
      root.certificateAuthorities[0].operator = 'x'
    },
    found: ['error tlogs[1].operator', 'error certificateAuthorities[0].operator'],
    says: /0\.2/
  },
  'names in snake case': {
    change: (root) => {
      root.tlogs[0].base_url = root.tlogs[0].baseUrl
      delete root.tlogs[0].baseUrl
    },
    found: ['warning tlogs[0].base_url'],
    says: /write it as baseUrl/
  },
  'key in use missing': {
    change: (root) => root.tlogs.pop(),
    found: ['error tlogs'],
    says: /key of the log in use \(log id [0-9a-f]{16}\.\.\.\): fetch/
  },
  'older key missing': {
    change: (root) => root.ctlogs.shift(),
    found: ['warning ctlogs'],
    says: /from 2026-01-01T00:00:00Z to 2026-06-30T00:00:00Z/
  },
  'no logs at all': {
    change: (root) => delete root.tlogs,
    found: ['warning tlogs', 'error tlogs'],
    says: /fetch/
  },
  'null is the same as nothing': {
    change: (root) => (root.ctlogs = null),
    found: ['warning ctlogs', 'error ctlogs'],
    says: /fetch/
  },
  'a log of another instance': {
    change: (root) => {
      root.tlogs.unshift(structuredClone(root.tlogs[1]))
      setKey(root.tlogs[0], strangersKey)
    },
    found: ['warning tlogs[0]'],
    says: /another log .* not of this server/
  },
  'a key that has no name': {
    change: (root) => {
      root.tlogs.push(structuredClone(root.tlogs[1]))
      setKey(root.tlogs[2], p224)
    },
    found: ['error tlogs[2].publicKey.rawBytes', 'warning tlogs[2]'],
    says: /no name in a trusted root/
  },
  'window not closed': {
    change: (root) => delete root.tlogs[0].publicKey.validFor.end,
    found: ['warning tlogs[0].publicKey.validFor.end'],
    says: /replaced at 2026-06-30T00:00:00Z/
  },
  'window closed later': {
    change: (root) => (root.tlogs[0].publicKey.validFor.end = '2026-07-30T00:00:00Z'),
    found: ['warning tlogs[0].publicKey.validFor.end'],
    says: /later than here/
  },
  'end before ours': {
    change: (root) => (root.tlogs[0].publicKey.validFor.end = '2026-05-01T00:00:00Z'),
    found: ['error tlogs[0].publicKey.validFor.end'],
    says: /write 2026-06-30T00:00:00Z/
  },
  'an end where there is none': {
    change: (root) => (root.ctlogs[1].publicKey.validFor.end = '2026-08-01T00:00:00Z'),
    found: ['error ctlogs[1].publicKey.validFor.end'],
    says: /leave it out/
  },
  'start later than ours': {
    change: (root) => (root.tlogs[1].publicKey.validFor.start = '2026-07-30T12:00:00+02:00'),
    found: ['error tlogs[1].publicKey.validFor.start'],
    says: /is 2026-07-30T10:00:00Z, .* before is refused: write 2026-06-30T00:00:00Z/
  },
  'start earlier than ours is no harm': {
    change: (root) => {
      root.tlogs[1].publicKey.validFor.start = '2026-06-01T00:00:00.250Z'
      root.certificateAuthorities[1].validFor.start = '2026-06-01T00:00:00Z'
    },
    found: [],
    says: /^is a trusted root/
  },
  'start in the future': {
    change: (root) => (root.timestampAuthorities[1].validFor.start = '2027-01-01T00:00:00Z'),
    found: ['error timestampAuthorities[1].validFor.start'],
    says: /in the future/
  },
  'no start': {
    change: (root) => delete root.tlogs[1].publicKey.validFor.start,
    found: ['error tlogs[1].publicKey.validFor.start'],
    says: /is missing/
  },
  'no window': {
    change: (root) => {
      delete root.tlogs[1].publicKey.validFor
      delete root.certificateAuthorities[1].validFor
    },
    found: [
      'error tlogs[1].publicKey.validFor.start',
      'error certificateAuthorities[1].validFor.start'
    ],
    says: /is missing/
  },
  'end before start': {
    change: (root) => (root.tlogs[0].publicKey.validFor.end = '2025-05-01T00:00:00Z'),
    found: ['error tlogs[0].publicKey.validFor'],
    says: /ends before it starts/
  },
  'times that are none': {
    change: (root) => {
      root.tlogs[0].publicKey.validFor.start = '2026-02-30T00:00:00Z'
      root.tlogs[1].publicKey.validFor.start = 'yesterday'
      root.ctlogs[1].publicKey.validFor.start = 5
    },
    found: [
      'error tlogs[0].publicKey.validFor.start',
      'error tlogs[1].publicKey.validFor.start',
      'error ctlogs[1].publicKey.validFor.start'
    ],
    says: /must be a time/
  },
  'address with a slash': {
    change: (root) => (root.tlogs[1].baseUrl += '/'),
    found: ['warning tlogs[1].baseUrl'],
    says: /slash at the end/
  },
  'address without TLS': {
    change: (root) => (root.tlogs[1].baseUrl = 'http://sigstead.example.test'),
    found: ['warning tlogs[1].baseUrl'],
    says: /"http" instead of https/
  },
  'address at another host': {
    change: (root) => (root.tlogs[1].baseUrl = 'https://rekor.example.test'),
    found: ['error tlogs[1].baseUrl'],
    says: /another host/
  },
  'address of a CT log at another host': {
    change: (root) => (root.ctlogs[1].baseUrl = 'https://ct.example.test/ct/2027'),
    found: ['warning ctlogs[1].baseUrl'],
    says: /another host/
  },
  'no address': {
    change: (root) => delete root.tlogs[1].baseUrl,
    found: ['warning tlogs[1].baseUrl'],
    says: /sigstore-js/
  },
  'no URL, and a control character': {
    change: (root) => (root.tlogs[1].baseUrl = '\u001b[2J'),
    found: ['error tlogs[1].baseUrl'],
    says: /"\\u\{1b\}\[2J"/
  },
  'wrong hash': {
    change: (root) => (root.tlogs[1].hashAlgorithm = 'SHA2_512'),
    found: ['error tlogs[1].hashAlgorithm'],
    says: /write SHA2_256/
  },
  'wrong log id': {
    change: (root) => (root.tlogs[1].logId = root.tlogs[0].logId),
    found: ['error tlogs[1].logId.keyId'],
    says: /is not SHA-256 of the key/
  },
  'wrong key details': {
    change: (root) => (root.tlogs[1].publicKey.keyDetails = 'PKIX_ED25519'),
    found: ['error tlogs[1].publicKey.keyDetails'],
    says: /write PKIX_ECDSA_P256_SHA_256/
  },
  'members missing': {
    change: (root) => {
      delete root.tlogs[1].hashAlgorithm
      delete root.tlogs[1].logId
      delete root.ctlogs[1].logId.keyId
      delete root.ctlogs[1].publicKey.keyDetails
    },
    found: [
      'error tlogs[1].hashAlgorithm',
      'error tlogs[1].logId',
      'error ctlogs[1].publicKey.keyDetails',
      'error ctlogs[1].logId.keyId'
    ],
    says: /is missing/
  },
  'no key': {
    change: (root) => delete root.tlogs[1].publicKey,
    found: ['error tlogs[1].publicKey', 'error tlogs'],
    says: /is missing/
  },
  'key that is none': {
    change: (root) => (root.tlogs[1].publicKey.rawBytes = 'AAAA'),
    found: ['error tlogs[1].publicKey.rawBytes', 'error tlogs'],
    says: /no public key/
  },
  'base64 of the URL kind': {
    change: (root) => (root.tlogs[1].logId.keyId = '_-=='),
    found: ['error tlogs[1].logId.keyId'],
    says: /standard base64/
  },
  'wrong types': {
    change: (root) => {
      root.tlogs[0].baseUrl = 5
      root.tlogs[0].logId = 'x'
      root.tlogs[0].publicKey.rawBytes = {}
    },
    found: [
      'error tlogs[0].baseUrl',
      'error tlogs[0].logId',
      'error tlogs[0].publicKey.rawBytes',
      'warning tlogs'
    ].sort(),
    says: /must be/
  },
  'no list': {
    change: (root) => (root.timestampAuthorities = {}),
    found: [
      'error timestampAuthorities',
      'error timestampAuthorities',
      'warning timestampAuthorities'
    ],
    says: /must be a list/
  },
  'list of something else': {
    change: (root) => root.tlogs.push(7),
    found: ['error tlogs[2]'],
    says: /must be an object/
  },
  'more entries than anybody has': {
    change: (root) => {
      for (let i = 0; i < 300; i++) root.tlogs.push(root.tlogs[1])
    },
    found: ['error tlogs'],
    says: /more than 200/
  },
  'chain reversed': {
    change: (root) => root.certificateAuthorities[1].certChain.certificates.reverse(),
    found: ['error certificateAuthorities[1].certChain'],
    says: /root first/
  },
  'chain out of order': {
    change: (root) => {
      const { certificates } = root.timestampAuthorities[1].certChain
      certificates.unshift(certificates.splice(1, 1)[0])
    },
    found: ['error timestampAuthorities[1].certChain'],
    says: /not in the order/
  },
  'chain without its root': {
    change: (root) => root.certificateAuthorities[1].certChain.certificates.pop(),
    found: ['error certificateAuthorities[1].certChain'],
    says: /1 of 2 certificates above the first are missing/
  },
  'chain without what signs': {
    change: (root) => root.certificateAuthorities[1].certChain.certificates.shift(),
    found: ['error certificateAuthorities[1].certChain'],
    says: /1 of 2 certificates that sign are missing/
  },
  'TSA with one certificate': {
    change: (root) => root.timestampAuthorities[1].certChain.certificates.splice(1),
    found: ['error timestampAuthorities[1].certChain'],
    says: /2 of 3 .* sigstore-python wants two/
  },
  'chain with a stranger in it': {
    change: (root) =>
      (root.certificateAuthorities[1].certChain.certificates[1] =
        otherCa.certChain.certificates[1]),
    found: ['error certificateAuthorities[1].certChain'],
    says: /some of it differs/
  },
  'authority of another instance': {
    change: (root) => root.certificateAuthorities.push(otherCa),
    found: ['warning certificateAuthorities[2].certChain'],
    says: /another certificate authority/
  },
  'TSA of another instance with one certificate': {
    change: (root) => {
      const own = structuredClone(otherTsa)
      own.certChain.certificates.shift()
      root.timestampAuthorities.push(own)
    },
    found: ['error timestampAuthorities[2].certChain', 'warning timestampAuthorities[2].certChain'],
    says: /another timestamp authority|one certificate only/
  },
  'chains of another instance in disorder': {
    change: (root) => {
      const reversed = structuredClone(otherCa)
      reversed.certChain.certificates.reverse()
      const cut = structuredClone(otherCa)
      cut.certChain.certificates.pop()
      const mixed = structuredClone(otherCa)
      mixed.certChain.certificates[1] = otherTsa.certChain.certificates[1]
      root.certificateAuthorities.push(reversed, cut, mixed)
    },
    found: [2, 3, 4].flatMap((i) => [
      `warning certificateAuthorities[${i}].certChain`,
      `error certificateAuthorities[${i}].certChain`
    ]),
    says: /another certificate authority/
  },
  'authority in use missing': {
    change: (root) => root.certificateAuthorities.pop(),
    found: ['error certificateAuthorities'],
    says: /in use/
  },
  'older authority missing': {
    change: (root) => root.timestampAuthorities.shift(),
    found: ['warning timestampAuthorities'],
    says: /to 2026-06-30T00:00:00Z/
  },
  'authority at another address': {
    change: (root) => {
      delete root.certificateAuthorities[1].uri
      root.timestampAuthorities[1].uri = 'https://sigstead.example.test'
    },
    found: ['warning certificateAuthorities[1].uri', 'warning timestampAuthorities[1].uri'],
    says: /is missing/
  },
  'certificate that is none': {
    change: (root) => (root.certificateAuthorities[1].certChain.certificates[0].rawBytes = 'MAA='),
    found: [
      'error certificateAuthorities[1].certChain.certificates[0]',
      'error certificateAuthorities'
    ],
    says: /no certificate/
  },
  'no chain': {
    change: (root) => delete root.certificateAuthorities[1].certChain,
    found: [
      'error certificateAuthorities[1].certChain.certificates',
      'error certificateAuthorities'
    ],
    says: /is missing/
  }
}

for (const [title, { change, found, says }] of Object.entries(ROOT_CASES)) {
  t.test(`trusted root: ${title}`, (t) => {
    const findings = changed(buildTrustedRoot, change)
    t.same(notOk(findings).toSorted(), found.toSorted())
    const first = findings.find(({ severity }) => severity !== 'ok') ?? findings[0]
    t.match(first?.message, says)
    t.end()
  })
}

t.test('trusted root: expired certificates, where they are still in use', (t) => {
  const aYearOn = NOW_SECONDS + 365 * 24 * 3600
  t.same(notOk(check(buildTrustedRoot(state), aYearOn)), [
    'error timestampAuthorities[1].certChain.certificates[0]',
    'error timestampAuthorities[1].certChain.certificates[1]',
    'error timestampAuthorities[1].certChain.certificates[2]'
  ])
  t.end()
})

t.test('trusted root: a clock that is behind', (t) => {
  const findings = check(buildTrustedRoot(state), state.rekorLogs[0]?.validity.startSeconds)
  t.same(
    notOk(findings),
    [
      'tlogs[1].publicKey.validFor.start',
      'certificateAuthorities[1].validFor.start',
      'ctlogs[1].publicKey.validFor.start',
      'timestampAuthorities[1].validFor.start'
    ].map((where) => `error ${where}`)
  )
  t.match(findings.find(({ severity }) => severity === 'error')?.message, /look at the clock/)
  t.end()
})

const CONFIG_CASES: Readonly<Record<string, Case>> = {
  'version 0.1': {
    change: (config) => (config.mediaType = 'application/vnd.dev.sigstore.signingconfig.v0.1+json'),
    found: ['error mediaType'],
    says: /version 0\.1, which no client reads any more/
  },
  'version 0.1 by its members': {
    change: (config) => {
      delete config.mediaType
      config.caUrl = 'https://sigstead.example.test'
    },
    found: ['error mediaType'],
    says: /version 0\.1/
  },
  'no media type': {
    change: (config) => delete config.mediaType,
    found: ['error mediaType'],
    says: /is missing/
  },
  'slash at the end': {
    change: (config) => (config.caUrls[0].url += '/'),
    found: ['error caUrls[0].url'],
    says: /slash at the end, .*: write https:\/\/sigstead\.example\.test$/
  },
  'TSA without a path': {
    change: (config) => (config.tsaUrls[0].url = 'https://sigstead.example.test'),
    found: ['error tsaUrls[0].url'],
    says: /without a path.*write https:\/\/sigstead\.example\.test\/api\/v1\/timestamp/
  },
  'TSA with another path': {
    change: (config) => (config.tsaUrls[0].url = 'https://sigstead.example.test/tsa'),
    found: ['error tsaUrls[0].url'],
    says: /another path/
  },
  'without TLS': {
    change: (config) => (config.rekorTlogUrls[0].url = 'http://sigstead.example.test:3000'),
    found: ['error rekorTlogUrls[0].url'],
    says: /"http" instead of https/
  },
  'another host, and a password': {
    change: (config) => (config.oidcUrls[0].url = 'https://me:secret@other.example.test'),
    found: ['error oidcUrls[0].url'],
    says: /"https:\/\/\.\.\.@other\.example\.test", another host/
  },
  'a Rekor of version 2': {
    change: (config) =>
      config.rekorTlogUrls.unshift({ ...config.rekorTlogUrls[0], majorApiVersion: 2 }),
    found: ['error rekorTlogUrls[0]'],
    says: /Rekor of version 2, which this server has not/
  },
  'another version': {
    change: (config) => (config.caUrls[0].majorApiVersion = 3),
    found: ['error caUrls[0].majorApiVersion', 'error caUrls'],
    says: /no such version/
  },
  'a version that is none': {
    change: (config) => (config.caUrls[0].majorApiVersion = '1'),
    found: ['error caUrls[0].majorApiVersion'],
    says: /whole number/
  },
  'start in the future': {
    change: (config) => (config.tsaUrls[0].validFor.start = '2030-01-01T00:00:00Z'),
    found: ['error tsaUrls[0].validFor.start'],
    says: /in the future/
  },
  'end that is over': {
    change: (config) => (config.tsaUrls[0].validFor.end = '2026-02-01T00:00:00Z'),
    found: ['error tsaUrls[0].validFor.end'],
    says: /longer/
  },
  'end that comes': {
    change: (config) => (config.tsaUrls[0].validFor.end = '2030-02-01T00:00:00Z'),
    found: ['warning tsaUrls[0].validFor.end'],
    says: /longer/
  },
  'end before start': {
    change: (config) => (config.tsaUrls[0].validFor.end = '2020-02-01T00:00:00Z'),
    found: ['error tsaUrls[0].validFor'],
    says: /ends before it starts/
  },
  'no selectors': {
    change: (config) => {
      delete config.rekorTlogConfig
      delete config.tsaConfig.selector
    },
    found: ['error rekorTlogConfig.selector', 'error tsaConfig.selector'],
    says: /cosign 3/
  },
  'another selector': {
    change: (config) => (config.tsaConfig = { selector: 'EXACT', count: 1 }),
    found: ['error tsaConfig.selector'],
    says: /sigstore-js knows no other than ANY/
  },
  'another operator': {
    change: (config) => (config.caUrls[0].operator = 'somebody'),
    found: ['warning caUrls[0].operator'],
    says: /write sigstead\.example\.test/
  },
  'members missing': {
    change: (config) => {
      delete config.caUrls[0].operator
      delete config.oidcUrls[0].url
      delete config.tsaUrls[0].validFor
    },
    found: [
      'error caUrls[0].operator',
      'error oidcUrls[0].url',
      'error tsaUrls[0].validFor.start',
      'error oidcUrls'
    ],
    says: /is missing/
  },
  'service missing': {
    change: (config) => (config.caUrls = []),
    found: ['error caUrls'],
    says: /without the certificate authority in use: add https/
  },
  'unknown member': {
    change: (config) => (config.extra = {}),
    found: ['error file'],
    says: /"extra"/
  }
}

for (const [title, { change, found, says }] of Object.entries(CONFIG_CASES)) {
  t.test(`signing config: ${title}`, (t) => {
    const findings = changed(buildSigningConfig, change)
    t.same(notOk(findings).toSorted(), found.toSorted())
    t.match(findings.find(({ severity }) => severity !== 'ok')?.message, says)
    t.end()
  })
}

t.test('signing config: addresses that are given up, and services that are not there', (t) => {
  const service = state.services.rekor[0]
  if (service === undefined) throw new Error('no service')
  const end = (endSeconds: number): typeof state => ({
    ...state,
    services: {
      ...state.services,
      rekor: [{ ...service, validity: { ...service.validity, endSeconds } }],
      tsa: []
    }
  })
  for (const [endSeconds, severity] of [
    [NOW_SECONDS - 1, 'error'],
    [NOW_SECONDS + 1, 'warning']
  ] as const) {
    const findings = checkTrustFile({
      bytes: buildSigningConfig(state),
      state: end(endSeconds),
      nowSeconds: NOW_SECONDS
    })
    t.same(notOk(findings), [`${severity} rekorTlogUrls[0].validFor.end`, 'error tsaUrls[0].url'])
    t.match(findings.at(-1)?.message, /no timestamp authority: remove/)
  }
  t.end()
})

t.test('client trust config: each part under its name', (t) => {
  t.same(
    notOk(
      changed(buildClientTrustConfig, (value) => {
        delete value.mediaType
        value.trustedRoot.tlogs.pop()
        value.signingConfig.caUrls[0].url += '/'
        value.signingConfig.oidcUrls = []
      })
    ),
    [
      'error mediaType',
      'error trustedRoot.tlogs',
      'error signingConfig.caUrls[0].url',
      'error signingConfig.oidcUrls'
    ]
  )
  t.same(
    notOk(
      changed(buildClientTrustConfig, (value) => {
        delete value.trustedRoot
        value.signingConfig = 5
        value.more = 1
      })
    ),
    ['error trustedRoot', 'error signingConfig', 'error file']
  )
  t.end()
})

t.test('files that are something else', (t) => {
  const cases: readonly [string, string | Uint8Array, RegExp][] = [
    ['nothing', '', /is empty/],
    ['prose', 'hello', /neither JSON nor PEM/],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x7b, 0), /UTF-16/],
    ['byte order mark', '\ufeff{}', /byte order mark/],
    ['DER', Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x00), /DER/],
    ['JSON that breaks off', '{"mediaType": "secret', /not valid JSON/],
    ['no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /not valid JSON/],
    ['list', '[1]', /no object/],
    ['nesting', '{"a":'.repeat(200_000), /nests deeper/],
    ['nothing known', '{"a":1}', /no media type, which is no trust material/],
    ['bundle', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}', /bundle/],
    ['private JWK', '{"kty":"EC","d":"secret"}', /private key/],
    ['public JWK', '{"kty":"EC","x":"public"}', /JSON Web Key/],
    ['media type of another type', '{"mediaType":5}', /must be a string/]
  ]
  for (const [title, content, says] of cases) {
    const bytes = typeof content === 'string' ? encodeUtf8(content) : content
    const findings = check(bytes)
    t.ok(findings.length > 0 && findings.every(({ severity }) => severity === 'error'), title)
    t.match(findings[0]?.message, says, title)
    t.notMatch(JSON.stringify(findings), /secret/, title)
  }
  t.end()
})

t.test('a member that stands twice', (t) => {
  const text = decodeUtf8(buildTrustedRoot(state)).replace('"tlogs"', '"tlogs": [], "tlogs"')
  const findings = check(encodeUtf8(text))
  t.same(notOk(findings), ['error file'])
  t.match(findings[0]?.message, /"tlogs" twice/)
  t.end()
})

t.test('anything in place of anything: findings, and never a throw', (t) => {
  const values = [null, true, 0, -1.5, '', 'x', [], [[]], {}, { a: {} }, '2026-01-01T00:00:00Z']
  const replaceAt = (value: Loose, path: readonly (string | number)[], by: unknown): void => {
    const last = path.at(-1)
    let target = value
    for (const step of path.slice(0, -1)) target = target[step]
    if (last !== undefined) target[last] = by
  }
  let looked = 0
  for (const build of [buildClientTrustConfig, buildTrustedRoot, buildSigningConfig]) {
    const text = decodeUtf8(build(state))
    for (const path of pathsOf(JSON.parse(text))) {
      if (path.includes(0) && path.length > 6) continue
      for (const by of values) {
        const value: Loose = JSON.parse(text)
        replaceAt(value, path, by)
        const findings = check(encodeUtf8(JSON.stringify(value)))
        if (findings.length === 0) t.fail(path.join('.'))
        looked++
      }
    }
  }
  t.ok(looked > 500, `${looked} files`)
  t.end()
})

function pathsOf(value: unknown): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return []
  const entries = Array.isArray(value)
    ? value.slice(0, 1).map((inner, i) => [i, inner] as const)
    : Object.entries(value)
  return entries.flatMap(([name, inner]) => [
    [name],
    ...pathsOf(inner).map((path) => [name, ...path])
  ])
}
