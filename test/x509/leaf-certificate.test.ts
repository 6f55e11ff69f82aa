import { execFileSync } from 'node:child_process'
import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import t from 'tap'
import { parseDer } from '../../src/encoding/der.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodePem } from '../../src/encoding/pem.js'
import { createLocalSigner, generateSigningKey } from '../../src/keys/local-signer.js'
import type { SignatureAlgorithm } from '../../src/keys/signer.js'
import { subjectKeyIdOfCertificate } from '../../src/x509/ca-certificate.js'
import { type Certificate, findExtension, parseCertificate } from '../../src/x509/certificate.js'
import { buildSubjectAltName } from '../../src/x509/fulcio-extensions.js'
import {
  assembleCertificate,
  buildLeafTbs,
  encodeSignatureAlgorithm,
  type LeafFields,
  randomSerial,
  subjectKeyIdOf
} from '../../src/x509/leaf-certificate.js'
import {
  ctEntryOf,
  isPrecertificate,
  OID_PRECERTIFICATE_POISON,
  precertificateEntry,
  precertificateEntryOfCertificate
} from '../../src/x509/precertificate.js'
import { removeExtension } from '../../src/x509/remove-extension.js'
import { OID_SCT_LIST } from '../../src/x509/sct-list.js'
import {
  certificateOfPem,
  ctLogVector,
  precertificateVectors,
  realCertificateVectors
} from '../helpers/ct-vectors.js'

const FULCIO = '1.3.6.1.4.1.57264.1.'

/** The fields that give this certificate of somebody else, read from it. */
function fieldsOf(
  leaf: Certificate,
  issuer: Certificate,
  algorithm: SignatureAlgorithm
): LeafFields {
  const subjectAltName = findExtension(leaf.extensions, '2.5.29.17')
  if (subjectAltName === undefined) throw new Error('no SAN')
  return {
    serialNumber: leaf.serialNumber,
    signatureAlgorithm: algorithm,
    issuer: issuer.subject,
    authorityKeyId: subjectKeyIdOfCertificate(issuer),
    notBeforeSeconds: leaf.notBeforeSeconds,
    notAfterSeconds: leaf.notAfterSeconds,
    spki: leaf.publicKey.spki,
    subjectAltName,
    extensions: leaf.extensions.filter(({ oid }) => oid.startsWith(FULCIO))
  }
}

t.test('precertificates and certificates of another implementation, byte for byte', (t) => {
  const [issuer] = ctLogVector.ca_chain_pem.map(certificateOfPem)
  if (issuer === undefined) throw new Error('no issuer')
  let compared = 0
  for (const entry of precertificateVectors) {
    const precertificate = certificateOfPem(entry.precertificate_pem)
    const certificate = certificateOfPem(entry.final_certificate_pem)
    const tbs = buildLeafTbs(fieldsOf(precertificate, issuer, 'ecdsa-sha2-384-nistp384'))
    t.equal(encodeHex(tbs.withPoison()), encodeHex(precertificate.tbs), entry.id)
    const sctList = findExtension(certificate.extensions, OID_SCT_LIST)?.value ?? new Uint8Array(0)
    t.equal(encodeHex(tbs.withSctList(sctList)), encodeHex(certificate.tbs), entry.id)
    // What an authority holds a timestamp against is what the log reads from one, and everybody else from the other.
    const logged = precertificateEntry(tbs.plain(), issuer)
    t.strictSame(ctEntryOf(precertificate, issuer), logged)
    t.strictSame(precertificateEntryOfCertificate(certificate, issuer), logged)
    compared++
  }
  t.ok(compared > 0, `${compared} compared`)
  t.end()
})

/** What the keys of those instances sign with. */
const REAL_ALGORITHMS: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.10045.4.3.3': 'ecdsa-sha2-384-nistp384',
  '1.2.840.113549.1.1.11': 'rsa-sign-pkcs1-4096-sha256'
}

t.test('certificates of real instances, byte for byte', (t) => {
  for (const vector of realCertificateVectors) {
    const { name, certificatePem, issuerPem, defangedTbsSha256Hex, extensionOrder } = vector
    const certificate = certificateOfPem(certificatePem)
    const algorithm = REAL_ALGORITHMS[certificate.signatureAlgorithmOid]
    if (algorithm === undefined) throw new Error('another algorithm')
    const tbs = buildLeafTbs(fieldsOf(certificate, certificateOfPem(issuerPem), algorithm))
    const sctList = findExtension(certificate.extensions, OID_SCT_LIST)?.value ?? new Uint8Array(0)
    const whole = tbs.withSctList(sctList)
    t.equal(encodeHex(whole), encodeHex(certificate.tbs), name)
    t.equal(createHash('sha256').update(tbs.plain()).digest('hex'), defangedTbsSha256Hex, name)
    const der = assembleCertificate(whole, algorithm, certificate.signature)
    t.equal(encodeHex(der), encodeHex(certificate.der), name)
    t.strictSame(
      parseCertificate(der).extensions.map(({ oid, critical }) => ({ oid, critical })),
      extensionOrder,
      name
    )
  }
  t.equal(realCertificateVectors.length, 3)
  t.end()
})

