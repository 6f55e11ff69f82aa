import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import t from 'tap'
import type { IssuedCertificate, SubmitChain } from '../../src/ca/contract.js'
import { ISSUER_TYPES } from '../../src/ca/identity/issuer-types/index.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodePem } from '../../src/encoding/pem.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { LogError } from '../../src/errors.js'
import { createLocalSigner, generateLogKey } from '../../src/keys/local-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { parseCertificate, type Certificate } from '../../src/x509/certificate.js'
import { verifySct } from '../../src/x509/ct-signature.js'
import { ctEntryOf, precertificateEntryOfCertificate } from '../../src/x509/precertificate.js'
import type { SignedCertificateTimestamp } from '../../src/x509/sct.js'
import { OID_SCT_LIST, parseSctList } from '../../src/x509/sct-list.js'
import { verifyEmbeddedSct } from '../clients/sct.js'
import { CT_NOW_MS } from '../helpers/ct-log.js'
import { derChildren, derElement } from '../helpers/der-children.js'
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

/** Value of the extension that names whom a certificate is for, by hand. @see fulcio §12 */
function subjectAltNameOf({ type, value }: PrincipalVector['expect']['san']): Buffer {
  const text = Buffer.from(value)
  if (type === 'rfc822Name') return derElement(0x30, derElement(0x81, text))
  if (type === 'URI') return derElement(0x30, derElement(0x86, text))
  const typeId = Buffer.from('060a2b0601040183bf300107', 'hex')
  const wrapped = derElement(0xa0, derElement(0x0c, text))
  return derElement(0x30, derElement(0xa0, typeId, wrapped))
}

t.test('certificates of every issuer type, field by field', async (t) => {
  const { cases } = fulcioVector<{ cases: readonly PrincipalVector[] }>('principals.json')
  const accepted = cases.filter(
    ({ name, expect }) => expect.error !== true && !name.includes('an implementation SHOULD refuse')
  )
  t.equal(accepted.length, 32)
  const issuerUrls = [...new Set(accepted.map(({ claims }) => claims.iss))]
  const sites = new Map<string, FulcioSite>()
  const types = new Set<string>()
  let byPattern = 0
  for (const { name, config, claims, expect } of accepted) {
    const full =
      typeof config === 'string'
        ? fulcioVector<Record<string, unknown>>(config)
        : (config as Record<string, unknown>)
    const issuers = full['OIDCIssuers'] as
      Record<string, { ClientID: string; Type: string }> | undefined
    const issuer = issuers?.[claims.iss]
    const key = JSON.stringify(config)
    const site = sites.get(key) ?? (await openFulcioSite(t, { config: full, issuerUrls }))
    sites.set(key, site)
    const token = site.token({
      email: undefined,
      email_verified: undefined,
      ...claims,
      exp: CT_NOW_MS / 1000 + 60,
      nbf: undefined,
      aud: issuer?.ClientID ?? 'sigstore'
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
    t.equal(
      encodeHex(leaf.extensions[4]?.value ?? new Uint8Array(0)),
      subjectAltNameOf(expect.san).toString('hex'),
      `${name}: ${expect.san.value}`
    )
    const [leafDer, rootDer] = issued.chain.map((der) => new X509Certificate(der))
    if (leafDer === undefined || rootDer === undefined) throw new Error('no chain')
    t.ok(leafDer.checkIssued(rootDer) && leafDer.verify(rootDer.publicKey), `${name}: Node`)
    const text = execFileSync('openssl', ['x509', '-noout', '-text', '-ext', 'subjectAltName'], {
      input: leafDer.toString()
    })
    t.match(text.toString(), /Subject Alternative Name: critical/, `${name}: openssl`)
    if (issuer === undefined) byPattern++
    else types.add(issuer.Type)
  }
  t.equal(byPattern, 4)
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
  const seen = verifyEmbeddedSct(
    new X509Certificate(leaf.der),
    new X509Certificate(root.der),
    encodePem('PUBLIC KEY', site.ctKey)
  )
  t.equal(seen.timestampMs, CT_NOW_MS, 'a verifier that shares nothing with ours')
  t.equal(issued.delivery, 'embedded')
  t.strictSame(issued.chain.slice(1), [root.der])
  t.equal(leaf.notBeforeSeconds, Math.floor(CT_NOW_MS / 1000), 'not backdated')
  t.equal(leaf.notAfterSeconds - leaf.notBeforeSeconds, 600)
  t.equal(site.ctEntries(), 1)
  t.equal(site.issued(), 1)
})

t.test('what is logged is what is issued, but for the last extension', async (t) => {
  const logged: { kind: string; chain: readonly Uint8Array[] }[] = []
  const site = await openFulcioSite(t, {
    wrapSubmit: (submit) => (kind, chain) => {
      logged.push({ kind, chain })
      return submit(kind, chain)
    }
  })
  const issued = await issue(site, site.token(), 'alice@example.com')
  const [submission] = logged
  t.equal(logged.length, 1)
  t.equal(submission?.kind, 'precertificate')
  t.strictSame(submission?.chain.slice(1), issued.chain.slice(1), 'with the chain, root and all')

  const partsOf = (certificate: Uint8Array | undefined) => {
    const [tbs, algorithm] = derChildren(certificate ?? new Uint8Array(0))
    const fields = derChildren(tbs ?? new Uint8Array(0))
    const extensions = derChildren(
      derChildren(fields.pop() ?? Buffer.alloc(0))[0] ?? Buffer.alloc(0)
    )
    const last = extensions.pop()?.toString('hex')
    const hex = (all: readonly Buffer[]) => all.map((element) => element.toString('hex'))
    return { last, same: { algorithm, fields: hex(fields), extensions: hex(extensions) } }
  }
  const precertificate = partsOf(submission?.chain[0])
  const certificate = partsOf(issued.chain[0])
  t.equal(precertificate.same.fields.length, 7)
  t.equal(precertificate.same.extensions.length, 8)
  t.strictSame(certificate.same, precertificate.same)
  t.equal(precertificate.last, '3013060a2b06010401d6790204030101ff04020500', 'the poison')
  t.match(certificate.last, /^3081..060a2b06010401d679020402/, 'the timestamps')

  const leaf = new X509Certificate(issued.chain[0] ?? new Uint8Array(0))
  const poisoned = new X509Certificate(submission?.chain[0] ?? new Uint8Array(0))
  const root = new X509Certificate(issued.chain[1] ?? new Uint8Array(0))
  t.ok(leaf.verify(root.publicKey) && poisoned.verify(root.publicKey), 'both are signed')
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
    ]
  ]
  for (const [name, submit, message] of cases) {
    const site = await openFulcioSite(t, { submit })
    const err = await refusal(() => issue(site, site.token(), 'alice@example.com'))
    t.match(err, { code: 'upstream', message, details: { failed: 'ctLog' } }, name)
    t.equal(site.issued(), 0)
  }
})

