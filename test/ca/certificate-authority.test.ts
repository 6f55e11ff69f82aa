import { X509Certificate } from 'node:crypto'
import t from 'tap'
import type { IssuedCertificate, SubmitChain } from '../../src/ca/contract.js'
import { ISSUER_TYPES } from '../../src/ca/identity/issuer-types/index.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { LogError } from '../../src/errors.js'
import { createLocalSigner, generateLogKey } from '../../src/keys/local-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { parseCertificate, type Certificate } from '../../src/x509/certificate.js'
import { verifySct } from '../../src/x509/ct-signature.js'
import {
  isPrecertificate,
  OID_PRECERTIFICATE_POISON,
  precertificateEntryOfCertificate,
  ctEntryOf
} from '../../src/x509/precertificate.js'
import { removeExtension } from '../../src/x509/remove-extension.js'
import { encodeMerkleTreeLeaf } from '../../src/x509/merkle-tree-leaf.js'
import { OID_SCT_LIST, parseSctList } from '../../src/x509/sct-list.js'
import { CT_NOW_MS } from '../helpers/ct-log.js'
import { createClientKey, type FulcioSite, openFulcioSite } from '../helpers/fulcio-app.js'
import { fulcioVector } from '../helpers/fulcio-vectors.js'
import { refusal } from '../helpers/refusals.js'

interface PrincipalVector {
  readonly name: string
  readonly config: string | object
  readonly claims: { readonly iss: string; readonly aud?: string }
  readonly expect: {
    readonly error?: boolean
    readonly challengeName: string
    readonly san: { readonly type: string; readonly value: string }
    readonly extensions: readonly { readonly oid: string; readonly valueHex: string }[]
  }
}

const client = createClientKey()

function issue(site: FulcioSite, token: string, challenge: string): Promise<IssuedCertificate> {
  return site.authority.issue({
    token,
    key: {
      kind: 'publicKey',
      content: encodeUtf8(client.pem),
      proofOfPossession: Uint8Array.from(Buffer.from(client.prove(challenge), 'base64'))
    }
  })
}

function leafOf({ chain }: IssuedCertificate): Certificate {
  return parseCertificate(chain[0] ?? new Uint8Array(0))
}

const FULCIO = '1.3.6.1.4.1.57264.1.'

t.test('certificates of every issuer type, field by field', async (t) => {
  const { cases } = fulcioVector<{ cases: readonly PrincipalVector[] }>('principals.json')
  const sites = new Map<string, FulcioSite>()
  let compared = 0
  const types = new Set<string>()
  for (const { name, config, claims, expect } of cases) {
    if (expect.error === true || name.includes('an implementation SHOULD refuse')) continue
    const full =
      typeof config === 'string'
        ? fulcioVector<Record<string, unknown>>(config)
        : (config as Record<string, unknown>)
    // A site for each configuration; issuers that only match a pattern are tested with the verifier.
    const issuers = full['OIDCIssuers'] as
      Record<string, { ClientID: string; Type: string }> | undefined
    const issuer = issuers?.[claims.iss]
    if (issuer === undefined) continue
    const key = JSON.stringify(config)
    const site = sites.get(key) ?? (await openFulcioSite(t, { config: full }))
    sites.set(key, site)
    const token = site.token({
      email: undefined,
      email_verified: undefined,
      ...claims,
      exp: CT_NOW_MS / 1000 + 60,
      nbf: undefined,
      aud: issuer.ClientID
    })
    const issued = await issue(site, token, expect.challengeName)
    const leaf = leafOf(issued)
    t.strictSame(
      leaf.extensions.map(({ oid, critical }) => [oid, critical]),
      [
        ['2.5.29.15', true],
        ['2.5.29.37', false],
        ['2.5.29.14', false],
        ['2.5.29.35', false],
        ['2.5.29.17', true],
        ...expect.extensions.map(({ oid }) => [oid, false]),
        [OID_SCT_LIST, false]
      ],
      `${name}: extensions`
    )
    t.strictSame(
      leaf.extensions
        .filter(({ oid }) => oid.startsWith(FULCIO))
        .map(({ value }) => encodeHex(value)),
      expect.extensions.map(({ valueHex }) => valueHex),
      `${name}: values`
    )
    const seen = new X509Certificate(leaf.der).subjectAltName ?? ''
    const prefix = {
      rfc822Name: 'email:',
      URI: 'URI:',
      otherName: 'othername:'
    }[expect.san.type]
    t.ok(seen.startsWith(prefix ?? '?'), `${name}: ${seen}`)
    if (expect.san.type !== 'otherName') {
      t.ok(
        seen.replaceAll('"', '').includes(expect.san.value.replaceAll('"', '')),
        `${name}: ${seen}`
      )
    }
    types.add(issuer.Type)
    compared++
  }
  t.equal(compared, 28)
  t.strictSame([...types].sort(), [...ISSUER_TYPES.map(({ name }) => name)].sort(), 'every type')
})

