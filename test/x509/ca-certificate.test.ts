import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encodePem } from '../../src/encoding/pem.js'
import { createLocalSigner, generateSigningKey } from '../../src/keys/local-signer.js'
import { readPrivateKeyFile } from '../../src/keys/private-key-file.js'
import type { SignatureAlgorithm } from '../../src/keys/signer.js'
import {
  buildCertificateRequest,
  buildIntermediateCertificate,
  buildRootCertificate,
  subjectKeyIdOfCertificate
} from '../../src/x509/ca-certificate.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { subjectKeyIdOf } from '../../src/x509/leaf-certificate.js'
import { certificateOfPem, precertificateVector } from '../helpers/ct-vectors.js'
import { refusalText } from '../helpers/refusals.js'

const dir = t.testdir({})
const subject = { organization: 'Blåbær & Co', commonName: 'a root' }
const YEAR = 365 * 86_400
const notBeforeSeconds = Date.parse('2026-01-01T00:00:00Z') / 1000

async function signerOf(algorithm: SignatureAlgorithm) {
  return createLocalSigner(await generateSigningKey(algorithm))
}

function save(name: string, type: string, der: Uint8Array): string {
  const path = join(dir, name)
  writeFileSync(path, encodePem(type, der))
  return path
}

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()
}

for (const algorithm of [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256'
] as const) {
  t.test(`root and intermediate, as OpenSSL sees them: ${algorithm}`, async (t) => {
    const signer = await signerOf(algorithm)
    const root = await buildRootCertificate({
      subject,
      signer,
      serialNumber: 2n ** 159n - 1n,
      notBeforeSeconds,
      notAfterSeconds: notBeforeSeconds + 30 * YEAR
    })
    const child = await signerOf(algorithm)
    const intermediate = await buildIntermediateCertificate({
      subject: { ...subject, commonName: 'an intermediate' },
      publicKey: child.publicKey,
      issuer: root,
      issuerSigner: signer,
      serialNumber: 128n,
      notBeforeSeconds,
      notAfterSeconds: notBeforeSeconds + YEAR
    })
    const rootFile = save(`${algorithm}-root.pem`, 'CERTIFICATE', root.der)
    const childFile = save(`${algorithm}-child.pem`, 'CERTIFICATE', intermediate.der)
    t.match(
      openssl('verify', '-x509_strict', '-attime', '1770000000', '-CAfile', rootFile, childFile),
      /: OK\n$/
    )
    t.match(
      openssl('verify', '-x509_strict', '-attime', '1770000000', '-CAfile', rootFile, rootFile),
      /: OK\n$/
    )

    const text = openssl(
      'x509',
      '-in',
      rootFile,
      '-noout',
      '-text',
      '-nameopt',
      'RFC2253,utf8,-esc_msb'
    )
    t.match(text, /Subject: CN=a root,O=Blåbær & Co\n/)
    t.match(text, /Issuer: CN=a root,O=Blåbær & Co\n/)
    t.match(text, /Not After : Dec 25 00:00:00 2055 GMT/)
    t.match(text, /X509v3 Key Usage: critical\n +Certificate Sign, CRL Sign\n/)
    t.match(text, /X509v3 Basic Constraints: critical\n +CA:TRUE\n/)
    t.notMatch(text, /Extended Key Usage/)
    const childText = openssl('x509', '-in', childFile, '-noout', '-text')
    t.match(childText, /X509v3 Extended Key Usage: \n +Code Signing\n/)
    t.match(childText, /X509v3 Basic Constraints: critical\n +CA:TRUE, pathlen:0\n/)
    const rootKeyId = encodeHex(subjectKeyIdOf(signer.publicKey))
      .toUpperCase()
      .match(/../g)
      ?.join(':')
    t.match(childText, `X509v3 Authority Key Identifier: \n                ${rootKeyId}`)
    t.strictSame(subjectKeyIdOfCertificate(intermediate), subjectKeyIdOf(child.publicKey))
    t.strictSame(intermediate.issuer, root.subject, 'the issuer byte for byte')
  })
}