t.test('timestamps of the right log over something else', async (t) => {
  const other = createLocalSigner(await generateLogKey())
  type Change = (sct: SignedCertificateTimestamp) => Promise<SignedCertificateTimestamp>
  const changes: [name: string, change: Change][] = [
    ['another time', async (sct) => ({ ...sct, timestampMs: sct.timestampMs + 1 })],
    ['other extensions', async (sct) => ({ ...sct, extensions: Uint8Array.of(0) })],
    [
      'another key',
      async (sct) => ({
        ...sct,
        signature: { algorithm: 'ecdsa', signature: await other.sign(Uint8Array.of(1)) }
      })
    ]
  ]
  for (const delivery of ['embedded', 'detached'] as const) {
    for (const [name, change] of changes) {
      const site = await openFulcioSite(t, {
        delivery,
        wrapSubmit: (submit) => async (kind, chain) => change(await submit(kind, chain))
      })
      const err = await refusal(() => issue(site, site.token(), 'alice@example.com'))
      t.match(err, { code: 'upstream', details: { failed: 'ctLog' } }, `${delivery}: ${name}`)
      t.notMatch(err.message, /log id/, `${delivery}: ${name}: not for its log id`)
      t.equal(site.issued(), 0)
    }
    let first: SignedCertificateTimestamp | undefined
    const repeating = await openFulcioSite(t, {
      delivery,
      wrapSubmit: (submit) => async (kind, chain) => (first ??= await submit(kind, chain))
    })
    await issue(repeating, repeating.token(), 'alice@example.com')
    const err = await refusal(() => issue(repeating, repeating.token(), 'alice@example.com'))
    t.match(err, { code: 'upstream' }, `${delivery}: the timestamp of another certificate`)
    t.equal(repeating.issued(), 1)
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

  const unreadable = await openFulcioSite(t, {
    delivery: 'none',
    authority: ({ chain, signer }) => {
      const issuing = { ...chain.certificates[0], subject: Uint8Array.of(0x30, 0x05) }
      return { signer, chain: { ...chain, certificates: [issuing] } }
    }
  })
  t.match(
    await refusal(() => issue(unreadable, unreadable.token(), 'alice@example.com')),
    { code: 'internal', message: /cannot be read: x509: /, details: { failed: 'signer' } },
    'not a mistake of the client'
  )

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
