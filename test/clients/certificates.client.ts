// What the certificate authority answers to every kind of key and both versions of its API, looked at by openssl and by a
// verifier of SCTs and tree heads that was written for this test alone.
import { execFileSync } from 'node:child_process'
import {
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
  X509Certificate
} from 'node:crypto'
import t, { type Test } from 'tap'
import { certificatesOf, EMAIL, openKeylessSession } from './keyless.js'
import { leafHash, rootOf, verifyEmbeddedSct, verifyTreeHead } from './sct.js'

const keyless = await openKeylessSession(t)
const { session, issuer, pem } = keyless
const { url } = session.server
const [root] = certificatesOf(pem.chain)
if (root === undefined) throw new Error('no root')

interface KeyKind {
  readonly name: string
  readonly pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  readonly hash: string | null
  /** How `openssl x509 -text` calls it. */
  readonly shown: RegExp
}

const KINDS: readonly KeyKind[] = [
  { name: 'P-256', pair: ec('P-256'), hash: 'sha256', shown: /NIST CURVE: P-256/ },
  { name: 'P-384', pair: ec('P-384'), hash: 'sha384', shown: /NIST CURVE: P-384/ },
  { name: 'P-521', pair: ec('P-521'), hash: 'sha512', shown: /NIST CURVE: P-521/ },
  {
    name: 'RSA',
    pair: generateKeyPairSync('rsa', { modulusLength: 3072 }),
    hash: 'sha256',
    shown: /\(3072 bit\)/
  },
  { name: 'Ed25519', pair: generateKeyPairSync('ed25519'), hash: null, shown: /ED25519/ }
]

function ec(namedCurve: string) {
  return generateKeyPairSync('ec', { namedCurve })
}

function spkiPem({ publicKey }: KeyKind['pair']): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

function proof({ pair, hash }: KeyKind): string {
  return sign(hash, Buffer.from(EMAIL), pair.privateKey).toString('base64')
}

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body)
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

/** Chain in an answer of version 2. */
function chainOf(text: string): readonly X509Certificate[] {
  const { signedCertificateEmbeddedSct } = JSON.parse(text) as {
    signedCertificateEmbeddedSct: { chain: { certificates: string[] } }
  }
  return signedCertificateEmbeddedSct.chain.certificates.map((text) => new X509Certificate(text))
}

/** Everything there is to be said of a certificate that was just issued. */
async function check(t: Test, chain: readonly X509Certificate[], key: KeyObject, shown: RegExp) {
  const [leaf, issuing, ...rest] = chain
  if (leaf === undefined || issuing === undefined) throw new Error('no chain')
  t.equal(rest.length, 0, 'the root issues')
  t.equal(issuing.fingerprint256, root?.fingerprint256)
  t.ok(leaf.checkIssued(issuing) && leaf.verify(issuing.publicKey), 'signed by the root')
  t.ok(leaf.publicKey.equals(key), 'the key of the client')
  t.equal(leaf.subjectAltName, `email:${EMAIL}`)
  t.equal(leaf.subject, undefined, 'no subject')
  const seconds = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 1000
  t.equal(seconds, 600, 'ten minutes')

  const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: leaf.toString() })
  t.match(text.toString(), shown)
  t.match(text.toString(), /X509v3 Key Usage: critical\n +Digital Signature\n/)
  t.match(text.toString(), /X509v3 Extended Key Usage: \n +Code Signing\n/)
  t.match(text.toString(), /X509v3 Subject Alternative Name: critical/)
  t.match(text.toString(), new RegExp(`1\\.3\\.6\\.1\\.4\\.1\\.57264\\.1\\.1: \\n +${issuer}\n`))
  t.match(text.toString(), /1\.3\.6\.1\.4\.1\.57264\.1\.8: \n/)
  t.match(text.toString(), /1\.3\.6\.1\.4\.1\.57264\.1\.24: \n/)
  t.match(text.toString(), /CT Precertificate SCTs: \n/)

  const { leaf: entry, timestampMs } = verifyEmbeddedSct(leaf, issuing, pem.ctKey)
  t.ok(Math.abs(timestampMs - Date.parse(leaf.validFrom)) < 5000, 'the time of the SCT')
  const sth = (await (await fetch(`${keyless.ctUrl}/ct/v1/get-sth`)).json()) as Parameters<
    typeof verifyTreeHead
  >[0]
  verifyTreeHead(sth, pem.ctKey)
  const query = new URLSearchParams({
    hash: leafHash(entry).toString('base64'),
    tree_size: String(sth.tree_size)
  })
  const found = (await (
    await fetch(`${url}/ct/v1/get-proof-by-hash?${query.toString()}`)
  ).json()) as { leaf_index: number; audit_path: string[] }
  const path = found.audit_path.map((hash) => Buffer.from(hash, 'base64'))
  t.equal(
    rootOf(entry, found.leaf_index, sth.tree_size, path).toString('base64'),
    sth.sha256_root_hash,
    'the entry is in the tree whose head was signed'
  )
}