const ALGORITHMS = [
  ['ecdsa-sha2-256-nistp256', 'ecdsa-with-SHA256'],
  ['ecdsa-sha2-384-nistp384', 'ecdsa-with-SHA384'],
  ['ecdsa-sha2-512-nistp521', 'ecdsa-with-SHA512'],
  ['rsa-sign-pkcs1-2048-sha256', 'sha256WithRSAEncryption']
] as const

const NAME = Uint8Array.from([
  0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 0x61
])

for (const [algorithm, shown] of ALGORITHMS) {
  t.test(`the profile, as OpenSSL and Node see it: ${algorithm}`, async (t) => {
    const signer = createLocalSigner(await generateSigningKey(algorithm))
    const client = createLocalSigner(await generateSigningKey('ecdsa-sha2-256-nistp256'))
    const tbs = buildLeafTbs({
      serialNumber: 0x7fn,
      signatureAlgorithm: algorithm,
      issuer: NAME,
      authorityKeyId: subjectKeyIdOf(signer.publicKey),
      notBeforeSeconds: Date.parse('2049-12-31T23:55:00Z') / 1000,
      notAfterSeconds: Date.parse('2050-01-01T00:05:00Z') / 1000,
      spki: client.publicKey,
      subjectAltName: buildSubjectAltName({ kind: 'rfc822Name', value: 'a@example.com' }),
      extensions: [{ oid: `${FULCIO}1`, critical: false, value: Uint8Array.of(0x69) }]
    })
    const plain = tbs.plain()
    const der = assembleCertificate(plain, algorithm, await signer.sign(plain))
    const certificate = parseCertificate(der)
    t.strictSame(certificate.tbs, plain)
    t.strictSame(
      certificate.extensions.map(({ oid, critical }) => [oid, critical]),
      [
        ['2.5.29.15', true],
        ['2.5.29.37', false],
        ['2.5.29.14', false],
        ['2.5.29.35', false],
        ['2.5.29.17', true],
        [`${FULCIO}1`, false]
      ]
    )
    const seen = new X509Certificate(encodePem('CERTIFICATE', der))
    const issuerKey = { key: Buffer.from(signer.publicKey), format: 'der', type: 'spki' } as const
    t.ok(seen.verify(createPublicKey(issuerKey)), 'signed')
    t.equal(seen.subjectAltName, 'email:a@example.com')
    t.equal(seen.serialNumber, '7F')
    t.equal(seen.validTo, 'Jan  1 00:05:00 2050 GMT')
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: seen.toString() })
    t.match(text.toString(), new RegExp(`Signature Algorithm: ${shown}\n`))
    t.match(text.toString(), /X509v3 Key Usage: critical\n +Digital Signature\n/)
    t.match(text.toString(), /X509v3 Extended Key Usage: \n +Code Signing\n/)
    const hexOf = (id: Uint8Array) => encodeHex(id).toUpperCase().match(/../g)?.join(':') ?? ''
    t.match(
      text.toString(),
      `Subject Key Identifier: \n                ${hexOf(subjectKeyIdOf(client.publicKey))}`
    )
    t.match(
      text.toString(),
      `Authority Key Identifier: \n                ${hexOf(subjectKeyIdOf(signer.publicKey))}`
    )
  })
}

/** `[length, bytes of the header]` of the element at the beginning, read without any of our own code. */
function headerOf(der: Uint8Array): [length: number, header: number] {
  const first = der[1] ?? 0
  if (first < 0x80) return [first, 2]
  const octets = der.subarray(2, 2 + (first & 0x7f))
  return [octets.reduce((length, octet) => length * 256 + octet, 0), 2 + octets.length]
}

/** Elements inside the element at the beginning. */
function elementsOf(der: Uint8Array): Uint8Array[] {
  const [length, header] = headerOf(der)
  const elements: Uint8Array[] = []
  for (let rest = der.subarray(header, header + length); rest.length > 0;) {
    const [inner, innerHeader] = headerOf(rest)
    elements.push(rest.subarray(0, inner + innerHeader))
    rest = rest.subarray(inner + innerHeader)
  }
  return elements
}

