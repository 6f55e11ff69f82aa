import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { encodeOid, encodeSequence } from '../../src/encoding/der.js'
import { encodePem } from '../../src/encoding/pem.js'
import { createLocalSigner, generateSigningKey } from '../../src/keys/local-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import {
  buildIntermediateCertificate,
  buildRootCertificate
} from '../../src/x509/ca-certificate.js'
import type { Certificate } from '../../src/x509/certificate.js'
import { checkIssuingChain, parseCertificateChainPem } from '../../src/x509/issuing-chain.js'
import { subjectKeyIdOf } from '../../src/x509/leaf-certificate.js'
import { certificateOfPem, precertificateVector } from '../helpers/ct-vectors.js'
import { fulcioVector } from '../helpers/fulcio-vectors.js'
import { refusalText } from '../helpers/refusals.js'

const notBeforeSeconds = 1_800_000_000
const notAfterSeconds = notBeforeSeconds + 1000
const atSeconds = notBeforeSeconds + 10
const times = { serialNumber: 1n, notBeforeSeconds, notAfterSeconds }
const name = (commonName: string) => ({ organization: 'o', commonName })

async function newSigner() {
  return createLocalSigner(await generateSigningKey('ecdsa-sha2-256-nistp256'))
}

const rootSigner = await newSigner()
const signer = await newSigner()
const root = await buildRootCertificate({ ...times, subject: name('root'), signer: rootSigner })
const issuing = await buildIntermediateCertificate({
  ...times,
  notAfterSeconds: notAfterSeconds - 100,
  subject: name('issuing'),
  publicKey: signer.publicKey,
  issuer: root,
  issuerSigner: rootSigner
})
const at = { publicKey: signer.publicKey, atSeconds }

t.test('a root alone, and an intermediate under it', async (t) => {
  const alone = await checkIssuingChain([root], { publicKey: rootSigner.publicKey, atSeconds })
  t.strictSame(alone.der, [root.der])
  t.equal(alone.notAfterSeconds, notAfterSeconds)
  const two = await checkIssuingChain([issuing, root], at)
  t.strictSame(two.certificates, [issuing, root])
  t.strictSame(two.pem, [encodePem('CERTIFICATE', issuing.der), encodePem('CERTIFICATE', root.der)])
  t.strictSame(two.authorityKeyId, subjectKeyIdOf(signer.publicKey))
  t.equal(two.notAfterSeconds, notAfterSeconds - 100, 'the first to expire')
  t.strictSame(
    parseCertificateChainPem(`text\n${two.pem.join('more\n')}`).map(({ der }) => der),
    [issuing.der, root.der]
  )
})

