import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import {
  ClientTrustConfig,
  PublicKeyDetails,
  ServiceSelector,
  SigningConfig,
  TrustedRoot
} from '@sigstore/protobuf-specs'
import { toTrustMaterial } from '@sigstore/verify'
import t from 'tap'
import { decodeUtf8 } from '../../src/encoding/text.js'
import { rsaPublicKey } from '../../src/keys/public-key.js'
import { buildClientTrustConfig } from '../../src/trust/client-trust-config.js'
import type { ServiceUrl, TrustState } from '../../src/trust/contract.js'
import { buildDownloads } from '../../src/trust/downloads.js'
import { buildSigningConfig } from '../../src/trust/signing-config.js'
import { buildTrustTargets } from '../../src/trust/targets.js'
import { buildTrustedRoot } from '../../src/trust/trusted-root.js'
import { spkiOf } from '../helpers/certificates.js'
import {
  createTrustState,
  FIRST,
  FIRST_SECONDS,
  NOW_SECONDS,
  SECOND,
  SECOND_SECONDS
} from '../helpers/trust-state.js'

const state = await createTrustState()

function json(bytes: Uint8Array): unknown {
  return JSON.parse(decodeUtf8(bytes))
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

t.test('trusted root: as the official library reads it', (t) => {
  const root = TrustedRoot.fromJSON(json(buildTrustedRoot(state)))
  t.equal(root.mediaType, 'application/vnd.dev.sigstore.trustedroot+json;version=0.1')
  for (const [logs, expected] of [
    [root.tlogs, state.rekorLogs],
    [root.ctlogs, state.ctLogs]
  ] as const) {
    t.equal(logs.length, 2)
    for (const [i, { baseUrl, publicKey, validity }] of expected.entries()) {
      const log = logs[i]
      t.equal(log?.baseUrl, baseUrl)
      t.equal(log?.hashAlgorithm, 1, 'SHA2_256')
      t.same(log?.logId?.keyId, sha256(publicKey))
      t.same(log?.publicKey?.rawBytes, Buffer.from(publicKey))
      t.equal(log?.publicKey?.keyDetails, PublicKeyDetails.PKIX_ECDSA_P256_SHA_256)
      t.equal(log?.publicKey?.validFor?.start?.getTime(), validity.startSeconds * 1000)
      t.equal(
        log?.publicKey?.validFor?.end?.getTime(),
        validity.endSeconds === undefined ? undefined : validity.endSeconds * 1000
      )
      t.equal(log?.checkpointKeyId, undefined, 'sigstore-js would prefer it')
    }
  }
  for (const [authorities, expected] of [
    [root.certificateAuthorities, state.certificateAuthorities],
    [root.timestampAuthorities, state.timestampAuthorities]
  ] as const) {
    t.equal(authorities.length, 2)
    for (const [i, { url, chain, validity }] of expected.entries()) {
      const authority = authorities[i]
      t.equal(authority?.uri, url)
      const certificates = authority?.certChain?.certificates.map(({ rawBytes }) => rawBytes)
      t.same(
        certificates,
        chain.map((der) => Buffer.from(der))
      )
      const parsed = certificates?.map((der) => new X509Certificate(der)) ?? []
      t.ok(parsed.at(-1)?.checkIssued(parsed.at(-1) as X509Certificate), 'root last')
      t.equal(
        `O=${authority?.subject?.organization}\nCN=${authority?.subject?.commonName}`,
        parsed[0]?.subject
      )
      t.equal(authority?.validFor?.start?.getTime(), validity.startSeconds * 1000)
    }
  }
  t.end()
})

t.test('trusted root: sigstore-js makes its trust material of it', (t) => {
  const material = toTrustMaterial(TrustedRoot.fromJSON(json(buildTrustedRoot(state))))
  const now = new Date(NOW_SECONDS * 1000)
  t.equal(material.tlogs.length, 2)
  t.equal(material.timestampAuthorities[1]?.certChain.length, 3)
  const valid = material.tlogs.filter(
    ({ validFor }) => validFor.start <= now && now <= validFor.end
  )
  t.same(
    valid.map(({ logID }) => logID),
    [sha256(state.rekorLogs[1]?.publicKey ?? new Uint8Array())]
  )
  t.end()
})

t.test('trusted root: the bytes', (t) => {
  const text = decodeUtf8(buildTrustedRoot(state))
  t.equal(text, decodeUtf8(buildTrustedRoot(structuredClone(state))), 'same state, same bytes')
  t.equal(text, `${JSON.stringify(JSON.parse(text), undefined, 2)}\n`)
  t.match(text, /"start": "2026-01-01T00:00:00Z"/)
  const empty = { ...state, rekorLogs: [], ctLogs: [], certificateAuthorities: [] }
  t.same((json(buildTrustedRoot(empty)) as { tlogs: unknown }).tlogs, [])
  t.end()
})

t.test('trusted root: details of every kind of key', (t) => {
  const cases: readonly [string, Uint8Array][] = [
    ['PKIX_ECDSA_P256_SHA_256', ec('P-256')],
    ['PKIX_ECDSA_P384_SHA_384', ec('P-384')],
    ['PKIX_ECDSA_P521_SHA_512', ec('P-521')],
    ['PKIX_RSA_PKCS1V15_2048_SHA256', rsa(2048)],
    ['PKIX_RSA_PKCS1V15_3072_SHA256', rsa(3072)],
    ['PKIX_RSA_PKCS1V15_4096_SHA256', rsa(4096)],
    ['PKIX_ED25519', spkiOf(generateKeyPairSync('ed25519').publicKey)]
  ]
  for (const [details, publicKey] of cases) {
    const [log] = TrustedRoot.fromJSON(json(buildTrustedRoot(withRekorKey(publicKey)))).tlogs
    t.equal(PublicKeyDetails[log?.publicKey?.keyDetails ?? 0], details)
  }
  for (const publicKey of [ec('P-224'), rsa(2056)]) {
    t.throws(() => buildTrustedRoot(withRekorKey(publicKey)), { code: 'unsupported' })
  }
  t.throws(() => buildTrustedRoot(withRekorKey(Uint8Array.of(1, 2, 3))), {
    code: 'invalid_request'
  })
  t.end()
})

function ec(namedCurve: string): Uint8Array {
  return spkiOf(generateKeyPairSync('ec', { namedCurve }).publicKey)
}

/** Nobody has the private half: only its length is looked at. */
function rsa(bits: number): Uint8Array {
  return rsaPublicKey(2n ** BigInt(bits - 1) + 1n, 65537n).spki
}

function withRekorKey(publicKey: Uint8Array): TrustState {
  return {
    ...state,
    rekorLogs: [{ baseUrl: 'https://log.example.test', publicKey, validity: SECOND }]
  }
}

t.test('times that are none are refused', (t) => {
  const [log] = state.rekorLogs
  if (log === undefined) throw new Error('no log')
  for (const validity of [
    { startSeconds: 1.5 },
    { startSeconds: -1 },
    { startSeconds: Number.NaN },
    { startSeconds: 253_402_300_800 },
    { startSeconds: 5, endSeconds: 4 }
  ]) {
    t.throws(() => buildTrustedRoot({ ...state, rekorLogs: [{ ...log, validity }] }), {
      code: 'internal'
    })
  }
  t.end()
})

t.test('signing config: as the official library reads it', (t) => {
  const config = SigningConfig.fromJSON(json(buildSigningConfig(state)))
  t.equal(config.mediaType, 'application/vnd.dev.sigstore.signingconfig.v0.2+json')
  t.equal(config.rekorTlogConfig?.selector, ServiceSelector.ANY)
  t.equal(config.tsaConfig?.selector, ServiceSelector.ANY)
  const lists = [config.caUrls, config.oidcUrls, config.rekorTlogUrls, config.tsaUrls]
  for (const list of lists) {
    t.equal(list.length, 1)
    t.equal(list[0]?.operator, state.operator)
    t.equal(list[0]?.majorApiVersion, 1)
    t.equal(list[0]?.validFor?.start?.getTime(), FIRST_SECONDS * 1000)
  }
  t.same(
    lists.map(([service]) => service?.url),
    [
      'https://sigstead.example.test',
      'https://login.example.test',
      'https://sigstead.example.test',
      'https://sigstead.example.test/api/v1/timestamp'
    ]
  )
  t.end()
})

function withServices(services: Partial<TrustState['services']>): TrustState {
  return { ...state, services: { ...state.services, ...services } }
}

function at(url: string, majorApiVersion: number, validity = FIRST): ServiceUrl {
  return { url, majorApiVersion, validity }
}

t.test('signing config: newest first, and only what there is', (t) => {
  const urls = (services: Partial<TrustState['services']>): readonly string[] =>
    SigningConfig.fromJSON(json(buildSigningConfig(withServices(services)))).rekorTlogUrls.map(
      ({ url }) => url
    )
  t.same(urls({ rekor: [at('a', 1), at('b', 1, SECOND)] }), ['b', 'a'])
  t.same(urls({ rekor: [at('a', 1), at('b', 1), at('c', 1, SECOND)] }), ['c', 'b', 'a'])
  t.same(
    urls({
      rekor: [at('v1', 1, { startSeconds: FIRST_SECONDS }), at('v2', 2, SECOND)]
    }),
    ['v2', 'v1']
  )
  const none = json(buildSigningConfig(withServices({ rekor: [], tsa: [], oidc: [], fulcio: [] })))
  t.match(none, { caUrls: [], rekorTlogUrls: [], rekorTlogConfig: { selector: 'ANY' } })
  t.match(none, { tsaUrls: [], tsaConfig: { selector: 'ANY' }, oidcUrls: [] })
  t.end()
})

t.test('signing config: states in which clients would not agree are refused', (t) => {
  const open = { startSeconds: FIRST_SECONDS }
  const cases: Readonly<Record<string, Partial<TrustState['services']>>> = {
    'two logs of one version': { rekor: [at('a', 1, open), at('b', 1, SECOND)] },
    'two certificate authorities': { fulcio: [at('a', 1, open), at('b', 1, SECOND)] },
    'two timestamp authorities': { tsa: [at('a', 1, open), at('b', 1, SECOND)] },
    'version 2 from the same time': { rekor: [at('a', 1, open), at('b', 2, open)] },
    'version 2 older': { rekor: [at('b', 2, open), at('a', 1, SECOND)] }
  }
  for (const [title, services] of Object.entries(cases)) {
    t.throws(() => buildSigningConfig(withServices(services)), { code: 'internal' }, title)
  }
  const issuers = withServices({ oidc: [at('a', 1, open), at('b', 1, SECOND)] })
  t.doesNotThrow(() => buildSigningConfig(issuers), 'people may log in at several')
  t.end()
})

t.test('client trust config: both in one', (t) => {
  const value = json(buildClientTrustConfig(state))
  t.same(value, {
    mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
    trustedRoot: json(buildTrustedRoot(state)),
    signingConfig: json(buildSigningConfig(state))
  })
  const { trustedRoot, signingConfig } = ClientTrustConfig.fromJSON(value)
  t.equal(trustedRoot?.tlogs.length, 2)
  t.equal(signingConfig?.caUrls.length, 1)
  t.end()
})

t.test('targets: names, usage, status', (t) => {
  const id = (bytes: Uint8Array | undefined): string =>
    sha256(bytes ?? new Uint8Array())
      .toString('hex')
      .slice(0, 16)
  const [oldCa] = state.certificateAuthorities
  t.same(
    buildTrustTargets(state).map(({ name, custom }) => [
      name,
      custom?.sigstore.usage,
      custom?.sigstore.status
    ]),
    [
      ['trusted_root.json', undefined, undefined],
      ['signing_config.v0.2.json', undefined, undefined],
      ['rekor.pub', 'Rekor', 'Active'],
      [`rekor-${id(state.rekorLogs[0]?.publicKey)}.pub`, 'Rekor', 'Expired'],
      ['ctfe.pub', 'CTFE', 'Active'],
      [`ctfe-${id(state.ctLogs[0]?.publicKey)}.pub`, 'CTFE', 'Expired'],
      ['fulcio_intermediate_v1.crt.pem', 'Fulcio', 'Active'],
      ['fulcio.crt.pem', 'Fulcio', 'Active'],
      [`fulcio-${id(oldCa?.chain[0])}.crt.pem`, 'Fulcio', 'Expired'],
      [`fulcio-${id(oldCa?.chain[1])}.crt.pem`, 'Fulcio', 'Expired'],
      ['tsa_leaf.crt.pem', 'TSA', 'Active'],
      ['tsa_intermediate_0.crt.pem', 'TSA', 'Active'],
      ['tsa_root.crt.pem', 'TSA', 'Active']
    ]
  )
  t.end()
})

t.test('targets: as cosign 2 sorts them', (t) => {
  const targets = buildTrustTargets(state)
  const certificates = (usage: string): readonly X509Certificate[] =>
    targets
      .filter(({ custom }) => custom?.sigstore.usage === usage)
      .map(({ bytes }) => new X509Certificate(bytes))
  const tsa = certificates('TSA')
  t.equal(tsa.filter(({ ca }) => !ca).length, 1, 'exactly one leaf')
  t.ok(tsa.some(({ ca, subject, issuer }) => ca && subject === issuer))
  const fulcio = certificates('Fulcio')
  t.equal(fulcio.filter(({ subject, issuer }) => subject === issuer).length, 2)
  t.ok(fulcio.every(({ ca }) => ca))
  const root = targets.find(({ name }) => name === 'fulcio.crt.pem')
  const parsed = new X509Certificate(root?.bytes ?? new Uint8Array())
  t.equal(parsed.subject, parsed.issuer)
  t.end()
})

t.test('targets: a key or certificate of two generations is listed once, as active', (t) => {
  const [ca, newCa] = state.certificateAuthorities
  const [, log] = state.rekorLogs
  if (ca === undefined || newCa === undefined || log === undefined) throw new Error('no state')
  const shared = {
    ...state,
    rekorLogs: [{ ...log, validity: FIRST }, log],
    certificateAuthorities: [
      { ...ca, chain: [ca.chain[0], newCa.chain[1] ?? ca.chain[0]] as const },
      newCa
    ]
  }
  const targets = buildTrustTargets(shared)
  const names = targets.map(({ name }) => name)
  t.equal(names.filter((name) => name.startsWith('rekor')).length, 1)
  t.equal(names.filter((name) => name.startsWith('fulcio')).length, 3)
  t.equal(new Set(names).size, names.length)
  t.same(targets.find(({ name }) => name === 'fulcio.crt.pem')?.custom?.sigstore.status, 'Active')
  t.end()
})

t.test('targets: a Rekor key that cosign 2 cannot use is left to the trusted root', (t) => {
  const key = spkiOf(generateKeyPairSync('ed25519').publicKey)
  const [old] = state.rekorLogs
  if (old === undefined) throw new Error('no log')
  const mixed = { ...state, rekorLogs: [old, { ...old, publicKey: key, validity: SECOND }] }
  const names = buildTrustTargets(mixed)
    .filter(({ custom }) => custom?.sigstore.usage === 'Rekor')
    .map(({ name, custom }) => [name, custom?.sigstore.status])
  t.equal(names.length, 1)
  t.match(names[0]?.[0], /^rekor-[0-9a-f]{16}\.pub$/)
  t.equal(names[0]?.[1], 'Expired')
  t.equal(TrustedRoot.fromJSON(json(buildTrustedRoot(mixed))).tlogs.length, 2)
  t.end()
})

t.test('a state without services, and one with a root that issues', (t) => {
  const empty = {
    operator: 'x',
    rekorLogs: [],
    ctLogs: [],
    certificateAuthorities: [],
    timestampAuthorities: [],
    services: { rekor: [], fulcio: [], tsa: [], oidc: [] }
  }
  t.equal(buildTrustTargets(empty).length, 2)
  t.equal(buildDownloads(empty).length, 3)
  const [ca] = state.certificateAuthorities
  if (ca?.chain[1] === undefined) throw new Error('no chain')
  const lone = { ...empty, certificateAuthorities: [{ ...ca, chain: [ca.chain[1]] as const }] }
  t.equal(buildTrustTargets(lone).at(-1)?.name, 'fulcio.crt.pem')
  t.end()
})

t.test('downloads', (t) => {
  const files = buildDownloads(state)
  const names = files.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
  t.same(
    names.map((name) => name.replace(/[0-9a-f]{16}/, 'ID')),
    [
      'trusted_root.json',
      'signing_config.v0.2.json',
      'client_trust_config.json',
      'rekor.pub',
      'rekor-ID.pub',
      'ctfe.pub',
      'ctfe-ID.pub',
      'fulcio-chain.pem',
      'fulcio-chain-ID.pem',
      'fulcio-all.pem',
      'tsa-chain.pem',
      'tsa-chain-ID.pem',
      'tsa-all.pem'
    ]
  )
  const text = (name: string): string =>
    decodeUtf8(files.find((file) => file.name === name)?.bytes ?? new Uint8Array())
  const count = (name: string): number => text(name).split('BEGIN CERTIFICATE').length - 1
  t.same(['fulcio-chain.pem', 'fulcio-all.pem', 'tsa-chain.pem'].map(count), [2, 4, 3])
  t.equal(text('tsa-all.pem').indexOf(text('tsa-chain.pem')), 0, 'the newest first')
  t.equal(
    count('tsa-all.pem'),
    state.timestampAuthorities.reduce((sum, { chain }) => sum + chain.length, 0)
  )
  const issuing = new X509Certificate(text('fulcio-chain.pem'))
  t.match(issuing.subject, 'second issuing')
  t.equal(Date.parse(issuing.validFrom), (SECOND_SECONDS - 3600) * 1000)
  t.end()
})
