import { createHash, X509Certificate } from 'node:crypto'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import { encodeNull, encodeOid, encodeSequence } from '../../src/encoding/der.js'
import { type Certificate, findExtension, parseCertificate } from '../../src/x509/certificate.js'
import { OID_EXTENDED_KEY_USAGE } from '../../src/x509/extended-key-usage.js'
import {
  ctEntryOf,
  isPrecertificate,
  OID_PRECERTIFICATE_POISON,
  POISON_EXTENSION,
  precertificateEntryOfCertificate
} from '../../src/x509/precertificate.js'
import { certificate, extension, keyUsage, spkiOf } from '../helpers/certificates.js'
import {
  certificateOfPem,
  certificateVectors,
  ctLogVector,
  fromBase64,
  fromHex,
  precertificateVector,
  precertificateVectors,
  realCertificateVectors
} from '../helpers/ct-vectors.js'
import { refusalText } from '../helpers/refusals.js'

const ISSUER = certificateOfPem(ctLogVector.ca_chain_pem[0])

const withExtensions = (...extensions: readonly Uint8Array[]): Certificate =>
  parseCertificate(certificate({ extensions }))

t.test('the poison extension is that of precertificates', (t) => {
  for (const { precertificate_pem, final_certificate_pem, id } of precertificateVectors) {
    const precertificate = certificateOfPem(precertificate_pem)
    t.same(findExtension(precertificate.extensions, OID_PRECERTIFICATE_POISON), POISON_EXTENSION)
    t.equal(isPrecertificate(precertificate), true, id)
    t.equal(isPrecertificate(certificateOfPem(final_certificate_pem)), false)
  }
  t.end()
})

t.test('malformed poison', async (t) => {
  const message = 'invalid_request: x509: precertificate poison must be critical and hold NULL'
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['not critical', extension(OID_PRECERTIFICATE_POISON, encodeNull())],
    ['empty', extension(OID_PRECERTIFICATE_POISON, new Uint8Array(0), true)],
    ['not NULL', extension(OID_PRECERTIFICATE_POISON, encodeSequence(), true)],
    ['NULL in long form', extension(OID_PRECERTIFICATE_POISON, fromHex('058100'), true)],
    ['more than NULL', extension(OID_PRECERTIFICATE_POISON, fromHex('050000'), true)]
  ]
  for (const [title, poison] of cases) {
    const poisoned = withExtensions(poison, keyUsage(0))
    t.equal(await refusalText(() => isPrecertificate(poisoned)), message, title)
    t.equal(await refusalText(() => ctEntryOf(poisoned, ISSUER)), message)
    t.equal(await refusalText(() => precertificateEntryOfCertificate(poisoned, ISSUER)), message)
  }
})

t.test('entries of precertificates: before and after issuance the same', (t) => {
  for (const vector of precertificateVectors) {
    const want = {
      kind: 'precertificate',
      issuerKeyHash: fromHex(vector.issuer_key_hash_hex),
      tbsCertificate: fromBase64(vector.defanged_tbs_b64)
    }
    t.same(ctEntryOf(certificateOfPem(vector.precertificate_pem), ISSUER), want, vector.id)
    t.same(
      precertificateEntryOfCertificate(certificateOfPem(vector.final_certificate_pem), ISSUER),
      want
    )
  }
  t.end()
})

t.test('entries of certificates: as submitted', (t) => {
  const pems = [
    ...certificateVectors.map(({ certificate_pem }) => certificate_pem),
    // Timestamps in it make no difference.
    ...precertificateVectors.map(({ final_certificate_pem }) => final_certificate_pem)
  ]
  for (const pem of pems) {
    const der = Uint8Array.from(new X509Certificate(pem).raw)
    t.same(ctEntryOf(certificateOfPem(pem), ISSUER), { kind: 'certificate', certificate: der })
  }
  const [, root] = ctLogVector.ca_chain_pem.map(certificateOfPem)
  if (root === undefined) return t.bailout('no root')
  t.same(ctEntryOf(root, root), { kind: 'certificate', certificate: root.der }, 'a root')
  return t.end()
})

t.test('certificates of public instances', (t) => {
  for (const vector of realCertificateVectors) {
    const issuer = certificateOfPem(vector.issuerPem)
    const entry = precertificateEntryOfCertificate(certificateOfPem(vector.certificatePem), issuer)
    if (entry.kind !== 'precertificate') return t.fail(entry.kind)
    t.equal(Buffer.from(entry.issuerKeyHash).toString('hex'), vector.issuerKeyHashHex, vector.name)
    t.equal(
      createHash('sha256').update(entry.tbsCertificate).digest('hex'),
      vector.defangedTbsSha256Hex
    )
    const spki = spkiOf(new X509Certificate(vector.issuerPem).publicKey)
    t.ok(
      equalBytes(createHash('sha256').update(spki).digest(), entry.issuerKeyHash),
      'as Node has it'
    )
  }
  return t.end()
})

t.test('a Precertificate Signing Certificate', async (t) => {
  const signing = withExtensions(
    extension(
      OID_EXTENDED_KEY_USAGE,
      encodeSequence(encodeOid('1.3.6.1.5.5.7.3.3'), encodeOid('1.3.6.1.4.1.11129.2.4.4')),
      true
    )
  )
  const poisoned = withExtensions(
    keyUsage(0),
    extension(OID_PRECERTIFICATE_POISON, encodeNull(), true)
  )
  t.equal(
    await refusalText(() => ctEntryOf(poisoned, signing)),
    'unsupported: x509: precertificate issued by a Precertificate Signing Certificate'
  )
  t.equal(ctEntryOf(poisoned, withExtensions(keyUsage(5))).kind, 'precertificate')
  t.equal(ctEntryOf(withExtensions(keyUsage(0)), signing).kind, 'certificate')
})

t.test('nothing to rebuild', async (t) => {
  const precertificate = certificateOfPem(precertificateVector.precertificate_pem)
  t.equal(
    await refusalText(() => precertificateEntryOfCertificate(precertificate, ISSUER)),
    'invalid_request: x509: precertificate in place of a certificate'
  )
  t.equal(
    await refusalText(() => precertificateEntryOfCertificate(withExtensions(keyUsage(0)), ISSUER)),
    'invalid_request: x509: malformed tbs certificate: 0 extensions 1.3.6.1.4.1.11129.2.4.2, not one'
  )
})