t.test('chains that may not issue', async (t) => {
  const other = await buildRootCertificate({ ...times, subject: name('root'), signer })
  const stranger = await buildRootCertificate({ ...times, subject: name('x'), signer: rootSigner })
  const namesake = await buildIntermediateCertificate({
    ...times,
    subject: name('root'),
    publicKey: signer.publicKey,
    issuer: root,
    issuerSigner: rootSigner
  })
  const without = (certificate: Certificate, ...oids: string[]): Certificate => ({
    ...certificate,
    extensions: certificate.extensions.filter(({ oid }) => !oids.includes(oid))
  })
  const withExtension = (
    certificate: Certificate,
    oid: string,
    value: Uint8Array,
    critical = false
  ): Certificate => ({
    ...certificate,
    extensions: [...certificate.extensions, { oid, critical, value }]
  })
  const purposes = (...oids: string[]) => encodeSequence(...oids.map(encodeOid))
  const below = await buildIntermediateCertificate({
    ...times,
    subject: name('below'),
    publicKey: signer.publicKey,
    // As if it might have others below it: else it is not built.
    issuer: { ...issuing, notAfterSeconds, basicConstraints: root.basicConstraints },
    issuerSigner: signer
  })
  const leaf = certificateOfPem(precertificateVector.final_certificate_pem)
  const cases: [name: string, chain: Certificate[], message: RegExp][] = [
    ['none', [], /certificate chain must contain at least one certificate/],
    ['a key of another', [root], /public keys are not equal/],
    ['no root', [issuing], /the last certificate of the chain is not a self-signed root/],
    [
      'signed by another of the same name',
      [issuing, other],
      /certificate 0 of the chain was not signed by the next one/
    ],
    ['names that do not fit', [issuing, stranger], /was not signed by the next one/],
    [
      'an intermediate that looks like a root',
      [namesake, root],
      /has the same subject as the next/
    ],
    [
      'an intermediate that may have none below it',
      [below, issuing, root],
      /certificate 1 of the chain: too many intermediates for its path length constraint/
    ],
    [
      'without purpose',
      [without(issuing, '2.5.29.37'), root],
      /must have extended key usage code signing/
    ],
    [
      'no subject key identifier',
      [without(issuing, '2.5.29.14'), root],
      /has no subject key identifier/
    ],
    [
      'basic constraints',
      [{ ...issuing, basicConstraints: undefined }, root],
      /certificate 0 of the chain: certificate is not a CA/
    ],
    ['key usage', [{ ...issuing, mayCertSign: false }, root], /certificate is not a CA/],
    [
      'a root for other purposes',
      [issuing, withExtension(root, '2.5.29.37', purposes('1.3.6.1.5.5.7.3.1'))],
      /certificate 1 of the chain is limited to purposes other than code signing/
    ],
    [
      'name constraints',
      [issuing, withExtension(root, '2.5.29.30', encodeSequence())],
      /^unsupported: certificate 1 of the chain: name constraints are not supported/
    ],
    [
      'a critical extension nobody knows',
      [issuing, withExtension(root, '1.2.3', encodeSequence(), true)],
      /certificate 1 of the chain has an unhandled critical extension/
    ]
  ]
  for (const [title, chain, message] of cases) {
    t.match(await refusalText(() => checkIssuingChain(chain, at)), message, title)
  }
  for (const harmless of [
    withExtension(root, '2.5.29.37', purposes('2.5.29.37.0')),
    withExtension(root, '2.5.29.37', purposes('1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.3')),
    withExtension(root, '1.2.3', encodeSequence())
  ]) {
    t.equal((await checkIssuingChain([issuing, harmless], at)).der.length, 2)
  }
  t.match(
    await refusalText(() =>
      checkIssuingChain([withExtension(root, '2.5.29.37', purposes('1.3.6.1.5.5.7.3.1'))], {
        publicKey: rootSigner.publicKey,
        atSeconds
      })
    ),
    /certificate 0 of the chain is limited to purposes other than code signing/
  )
  t.match(
    await refusalText(() =>
      checkIssuingChain([leaf], { publicKey: leaf.publicKey.spki, atSeconds })
    ),
    /certificate is not a CA/
  )
})

t.test('only while all of it is valid', async (t) => {
  const check = (seconds: number) => () =>
    checkIssuingChain([issuing, root], { ...at, atSeconds: seconds })
  t.ok(await check(notBeforeSeconds)())
  t.ok(await check(notAfterSeconds - 100)())
  t.match(
    await refusalText(check(notBeforeSeconds - 1)),
    /certificate 0 of the chain is valid only from 2027-01-15T08:00:00Z/
  )
  t.match(
    await refusalText(check(notAfterSeconds - 99)),
    /certificate 0 of the chain expired at 2027-01-15T08:15:00Z/
  )
})

t.test('kinds of key', async (t) => {
  const dir = t.testdir({})
  const selfSigned = (...algorithm: string[]): Certificate => {
    const args = ['req', '-x509', '-new', '-nodes', '-keyout', join(dir, 'key'), '-subj', '/CN=x']
    const newKey = ['-newkey', ...algorithm]
    return certificateOfPem(
      execFileSync('openssl', [...args, ...newKey], {
        stdio: ['ignore', 'pipe', 'ignore']
      }).toString()
    )
  }
  const check = (certificate: Certificate) => () =>
    checkIssuingChain([certificate], {
      publicKey: certificate.publicKey.spki,
      atSeconds: certificate.notBeforeSeconds
    })
  t.ok(await check(selfSigned('ec', '-pkeyopt', 'ec_paramgen_curve:P-384'))())
  t.ok(await check(selfSigned('rsa:2048'))())
  t.match(
    await refusalText(check(selfSigned('ed25519'))),
    /^unsupported: an Ed25519 key cannot issue: sigstore-python checks timestamps/
  )
  t.match(
    await refusalText(check(selfSigned('rsa:1024'))),
    /^unsupported: an issuing key must be ECDSA .*: modulus of 1024 bits/
  )
  t.match(
    await refusalText(check(selfSigned('ec', '-pkeyopt', 'ec_paramgen_curve:secp224r1'))),
    /^unsupported: an issuing key must be ECDSA .*: curve P-224/
  )
})