t.test('a certificate with the timestamp of its precertificate in it', async (t) => {
  const site = await openFulcioSite(t)
  const issued = await issue(site, site.token(), 'alice@example.com')
  const leaf = leafOf(issued)
  const [sct] = parseSctList(leaf.extensions.at(-1)?.value ?? new Uint8Array(0))
  if (sct === undefined) throw new Error('no SCT')
  const root = site.issuing.chain.certificates[0]
  await verifySct(sct, precertificateEntryOfCertificate(leaf, root), parsePublicKey(site.ctKey))
  t.equal(sct.timestampMs, CT_NOW_MS)
  t.equal(issued.delivery, 'embedded')
  t.strictSame(issued.chain.slice(1), [root.der])
  t.equal(leaf.notBeforeSeconds, Math.floor(CT_NOW_MS / 1000), 'not backdated')
  t.equal(leaf.notAfterSeconds - leaf.notBeforeSeconds, 600)
  t.equal(site.ctEntries(), 1)
  t.equal(site.issued(), 1)
})

t.test('what is logged is what is issued', async (t) => {
  let logged: readonly Uint8Array[] = []
  const wrong = await openFulcioSite(t, {
    submit: async (_kind, chain) => {
      logged = chain
      const precertificate = parseCertificate(chain[0] ?? new Uint8Array(0))
      t.ok(isPrecertificate(precertificate))
      throw new LogError('timeout', 'the log is gone')
    }
  })
  await refusal(() => issue(wrong, wrong.token(), 'alice@example.com'))
  const precertificate = parseCertificate(logged[0] ?? new Uint8Array(0))
  const site = await openFulcioSite(t)
  const leaf = leafOf(await issue(site, site.token(), 'alice@example.com'))
  // Of two authorities, so keys and serials differ; the shape is what is compared.
  const shape = (tbs: Uint8Array, oid: string) => removeExtension(tbs, oid).length
  const sizes = [
    shape(precertificate.tbs, OID_PRECERTIFICATE_POISON),
    shape(leaf.tbs, OID_SCT_LIST)
  ]
  t.ok(Math.abs((sizes[0] ?? 0) - (sizes[1] ?? 0)) <= 2, sizes.join())
  t.strictSame(
    precertificate.extensions.slice(0, -1).map(({ oid }) => oid),
    leaf.extensions.slice(0, -1).map(({ oid }) => oid)
  )
})

t.test('detached, and without a log', async (t) => {
  const detached = await openFulcioSite(t, { delivery: 'detached' })
  const issued = await issue(detached, detached.token(), 'alice@example.com')
  const leaf = leafOf(issued)
  t.equal(leaf.extensions.at(-1)?.oid, `${FULCIO}24`)
  const root = detached.issuing.chain.certificates[0]
  if (issued.sct === undefined) throw new Error('no SCT')
  await verifySct(issued.sct, ctEntryOf(leaf, root), parsePublicKey(detached.ctKey))
  const none = await openFulcioSite(t, { delivery: 'none' })
  const plain = await issue(none, none.token(), 'alice@example.com')
  t.match(plain, { delivery: 'none', sct: undefined })
  t.equal(leafOf(plain).extensions.at(-1)?.oid, `${FULCIO}24`)
  t.equal(none.ctEntries(), 0)
})