t.test('an intermediate under a root of another implementation', async (t) => {
  const keyFile = join(dir, 'openssl-root.key')
  const rootFile = join(dir, 'openssl-root.pem')
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', keyFile)
  const args = ['req', '-x509', '-new', '-key', keyFile, '-days', '2', '-out', rootFile]
  openssl(...args, '-subj', '/C=DE/O=x/OU=y/CN=z')
  const root = certificateOfPem(openssl('x509', '-in', rootFile))
  const rootSigner = createLocalSigner(await readPrivateKeyFile(readFileSync(keyFile, 'utf8')))
  const child = await signerOf('rsa-sign-pkcs1-2048-sha256')
  const intermediate = await buildIntermediateCertificate({
    subject,
    publicKey: child.publicKey,
    issuer: root,
    issuerSigner: rootSigner,
    serialNumber: 1n,
    notBeforeSeconds: root.notBeforeSeconds,
    notAfterSeconds: root.notAfterSeconds
  })
  t.strictSame(intermediate.issuer, root.subject)
  const childFile = save('openssl-child.pem', 'CERTIFICATE', intermediate.der)
  t.match(openssl('verify', '-CAfile', rootFile, childFile), /: OK\n$/)
})

t.test('intermediates that their issuer may not have', async (t) => {
  const signer = await signerOf('ecdsa-sha2-256-nistp256')
  const child = await signerOf('ecdsa-sha2-256-nistp256')
  const times = { serialNumber: 1n, notBeforeSeconds, notAfterSeconds: notBeforeSeconds + YEAR }
  const root = await buildRootCertificate({ ...times, subject, signer })
  const good = { ...times, subject, publicKey: child.publicKey, issuer: root, issuerSigner: signer }
  const intermediate = await buildIntermediateCertificate(good)
  const below = /^invalid_request: the issuing certificate may not have another authority below it$/
  const time = /^invalid_request: the issuing certificate is not valid as long as that$/
  const cases: [name: string, change: Partial<typeof good>, message: RegExp][] = [
    ['below an intermediate', { issuer: intermediate, issuerSigner: child }, below],
    ['below no authority', { issuer: { ...root, basicConstraints: undefined } }, below],
    ['below one that signs no certificates', { issuer: { ...root, mayCertSign: false } }, below],
    ['signed by another', { issuerSigner: child }, /public keys are not equal$/],
    ['begins earlier', { notBeforeSeconds: notBeforeSeconds - 1 }, time],
    ['ends later', { notAfterSeconds: notBeforeSeconds + YEAR + 1 }, time]
  ]
  for (const [name, change, message] of cases) {
    t.match(
      await refusalText(() => buildIntermediateCertificate({ ...good, ...change })),
      message,
      name
    )
  }
})

t.test('requests, as OpenSSL sees them', async (t) => {
  for (const algorithm of ['ecdsa-sha2-384-nistp384', 'rsa-sign-pkcs1-3072-sha256'] as const) {
    const signer = await signerOf(algorithm)
    const { der, request } = await buildCertificateRequest({ subject, signer })
    t.strictSame(request.subjectPublicKeyInfo, signer.publicKey)
    const file = save(`${algorithm}.csr`, 'CERTIFICATE REQUEST', der)
    const text = openssl(
      'req',
      '-in',
      file,
      '-verify',
      '-noout',
      '-subject',
      '-nameopt',
      'RFC2253,utf8,-esc_msb'
    )
    t.match(text, /subject=CN=a root,O=Blåbær & Co\n/)
  }
})

t.test('names that no certificate should have', async (t) => {
  const signer = await signerOf('ecdsa-sha2-256-nistp256')
  for (const [name, wrong, message] of [
    [
      'empty',
      { organization: '', commonName: 'x' },
      /^invalid_request: organization of an authority must be 1 to 64/
    ],
    [
      'too long',
      { organization: 'x', commonName: 'x'.repeat(65) },
      /common name of an authority must be/
    ],
    [
      'a line break',
      { organization: 'x\ny', commonName: 'x' },
      /organization of an authority must be/
    ]
  ] as const) {
    t.match(
      await refusalText(() => buildCertificateRequest({ subject: wrong, signer })),
      message,
      name
    )
  }
  const longest = { organization: 'ü'.repeat(64), commonName: 'x' }
  t.ok((await buildCertificateRequest({ subject: longest, signer })).der.length > 0)
})

t.test('subject key identifiers', async (t) => {
  const certificate = certificateOfPem(precertificateVector.final_certificate_pem)
  const without = { ...certificate, extensions: [] }
  t.match(
    await refusalText(() => subjectKeyIdOfCertificate(without)),
    /issuing certificate has no subject key identifier/
  )
  const odd = {
    ...certificate,
    extensions: [{ oid: '2.5.29.14', critical: false, value: Uint8Array.of(5, 0) }]
  }
  t.match(await refusalText(() => subjectKeyIdOfCertificate(odd)), /has no subject key identifier/)
  t.equal(subjectKeyIdOfCertificate(certificate).length, 20)
})
