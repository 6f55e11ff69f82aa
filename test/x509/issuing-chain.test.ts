import { generateKeyPairSync } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { encodePem } from '../../src/encoding/pem.js'
import { createLocalSigner, generateSigningKey } from '../../src/keys/local-signer.js'
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
  const without = (certificate: Certificate, ...oids: string[]): Certificate => ({
    ...certificate,
    extensions: certificate.extensions.filter(({ oid }) => !oids.includes(oid))
  })
  const below = await buildIntermediateCertificate({
    ...times,
    subject: name('below'),
    publicKey: signer.publicKey,
    issuer: issuing,
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
    ['key usage', [{ ...issuing, mayCertSign: false }, root], /certificate is not a CA/]
  ]
  for (const [title, chain, message] of cases) {
    t.match(await refusalText(() => checkIssuingChain(chain, at)), message, title)
  }
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
    /^unsupported: an Ed25519 key cannot issue: clients/
  )
  t.match(
    await refusalText(check(selfSigned('rsa:1024'))),
    /^unsupported: an issuing key must be ECDSA/
  )
  t.match(
    await refusalText(check(selfSigned('ec', '-pkeyopt', 'ec_paramgen_curve:secp224r1'))),
    /^unsupported: an issuing key must be ECDSA/
  )
})

t.test('chain files of Fulcio', async (t) => {
  interface FileCase {
    readonly name: string
    readonly certChainPem: string
  }
  const { cases } = fulcioVector<{ readonly cases: readonly FileCase[] }>('file-ca.json')
  const results: Record<string, string> = {}
  for (const { name: title, certChainPem } of cases) {
    const text = await refusalText(async () => {
      const chain = parseCertificateChainPem(certChainPem)
      const publicKey = chain[0]?.publicKey.spki ?? new Uint8Array(0)
      await checkIssuingChain(chain, { publicKey, atSeconds: 1_700_000_000 })
    }).catch(() => 'taken')
    results[title] = text
  }
  t.matchOnly(results, Object.fromEntries(cases.map(({ name: title }) => [title, String])))
  t.match(results, { ecdsa: 'taken', rsa4096: 'taken', ed25519: /Ed25519 key cannot issue/ })
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