t.test('the forms differ in the last extension and nothing else', (t) => {
  const tbs = buildLeafTbs({
    serialNumber: 1n,
    signatureAlgorithm: 'ecdsa-sha2-256-nistp256',
    issuer: NAME,
    authorityKeyId: new Uint8Array(20),
    notBeforeSeconds: 0,
    notAfterSeconds: 600,
    spki: certificateOfPem(ctLogVector.ca_chain_pem[0]).publicKey.spki,
    subjectAltName: buildSubjectAltName({ kind: 'rfc822Name', value: 'a@example.com' }),
    extensions: [{ oid: `${FULCIO}1`, critical: false, value: Uint8Array.of(0x69) }]
  })
  /** Fields before the extensions, and the extensions, in hex. */
  const partsOf = (der: Uint8Array): { fields: string[]; extensions: string[] } => {
    const fields = elementsOf(der)
    const extensions = elementsOf(elementsOf(fields.pop() ?? new Uint8Array(0))[0] ?? der)
    return { fields: fields.map(encodeHex), extensions: extensions.map(encodeHex) }
  }
  const plain = partsOf(tbs.plain())
  t.equal(plain.fields.length, 7)
  t.equal(plain.extensions.length, 6)
  const poisoned = partsOf(tbs.withPoison())
  t.strictSame(poisoned.fields, plain.fields)
  t.strictSame(poisoned.extensions, [
    ...plain.extensions,
    '3013060a2b06010401d679020403' + '0101ff' + '04020500'
  ])
  // Around the places where lengths take an octet more.
  for (const length of [0, 1, 60, 100, 109, 110, 127, 128, 200, 65_000, 66_000]) {
    const value = new Uint8Array(length).fill(5)
    const final = partsOf(tbs.withSctList(value))
    t.strictSame(final.fields, plain.fields, `${length}`)
    t.strictSame(final.extensions.slice(0, -1), plain.extensions, `${length}`)
    const [oid, content, ...rest] = elementsOf(
      Uint8Array.from(Buffer.from(final.extensions.at(-1) ?? '', 'hex'))
    )
    t.equal(encodeHex(oid ?? value), '060a2b06010401d679020402')
    t.strictSame(content?.subarray(headerOf(content)[1]), value)
    t.strictSame(rest, [])
    t.strictSame(removeExtension(tbs.withSctList(value), OID_SCT_LIST), tbs.plain(), `${length}`)
  }
  t.strictSame(removeExtension(tbs.withPoison(), OID_PRECERTIFICATE_POISON), tbs.plain())
  const certificate = parseCertificate(
    assembleCertificate(tbs.withPoison(), 'ecdsa-sha2-256-nistp256', Uint8Array.of(1))
  )
  t.ok(isPrecertificate(certificate))
  t.end()
})

t.test('algorithm identifiers: NULL for RSA, nothing for ECDSA', (t) => {
  t.equal(
    encodeHex(encodeSignatureAlgorithm('rsa-sign-pkcs1-4096-sha256')),
    '300d06092a864886f70d01010b0500'
  )
  t.equal(
    encodeHex(encodeSignatureAlgorithm('ecdsa-sha2-256-nistp256')),
    '300a06082a8648ce3d040302'
  )
  t.end()
})

t.test('serial numbers have 159 bits and are not zero', (t) => {
  t.equal(
    randomSerial((length) => new Uint8Array(length).fill(0xff)),
    2n ** 159n - 1n
  )
  t.equal(randomSerial((length) => new Uint8Array(length).fill(0x80)).toString(16).length, 38)
  const draws = [
    new Uint8Array(20),
    Uint8Array.from({ length: 20 }, (_, i) => (i === 0 ? 0x80 : 0))
  ]
  draws.push(Uint8Array.from({ length: 20 }, (_, i) => (i === 19 ? 7 : 0)))
  t.equal(
    randomSerial(() => draws.shift() ?? new Uint8Array(20)),
    7n,
    'draws until there is one'
  )
  t.end()
})

t.test('key identifiers are those of certificates', (t) => {
  for (const pem of ctLogVector.ca_chain_pem) {
    const certificate = certificateOfPem(pem)
    t.strictSame(
      subjectKeyIdOf(certificate.publicKey.spki),
      Uint8Array.from(
        parseDer(findExtension(certificate.extensions, '2.5.29.14')?.value ?? new Uint8Array(0))
          .content
      )
    )
  }
  t.end()
})