for (const kind of KINDS) {
  t.test(`${kind.name}, version 2, token in the header`, async (t) => {
    const answer = await post(
      '/api/v2/signingCert',
      {
        publicKeyRequest: {
          publicKey: { algorithm: kind.name, content: spkiPem(kind.pair) },
          proofOfPossession: proof(kind)
        }
      },
      { authorization: `Bearer ${await keyless.idToken()}`, 'content-type': 'text/plain' }
    )
    t.equal(answer.status, 200, answer.text)
    await check(t, chainOf(answer.text), kind.pair.publicKey, kind.shown)
  })

  t.test(`${kind.name}, version 1, DER`, async (t) => {
    const der = kind.pair.publicKey.export({ type: 'spki', format: 'der' })
    const answer = await post(
      '/api/v1/signingCert',
      {
        publicKey: { algorithm: 'ecdsa', content: der.toString('base64') },
        signedEmailAddress: proof(kind)
      },
      { authorization: `Bearer ${await keyless.idToken()}` }
    )
    t.equal(answer.status, 201, answer.text)
    t.equal(answer.headers.get('content-type'), 'application/pem-certificate-chain')
    t.equal(answer.headers.get('sct'), null, 'the SCT is in the certificate')
    await check(t, certificatesOf(answer.text), kind.pair.publicKey, kind.shown)
  })
}

t.test('a certificate request, as sigstore-python sends it', async (t) => {
  const keyFile = session.write(
    'csr.key',
    ec('P-256').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  )
  const args = ['req', '-new', '-key', keyFile, '-subj', `/emailAddress=${EMAIL}`]
  const csr = execFileSync('openssl', [...args, '-addext', 'basicConstraints=critical,CA:FALSE'])
  const answer = await post(
    '/api/v2/signingCert',
    { certificateSigningRequest: csr.toString('base64') },
    {
      authorization: `Bearer ${await keyless.idToken()}`,
      accept: 'application/pem-certificate-chain'
    }
  )
  t.equal(answer.status, 200, answer.text)
  t.equal(answer.headers.get('content-type'), 'application/json')
  const publicPem = execFileSync('openssl', ['pkey', '-in', keyFile, '-pubout']).toString()
  await check(t, chainOf(answer.text), createPublicKey(publicPem), /NIST CURVE: P-256/)
})

t.test('the verifier of this test does refuse', async (t) => {
  const kind = KINDS[0] as KeyKind
  const answer = await post('/api/v2/signingCert', {
    credentials: { oidcIdentityToken: await keyless.idToken() },
    publicKeyRequest: {
      publicKey: { content: spkiPem(kind.pair) },
      proofOfPossession: proof(kind)
    }
  })
  const [leaf, issuing] = chainOf(answer.text)
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
