import { createHash } from 'node:crypto'
import t from 'tap'
import {
  DER_TAG,
  encodeDer,
  encodeInteger,
  encodeNull,
  encodeOid,
  encodeSequence
} from '../../src/encoding/der.js'
import { decodeSinglePem, encodePem } from '../../src/encoding/pem.js'
import { decodePkcs7, pkcs7Key, pkcs7Signature } from '../../src/x509/pkcs7-format.js'
import { certificate, general, subjectAltName } from '../helpers/certificates.js'
import { pkcs7, signPkcs7, text } from '../helpers/pkcs7.js'
import { refusalText } from '../helpers/refusals.js'
import { computedVector, rekorVector, rekorVectorText } from '../helpers/vectors.js'

const EMAIL = '1.2.840.113549.1.9.1'
const plain = signPkcs7(text('content'), {}, true)
const asText = (bytes: Uint8Array) => Buffer.from(bytes).toString()

t.test('vectors of Rekor', async (t) => {
  const jar = decodePkcs7(rekorVector('pki/pkcs7/sig.pkcs7.pem'))
  t.equal(asText(pkcs7Key(jar).canonical), rekorVectorText('inline/jar_expected_certificate.pem'))
  t.same(pkcs7Key(jar).subjects, [])
  const digest = createHash('sha256').update(pkcs7Signature(jar).canonical).digest('hex')
  t.equal(digest, computedVector('jar').indexKeys[0])
  const again = decodePkcs7(pkcs7Signature(jar).canonical)
  t.same(pkcs7Signature(again).canonical, pkcs7Signature(jar).canonical)

  for (const [signature, expected, subjects] of [
    ['pkcsECDSAPEM', 'pkcsKeyCert', []],
    ['pkcsPEMEmail', 'pkcsEmailCert', ['test@rekor.dev']]
  ] as const) {
    const key = pkcs7Key(decodePkcs7(rekorVector(`inline/pkcs7/${signature}.pem`)))
    const der = decodeSinglePem(rekorVector(`inline/pkcs7/${expected}.pem`), 'CERTIFICATE')
    t.equal(asText(key.canonical), encodePem('CERTIFICATE', der))
    t.same(key.subjects, subjects)
  }
})

t.test('PEM or DER', async (t) => {
  const { detached } = decodePkcs7(plain)
  t.same(decodePkcs7(text(`a comment\n${encodePem('PKCS7', plain)}`)).detached, detached)
  t.equal(
    asText(pkcs7Signature(decodePkcs7(plain)).canonical),
    encodePem('PKCS7', detached),
    'a newline at the end'
  )
  t.equal(
    await refusalText(() => decodePkcs7(text(encodePem('CMS', plain)))),
    'invalid_request: unknown PEM block type CMS found during PKCS7 parsing'
  )
  t.equal(
    await refusalText(() => decodePkcs7(text(encodePem('X'.repeat(1000), plain)))),
    `invalid_request: unknown PEM block type ${'X'.repeat(200)}… found during PKCS7 parsing`
  )
  for (const bytes of [new Uint8Array(0), text('no PEM'), text(encodePem('PKCS7', text('x')))]) {
    t.match(await refusalText(() => decodePkcs7(bytes)), /^invalid_request: pkcs7/)
  }
})

t.test('who is named', async (t) => {
  const subject = (...values: readonly (readonly [oid: string, value: Uint8Array])[]) =>
    encodeSequence(
      ...values.map(([oid, value]) => encodeDer(DER_TAG.set, encodeSequence(encodeOid(oid), value)))
    )
  const subjectsOf = (parts: Parameters<typeof certificate>[0]) =>
    pkcs7Key(decodePkcs7(pkcs7({ certificates: [certificate(parts)], signers: [] }))).subjects
  t.same(
    subjectsOf({
      subject: subject(
        [EMAIL, encodeDer(DER_TAG.ia5String, text('One@Example.com'))],
        ['2.5.4.3', encodeDer(DER_TAG.utf8String, text('not@this.one'))],
        [EMAIL, encodeDer(DER_TAG.utf8String, text('two@example.com'))],
        [EMAIL, encodeDer(DER_TAG.printableString, text('three'))]
      ),
      extensions: [
        subjectAltName([general.uri('https://example.com/'), general.email('Four@example.com')])
      ]
    }),
    ['one@example.com', 'two@example.com', 'three', 'Four@example.com', 'https://example.com/']
  )
  // Rekor once took the value of the attribute for a string, whatever it was.
  for (const value of [
    encodeInteger(5n),
    encodeNull(),
    encodeSequence(encodeOid(EMAIL)),
    encodeDer(DER_TAG.set),
    encodeDer(DER_TAG.octetString, text('a@b.c')),
    encodeDer(0x14, text('a@b.c')), // T61String
    encodeDer(0x1e, text('\0a\0@\0b')) // BMPString
  ]) {
    t.same(subjectsOf({ subject: subject([EMAIL, value]) }), [], 'a name that is not a string')
  }
})

t.test('no key', async (t) => {
  t.equal(
    await refusalText(() => pkcs7Key(decodePkcs7(pkcs7({ certificates: [], signers: [] })))),
    'invalid_request: unable to extract public key from certificate inside PKCS7 bundle'
  )
  t.match(
    await refusalText(() =>
      pkcs7Key(decodePkcs7(pkcs7({ certificates: [encodeNull()], signers: [] })))
    ),
    /^invalid_request: x509: /
  )
})
