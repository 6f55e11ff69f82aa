import t from 'tap'
import {
  DER_TAG,
  encodeDer,
  encodeGeneralizedTime,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger,
  parseDer
} from '../../src/encoding/der.js'
import { parseCertificate } from '../../src/x509/certificate.js'
import { verifyPkcs7Timestamp } from '../../src/x509/pkcs7-timestamp.js'
import { parsePkcs7, readSigner } from '../../src/x509/pkcs7.js'
import {
  algorithmId,
  attribute,
  countersignature,
  ecSigner,
  HASH_OIDS,
  newTestSigner,
  PKCS7_OID,
  signedAttributes,
  signerInfo,
  text,
  timestampToken,
  tsaSigner,
  tstInfo
} from '../helpers/pkcs7.js'
import { refusalText } from '../helpers/refusals.js'
import { decodeSinglePem } from '../../src/encoding/pem.js'
import { rekorVector } from '../helpers/vectors.js'

const own = [parseCertificate(ecSigner.certificate)]
const content = text('content')

/** @param unsigned attributes, by the signature they are about */
const verify = (unsigned: (signature: Uint8Array) => readonly Uint8Array[], certificates = own) => {
  const info = readSigner(parseDer(signerInfo({ content, unsigned })))
  return verifyPkcs7Timestamp(info, certificates)
}
const token = (der: Uint8Array) => [attribute(PKCS7_OID.timestampToken, der)]
const time = (digits: string) => encodeDer(DER_TAG.generalizedTime, text(digits))

t.test('the timestamp of a real JAR file', async (t) => {
  const fixture = decodeSinglePem(rekorVector('pki/pkcs7/sig.pkcs7.pem'), 'PKCS7')
  const [signer] = parsePkcs7(fixture).signers
  if (signer === undefined) throw new Error('no signer')
  await t.resolves(verifyPkcs7Timestamp(signer, []))
  const signature = signer.signature.slice()
  signature[20] = (signature[20] ?? 0) ^ 1
  t.equal(
    await refusalText(() => verifyPkcs7Timestamp({ ...signer, signature }, [])),
    'verification_failed: verifying timestamp imprint: pkcs9: digest check failed'
  )
})

t.test('what is good', async (t) => {
  await t.resolves(
    verify(() => []),
    'none'
  )
  await t.resolves(
    verify(() => [attribute('1.2.3', encodeNull())]),
    'other attributes'
  )
  await t.resolves(verify((data) => token(timestampToken(tstInfo(data)))))
  await t.resolves(
    verify((data) => [attribute(PKCS7_OID.microsoftToken, timestampToken(tstInfo(data)))]),
    'by the other name'
  )
  await t.resolves(
    verify((data) => token(timestampToken(tstInfo(data, 'sha1'), { signer: { hash: 'sha1' } }))),
    'an old one'
  )
  await t.resolves(
    verify((data) =>
      token(
        timestampToken(tstInfo(data), {
          certificates: [encodeNull(), tsaSigner.certificate, encodeSequence()]
        })
      )
    ),
    'among certificates nobody can read'
  )
  await t.resolves(
    verify(
      (data) => token(timestampToken(tstInfo(data), { certificates: [] })),
      [...own, parseCertificate(tsaSigner.certificate)]
    ),
    'its certificate with the others'
  )
  for (const digits of [
    '20250615150640Z',
    '20250615150640.5Z',
    '20250615150640.000001Z',
    '20250615150640+0200'
  ]) {
    await t.resolves(
      verify((data) => token(timestampToken(tstInfo(data, 'sha256', time(digits))))),
      digits
    )
  }
  await t.resolves(
    verify((data) => [attribute(PKCS7_OID.countersignature, countersignature(data))]),
    'a countersignature'
  )
  await t.resolves(
    verify(
      (data) => [
        attribute(PKCS7_OID.countersignature, countersignature(data, { signer: tsaSigner }))
      ],
      [...own, parseCertificate(tsaSigner.certificate)]
    )
  )
})

