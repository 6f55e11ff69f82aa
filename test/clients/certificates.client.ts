// What the certificate authority answers to every kind of key and both versions of its API, read field by field with openssl
// and held before a verifier of SCTs and tree heads that was written for this test alone.
import { execFileSync } from 'node:child_process'
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
  X509Certificate
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { OTHER_CLIENT_ID } from '../helpers/oidc-provider.js'
import { REPOSITORY } from './clients.js'
import { certificatesOf, EMAIL, type Identity, openKeylessSession } from './keyless.js'
import { assertLogged } from './logged.js'
import { leafHash, verifyEmbeddedSct } from './sct.js'

const keyless = await openKeylessSession(t)
const { session, pem, person, workload, user } = keyless
const { url } = session.server
const [root] = certificatesOf(pem.chain)
if (root === undefined) throw new Error('no root')

interface Key {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

interface KeyKind {
  readonly name: string
  readonly pair: Key
  readonly hash: string | null
}

const P256: KeyKind = { name: 'P-256', pair: ec('P-256'), hash: 'sha256' }
const KINDS: readonly KeyKind[] = [
  P256,
  { name: 'P-384', pair: ec('P-384'), hash: 'sha384' },
  { name: 'P-521', pair: ec('P-521'), hash: 'sha512' },
  { name: 'RSA', pair: generateKeyPairSync('rsa', { modulusLength: 3072 }), hash: 'sha256' },
  { name: 'Ed25519', pair: generateKeyPairSync('ed25519'), hash: null }
]

function ec(namedCurve: string): Key {
  return generateKeyPairSync('ec', { namedCurve })
}

function spkiPem({ publicKey }: Key): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

function proof({ pair, hash }: KeyKind, identity: Identity = person): string {
  const { email, sub } = identity.account
  return sign(hash, Buffer.from(email ?? sub), pair.privateKey).toString('base64')
}

/** Body of version 2 with a public key. */
function keyRequest(kind: KeyKind, identity?: Identity) {
  return {
    publicKeyRequest: {
      publicKey: { algorithm: kind.name, content: spkiPem(kind.pair) },
      proofOfPossession: proof(kind, identity)
    }
  }
}

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` }
}

async function post(path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body)
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

/** Chain in an answer of version 2, which has this one member and no line ends after its certificates. */
function chainOf(t: Test, text: string): readonly X509Certificate[] {
  const answer = JSON.parse(text) as {
    signedCertificateEmbeddedSct: { chain: { certificates: string[] } }
  }
  const { certificates } = answer.signedCertificateEmbeddedSct.chain
  t.strictSame(answer, { signedCertificateEmbeddedSct: { chain: { certificates } } })
  t.ok(certificates.every((certificate) => certificate === certificate.trim()))
  return certificates.map((certificate) => new X509Certificate(certificate))
}

function openssl(args: readonly string[], input: string | Buffer): string {
  return execFileSync('openssl', args, { input }).toString()
}

/** Colons between upper case bytes, as openssl prints key identifiers. */
function printed(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex').toUpperCase()
  return (hex.match(/../g) ?? []).join(':')
}

/** SHA-1 of the key bits, as RFC 5280 section 4.2.1.2 has it in its method 1; openssl finds the bits. */
function keyIdentifier(key: KeyObject): string {
  const der = key.export({ type: 'spki', format: 'der' })
  const parsed = openssl(['asn1parse', '-inform', 'DER'], der)
  const [, offset = '', header = '', length = ''] =
    /^ *(\d+):d=1 +hl=(\d+) +l= *(\d+) prim: BIT STRING/m.exec(parsed) ?? []
  // One byte of the content says how many bits of the last are not used.
  const start = Number(offset) + Number(header) + 1
  const bits = der.subarray(start, start + Number(length) - 1)
  return printed(createHash('sha1').update(bits).digest())
}

/** Everything there is to be said of a certificate that was just issued. */
async function check(
  t: Test,
  chain: readonly X509Certificate[],
  key: KeyObject,
  identity: Identity = person
) {
  const [leaf, issuing, ...rest] = chain
  if (leaf === undefined || issuing === undefined || root === undefined) throw new Error('no chain')
  t.equal(rest.length, 0, 'the root issues')
  t.equal(issuing.fingerprint256, root.fingerprint256, 'the root of GET rootCert')
  t.ok(leaf.checkIssued(root), 'issued by the root')
  t.ok(leaf.verify(root.publicKey), 'signed by the root')
  t.ok(leaf.publicKey.equals(key), 'the key of the client')
  const beginMs = Date.parse(leaf.validFrom)
  t.equal(Date.parse(leaf.validTo) - beginMs, 600_000, 'ten minutes')
  t.ok(Date.now() - beginMs >= 0 && Date.now() - beginMs < 5000, 'from now on')

  const text = openssl(['x509', '-noout', '-text', '-nameopt', 'RFC2253'], leaf.toString())
  const field = (name: string) => new RegExp(`^ +${name}: ?(.*)$`, 'm').exec(text)?.[1]?.trim()
  t.equal(field('Version'), '3 (0x2)')
  t.match(text, /Serial Number:\n +([0-9a-f]{2}:){15,19}[0-9a-f]{2}\n/, 'long, positive')
  t.equal(field('Signature Algorithm'), 'ecdsa-with-SHA256')
  t.equal(field('Issuer'), 'CN=sigstead-ca,O=sigstead')
  t.equal(field('Subject'), '')

  // Names, criticality and values in their order: nothing else may be there.
  const [, extensions = ''] =
    /X509v3 extensions:\n([^]*?)\n {4}Signature Algorithm/.exec(text) ?? []
  const found = extensions
    .split(/\n {12}(?=\S)/)
    .map((part) => part.trim().replace(/: ?\n +/, ': '))
    // How much of these two is shown is a matter of openssl's age; both are read otherwise.
    .map((part) => part.replace(/(CT Precertificate SCTs|othername): ?[^]*/, '$1'))
  const { issuer, account } = identity
  const alternativeName = {
    email: `email:${identity.name}`,
    uri: `URI:${identity.name}`,
    username: 'othername'
  }[identity.type]
  t.strictSame(found, [
    'X509v3 Key Usage: critical\n                Digital Signature',
    'X509v3 Extended Key Usage: Code Signing',
    `X509v3 Subject Key Identifier: ${keyIdentifier(key)}`,
    `X509v3 Authority Key Identifier: ${keyIdentifier(root.publicKey)}`,
    `X509v3 Subject Alternative Name: critical\n                ${alternativeName}`,
    `1.3.6.1.4.1.57264.1.1: ${issuer}`,
    // Tag and length of the UTF8String, which openssl prints as dots where they are no letters.
    `1.3.6.1.4.1.57264.1.8: ${utf8StringAsPrinted(issuer)}`,
    `1.3.6.1.4.1.57264.1.24: ${utf8StringAsPrinted(account.sub)}`,
    'CT Precertificate SCTs'
  ])
  await assertLogged(t, keyless, leaf)
}

function utf8StringAsPrinted(text: string): string {
  const length = String.fromCharCode(text.length)
  return `.${/[ -~]/.test(length) ? length : '.'}${text}`
}

for (const kind of KINDS) {
  t.test(`${kind.name}, version 2, token in the header`, async (t) => {
    const answer = await post('/api/v2/signingCert', keyRequest(kind), {
      ...bearer(await person.idToken()),
      'content-type': 'text/plain'
    })
    t.equal(answer.status, 200, 'answered', { answer: answer.text })
    t.equal(answer.headers.get('content-type'), 'application/json')
    await check(t, chainOf(t, answer.text), kind.pair.publicKey)
  })

  t.test(`${kind.name}, version 1, DER`, async (t) => {
    const der = kind.pair.publicKey.export({ type: 'spki', format: 'der' })
    const answer = await post(
      '/api/v1/signingCert',
      {
        publicKey: { algorithm: 'ecdsa', content: der.toString('base64') },
        signedEmailAddress: proof(kind)
      },
      bearer(await person.idToken())
    )
    t.equal(answer.status, 201, 'answered', { answer: answer.text })
    t.equal(answer.headers.get('content-type'), 'application/pem-certificate-chain')
    t.equal(answer.headers.get('sct'), null, 'the SCT is in the certificate')
    await check(t, certificatesOf(answer.text), kind.pair.publicKey)
  })
}

for (const identity of [workload, user]) {
  t.test(`type ${identity.type}, version 2, token in the body`, async (t) => {
    const answer = await post('/api/v2/signingCert', {
      credentials: { oidcIdentityToken: await identity.idToken() },
      ...keyRequest(P256, identity)
    })
    t.equal(answer.status, 200, 'answered', { answer: answer.text })
    const chain = chainOf(t, answer.text)
    await check(t, chain, P256.pair.publicKey, identity)
    if (identity.type !== 'username') return
    const parsed = openssl(['asn1parse'], chain[0]?.toString() ?? '')
    t.match(parsed, new RegExp(`X509v3 Subject Alternative Name\n.*BOOLEAN +:255\n.*OCTET STRING`))
    const octets = /Alternative Name\n.*\n.*\[HEX DUMP\]:([0-9A-F]+)/.exec(parsed)?.[1] ?? ''
    const name = openssl(['asn1parse', '-inform', 'DER'], Buffer.from(octets, 'hex'))
    t.match(name, /OBJECT +:1\.3\.6\.1\.4\.1\.57264\.1\.7\n.*\n.*UTF8STRING +:jane!127\.0\.0\.1\n$/)
  })
}

for (const subject of [`/emailAddress=${EMAIL}`, '/']) {
  t.test(`a certificate request for ${subject}, as sigstore-python sends it`, async (t) => {
    const { publicKey, privateKey } = ec('P-256')
    const keyFile = session.write(
      'csr.key',
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    )
    const args = ['req', '-new', '-key', keyFile, '-subj', subject]
    const csr = execFileSync('openssl', [...args, '-addext', 'basicConstraints=critical,CA:FALSE'])
    const answer = await post(
      '/api/v2/signingCert',
      { certificateSigningRequest: csr.toString('base64') },
      { ...bearer(await person.idToken()), accept: 'application/pem-certificate-chain' }
    )
    t.equal(answer.status, 200, 'answered', { answer: answer.text })
    t.equal(answer.headers.get('content-type'), 'application/json')
    await check(t, chainOf(t, answer.text), publicKey)
  })
}

t.test(
  'refusals: tokens of the provider that are not for this, keys that are not theirs',
  async (t) => {
    const badToken = 'There was an error processing the identity token'
    const otherAudience = bearer(await person.idToken(OTHER_CLIENT_ID))
    const unverified = bearer(await person.idToken(undefined, { emailVerified: false }))
    const token = await person.idToken()
    const [header = '', claims = '', signature = ''] = token.split('.')
    const forged = Buffer.from(claims, 'base64url').toString().replace(EMAIL, 'joe@example.com')
    const changed = bearer(`${header}.${Buffer.from(forged).toString('base64url')}.${signature}`)
    const request = keyRequest(P256)
    const { publicKeyRequest } = request
    const stolen = {
      publicKeyRequest: { ...publicKeyRequest, publicKey: { content: spkiPem(ec('P-256')) } }
    }
    const badProof = 'The signature supplied in the request could not be verified'
    const before = await treeSize()
    for (const [name, body, headers, message] of [
      ['for another client', request, otherAudience, badToken],
      ['an e-mail address nobody verified', request, unverified, badToken],
      ['claims changed afterwards', request, changed, badToken],
      ['no token', request, {}, badToken],
      ['the key of somebody else', stolen, bearer(token), badProof],
      ['the proof of somebody else', keyRequest(P256, user), bearer(token), badProof]
    ] as const) {
      const answer = await post('/api/v2/signingCert', body, headers)
      t.equal(answer.status, 400, name)
      const refusal = JSON.parse(answer.text) as { code: number; message: string }
      t.equal(refusal.code, 3, name)
      t.ok(refusal.message.startsWith(message), name, { refusal })
    }
    t.equal(await treeSize(), before, 'and nothing of it was logged')
  }
)

async function treeSize(): Promise<number> {
  const answer = await fetch(`${url}/ct/v1/get-sth`)
  return ((await answer.json()) as { tree_size: number }).tree_size
}

interface RealCertificate {
  readonly name: string
  readonly certificatePem: string
  readonly issuerPem: string
  readonly scts: readonly {
    readonly ctLogPublicKeyB64: string
    readonly timestampMs: string | number
    readonly merkleLeafHashHex: string
  }[]
}

t.test('the verifier of this test does accept what real instances issued', async (t) => {
  const file = `${REPOSITORY}test/vectors/fulcio/real-certs.json`
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: RealCertificate[] }
  t.equal(cases.length, 3)
  for (const { name, certificatePem, issuerPem, scts } of cases) {
    const certificate = new X509Certificate(certificatePem)
    const [sct] = scts
    if (sct === undefined) throw new Error('no SCT')
    const logKey = createPublicKey({
      key: Buffer.from(sct.ctLogPublicKeyB64, 'base64'),
      format: 'der',
      type: 'spki'
    })
    const read = verifyEmbeddedSct(
      certificate,
      new X509Certificate(issuerPem),
      logKey.export({ type: 'spki', format: 'pem' }).toString()
    )
    t.equal(read.timestampMs, Number(sct.timestampMs), name)
    t.equal(leafHash(read.leaf).toString('hex'), sct.merkleLeafHashHex, name)
  }
})

t.test('the verifier of this test does refuse', async (t) => {
  const answer = await post('/api/v2/signingCert', {
    credentials: { oidcIdentityToken: await person.idToken() },
    ...keyRequest(P256)
  })
  const [leaf, issuing] = chainOf(t, answer.text)
  if (leaf === undefined || issuing === undefined) throw new Error(answer.text)
  verifyEmbeddedSct(leaf, issuing, pem.ctKey)
  t.throws(() => verifyEmbeddedSct(leaf, issuing, pem.rekorKey), /another log/)
  t.throws(() => verifyEmbeddedSct(leaf, leaf, pem.ctKey), /the signature is wrong/)
  const changed = Buffer.from(leaf.raw)
  changed[changed.indexOf(EMAIL)] = 'J'.charCodeAt(0)
  t.throws(
    () => verifyEmbeddedSct(new X509Certificate(changed), issuing, pem.ctKey),
    /the signature is wrong/
  )
  t.throws(() => verifyEmbeddedSct(issuing, issuing, pem.ctKey), /no SCT list/)
})