interface FileCase {
  readonly name: string
  readonly certChainPem: string
  readonly decryptedPkcs8Pem: string
  readonly accept: boolean
  readonly reason?: string
}

const fileCases = fulcioVector<{ readonly cases: readonly FileCase[] }>('file-ca.json').cases

t.test('chains and keys of Fulcio', async (t) => {
  const results: Record<string, string> = {}
  for (const { name: title, certChainPem, decryptedPkcs8Pem, reason } of fileCases) {
    const key = createPublicKey(decryptedPkcs8Pem).export({ type: 'spki', format: 'der' })
    const publicKey = Uint8Array.from(key)
    const check = async () =>
      checkIssuingChain(parseCertificateChainPem(certChainPem), {
        publicKey,
        atSeconds: 1_800_000_000
      })
    if (title in TAKEN) {
      const { certificates, authorityKeyId } = await check()
      t.equal(certificates.length, TAKEN[title], title)
      t.strictSame(authorityKeyId, subjectKeyIdOf(publicKey), title)
      continue
    }
    results[title] = await refusalText(check)
    if (reason !== undefined) t.match(results[title], reason.replace(/ \(.*/, ''), title)
  }
  const ed25519 = /^unsupported: an Ed25519 key cannot issue: sigstore-python checks/
  t.matchOnly(results, {
    ed25519,
    openssl: ed25519,
    'intermediate-2': ed25519,
    notca: 'invalid_request: certificate 0 of the chain: certificate is not a CA',
    mismatch: /^invalid_request: the key is not that .*: public keys are not equal$/,
    'eku-chaining-violation': /^invalid_request: certificate must have extended key usage code/
  })
})

/** Certificates in each chain that may issue. An Ed25519 key above the one that issues is no matter. */
const TAKEN: Readonly<Record<string, number>> = {
  ecdsa: 1,
  rsa4096: 1,
  'intermediate-3': 3,
  'fulcio-root': 1
}

t.test('weak RSA keys do not issue', async (t) => {
  const { cases } = fulcioVector<{
    readonly cases: readonly { readonly name: string; readonly publicKeyPem: string }[]
  }>('weak-keys.json')
  let refused = 0
  for (const { name: title, publicKeyPem } of cases) {
    if (!title.startsWith('RSA-2048 ') || title.endsWith('ordinary')) continue
    const spki = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' })
    const publicKey = parsePublicKey(Uint8Array.from(spki))
    // Nobody has the private key: the certificate is signed by the root, which knows no weakness.
    const weak = await buildIntermediateCertificate({
      ...times,
      subject: name('weak'),
      publicKey: publicKey.spki,
      issuer: root,
      issuerSigner: rootSigner
    })
    t.match(
      await refusalText(() =>
        checkIssuingChain([weak, root], { publicKey: publicKey.spki, atSeconds })
      ),
      /^unsupported: an issuing key must be ECDSA .*: (exponent|modulus divisible|primes|ROCA)/,
      title
    )
    refused++
  }
  t.equal(refused, 4)
})

t.test('files that are no chain', async (t) => {
  const pem = encodePem('CERTIFICATE', root.der)
  const { publicKey } = generateKeyPairSync('ed25519')
  const cases: [name: string, text: string, message: RegExp][] = [
    ['empty', '', /must contain at least one certificate/],
    ['text', 'no PEM', /must contain at least one certificate/],
    [
      'a key in it',
      `${pem}${publicKey.export({ type: 'spki', format: 'pem' }).toString()}`,
      /has a PEM block PUBLIC KEY in it/
    ],
    ['too many', pem.repeat(11), /more than 10/],
    ['rubbish', encodePem('CERTIFICATE', Uint8Array.of(1)), /x509: malformed certificate/]
  ]
  for (const [title, text, message] of cases) {
    t.match(await refusalText(() => parseCertificateChainPem(text)), message, title)
  }
  t.equal(parseCertificateChainPem(pem.repeat(10)).length, 10)
})