t.test('every kind of issuing key', async (t) => {
  for (const algorithm of [
    'ecdsa-sha2-384-nistp384',
    'ecdsa-sha2-512-nistp521',
    'rsa-sign-pkcs1-2048-sha256'
  ] as const) {
    const site = await openFulcioSite(t, { algorithm })
    const issued = await issue(site, site.token(), 'alice@example.com')
    const [leaf, root] = issued.chain.map((der) => new X509Certificate(der))
    t.ok(root !== undefined && leaf?.verify(root.publicKey), algorithm)
  }
})

t.test('serial numbers differ', async (t) => {
  const site = await openFulcioSite(t)
  const serials = new Set<bigint>()
  for (let i = 0; i < 20; i++) {
    serials.add(leafOf(await issue(site, site.token(), 'alice@example.com')).serialNumber)
  }
  t.equal(serials.size, 20)
  t.equal(site.ctEntries(), 20)
})

t.test('logs that fail', async (t) => {
  const other = createLocalSigner(await generateLogKey())
  const good = {
    logId: new Uint8Array(32),
    timestampMs: CT_NOW_MS,
    extensions: new Uint8Array(0)
  }
  const cases: [name: string, submit: SubmitChain, message: RegExp][] = [
    [
      'unreachable',
      () => Promise.reject(new LogError('timeout', 'no answer')),
      /gave no good timestamp: no answer$/
    ],
    ['overloaded', () => Promise.reject(new LogError('overloaded', 'busy')), /: busy$/],
    ['something else', () => Promise.reject(new TypeError('x')), /: x$/],
    [
      'a timestamp of another log',
      async () => ({ ...good, signature: { algorithm: 'ecdsa', signature: Uint8Array.of(1) } }),
      /: sct: log id is not that of the log key$/
    ],
    [
      'a signature over something else',
      async (_kind, [der = new Uint8Array(0)]) => {
        const entry = { kind: 'certificate', certificate: der } as const
        const leaf = encodeMerkleTreeLeaf({
          timestampMs: CT_NOW_MS,
          entry,
          extensions: new Uint8Array(0)
        })
        return { ...good, signature: { algorithm: 'ecdsa', signature: await other.sign(leaf) } }
      },
      /: sct: log id is not that of the log key$/
    ]
  ]
  for (const [name, submit, message] of cases) {
    const site = await openFulcioSite(t, { submit })
    const err = await refusal(() => issue(site, site.token(), 'alice@example.com'))
    t.match(err, { code: 'upstream', message, details: { failed: 'ctLog' } }, name)
    t.equal(site.issued(), 0)
  }
})

t.test('signers that fail, and an authority at its end', async (t) => {
  const broken = await openFulcioSite(t, {
    authority: ({ chain, signer }) => ({
      chain,
      signer: { ...signer, sign: () => Promise.reject(new LogError('internal', 'no HSM')) }
    })
  })
  const noSignature = await refusal(() => issue(broken, broken.token(), 'alice@example.com'))
  t.match(noSignature, {
    code: 'internal',
    message: /did not sign.*no HSM$/,
    details: { failed: 'signer' }
  })

  const wrong = await openFulcioSite(t, {
    delivery: 'none',
    authority: ({ chain, signer }) => ({
      chain,
      signer: { ...signer, sign: (tbs) => signer.sign(tbs.slice(1)) }
    })
  })
  const badSignature = await refusal(() => issue(wrong, wrong.token(), 'alice@example.com'))
  t.match(badSignature, {
    code: 'internal',
    message: /does not verify$/,
    details: { failed: 'signer' }
  })

  const ending = await openFulcioSite(t, { rootSeconds: 599 })
  const late = await refusal(() => issue(ending, ending.token(), 'alice@example.com'))
  t.match(late, {
    code: 'internal',
    message: /ends before one it would issue now/,
    details: { failed: 'signer' }
  })
  t.equal(ending.ctEntries(), 0)
  const lastMoment = await openFulcioSite(t, { rootSeconds: 600 })
  t.ok(await issue(lastMoment, lastMoment.token(), 'alice@example.com'))
})