t.test('what is not', async (t) => {
  const imprint = 'verification_failed: verifying timestamp imprint: pkcs9: digest check failed'
  const one = 'verification_failed: timestamp should have exactly one SignerInfo'
  const badInfo = /^invalid_request: unpack TSTInfo/
  const parsing = /^invalid_request: parsing timestamp/
  const badRsa = 'verification_failed: crypto/rsa: verification error'
  const other = text('other')
  const info = (...fields: readonly Uint8Array[]) => encodeSequence(...fields)
  const version = encodeUnsignedInteger(1n)
  const policy = encodeOid('1.2.3')
  const digest = (bytes: Uint8Array) =>
    encodeSequence(algorithmId(HASH_OIDS['sha256'] ?? ''), bytes)
  const good = digest(encodeOctetString(new Uint8Array(32)))
  const now = encodeGeneralizedTime(0)
  const cases: readonly (readonly [
    name: string,
    unsigned: (signature: Uint8Array) => readonly Uint8Array[],
    message: string | RegExp
  ])[] = [
    ['about something else', () => token(timestampToken(tstInfo(other))), imprint],
    [
      'by an unknown hash',
      () => token(timestampToken(tstInfo(other, 'md5'))),
      'unsupported: pkcs7: unsupported hash algorithm 1.2.840.113549.2.5'
    ],
    ['nobody signs', (data) => token(timestampToken(tstInfo(data), { signers: [] })), one],
    [
      'two sign',
      (data) => {
        const stamped = tstInfo(data)
        const signer = signerInfo({ signer: tsaSigner, content: stamped })
        return token(timestampToken(stamped, { signers: [signer, signer] }))
      },
      one
    ],
    [
      'without content',
      (data) => token(timestampToken(tstInfo(data), { content: undefined })),
      'verification_failed: timestamp without content'
    ],
    [
      'another content signed',
      (data) =>
        token(
          timestampToken(tstInfo(data), {
            signers: [
              signerInfo({
                signer: tsaSigner,
                content: tstInfo(other),
                contentType: PKCS7_OID.tstInfo
              })
            ]
          })
        ),
      'verification_failed: pkcs7: content digest does not match'
    ],
    [
      'a bad signature',
      (data) =>
        token(
          timestampToken(tstInfo(data), {
            signer: { signature: () => new Uint8Array(256).fill(1) }
          })
        ),
      badRsa
    ],
    [
      'certificate missing',
      (data) => token(timestampToken(tstInfo(data), { certificates: [] })),
      /^verification_failed: certificate missing from signedData/
    ],
    ['no token', () => token(encodeNull()), /^invalid_request: pkcs7/],
    [
      'two tokens',
      (data) => {
        const stamp = timestampToken(tstInfo(data))
        return [attribute(PKCS7_OID.timestampToken, stamp, stamp)]
      },
      /^invalid_request: pkcs7: attribute .* has not one value/
    ],
    ['nothing in it', () => token(timestampToken(new Uint8Array(0))), badInfo],
    ['no SEQUENCE', () => token(timestampToken(encodeNull())), badInfo],
    ['empty', () => token(timestampToken(info())), badInfo],
    ['no policy', () => token(timestampToken(info(version, good, version, now))), badInfo],
    [
      'no imprint',
      () => token(timestampToken(info(version, policy, version, version, now))),
      badInfo
    ],
    [
      'no serial number',
      () => token(timestampToken(info(version, policy, good, now, now))),
      badInfo
    ],
    ['no time', () => token(timestampToken(info(version, policy, good, version))), badInfo],
    [
      'an imprint without hash',
      () =>
        token(timestampToken(info(version, policy, encodeSequence(policy, policy), version, now))),
      badInfo
    ],
    [
      'an imprint that is no string of bytes',
      () => token(timestampToken(info(version, policy, digest(policy), version, now))),
      badInfo
    ],
    ...[
      '',
      '2025',
      '20251315150640Z',
      '20250615150640',
      '20250615150640.Z',
      `${'2'.repeat(40)}Z`
    ].map(
      (digits) =>
        [
          `time ${digits}`,
          (data: Uint8Array) => token(timestampToken(tstInfo(data, 'sha256', time(digits)))),
          parsing
        ] as const
    ),
    [
      'a countersignature of something else',
      () => [attribute(PKCS7_OID.countersignature, countersignature(other))],
      'verification_failed: pkcs7: content digest does not match'
    ],
    [
      'a countersignature without time',
      (data) => [
        attribute(
          PKCS7_OID.countersignature,
          countersignature(data, { attributes: signedAttributes({ content: data }).slice(1) })
        )
      ],
      parsing
    ],
    [
      'a countersignature by an unknown',
      (data) => [
        attribute(
          PKCS7_OID.countersignature,
          countersignature(data, { signer: newTestSigner('ec', 'unknown') })
        )
      ],
      /^verification_failed: certificate missing from signedData/
    ],
    [
      'a countersignature that is none',
      () => [attribute(PKCS7_OID.countersignature, encodeNull())],
      /^invalid_request: pkcs7: signerInfo/
    ]
  ]
  for (const [name, unsigned, message] of cases) {
    t.match(await refusalText(() => verify(unsigned)), message, name)
  }
})
