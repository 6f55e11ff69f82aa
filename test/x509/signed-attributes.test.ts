import t from 'tap'
import { compareBytes } from '../../src/encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTime,
  parseDer
} from '../../src/encoding/der.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { hashData } from '../../src/keys/verify.js'
import { encodeHashAlgorithm } from '../../src/x509/message-imprint.js'
import {
  encodeSignedAttributes,
  encodeSigningCertificate,
  OID_TST_INFO,
  parseSignedAttributes
} from '../../src/x509/signed-attributes.js'
import { name } from '../helpers/certificates.js'
import { fromBase64 } from '../helpers/ct-vectors.js'
import { refusalText } from '../helpers/refusals.js'
import { OWN_TIME_SECONDS, ownChain, tsaVector } from '../helpers/tsa-vectors.js'

const DIGEST = new Uint8Array(32).fill(3)
const OID = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificate: '1.2.840.113549.1.9.16.2.47'
}

const attribute = (oid: string, ...values: readonly Uint8Array[]) =>
  encodeSequence(encodeOid(oid), encodeDer(DER_TAG.set, ...values))
const certificates = (...fields: readonly Uint8Array[]) =>
  attribute(OID.signingCertificate, encodeSequence(encodeSequence(encodeSequence(...fields))))
const directoryName = encodeDer(contextTag(4, 'constructed'), name('issuer'))

const CONTENT_TYPE = attribute(OID.contentType, encodeOid(OID_TST_INFO))
const MESSAGE_DIGEST = attribute(OID.messageDigest, encodeOctetString(DIGEST))
const SIGNING_TIME = attribute(OID.signingTime, encodeTime(1_700_000_000))
const SIGNING_CERTIFICATE = certificates(encodeOctetString(DIGEST))

/** Reads attributes after putting them in order. */
const read = (...attributes: readonly Uint8Array[]) =>
  parseSignedAttributes([...attributes].sort(compareBytes).map((encoded) => parseDer(encoded)))

t.test('attributes of another implementation, byte by byte', (t) => {
  const [leaf] = ownChain
  if (leaf === undefined) throw new Error('no leaf')
  for (const { name: title, tstInfoB64, signedAttributesB64, expect } of tsaVector.own.pairs) {
    const messageDigest = hashData('sha256', fromBase64(tstInfoB64))
    const content = encodeSignedAttributes({
      messageDigest,
      signingTimeSeconds: OWN_TIME_SECONDS,
      signingCertificate: encodeSigningCertificate(leaf, expect.hash)
    })
    const set = encodeDer(DER_TAG.set, content)
    t.equal(encodeHex(set), encodeHex(fromBase64(signedAttributesB64)), title)
    t.same(parseSignedAttributes(parseDer(set).children), {
      contentType: OID_TST_INFO,
      messageDigest: Uint8Array.from(messageDigest),
      signingTimeSeconds: OWN_TIME_SECONDS,
      signingCertificate: {
        hash: expect.hash,
        digest: Uint8Array.from(hashData(expect.hash, leaf.der)),
        issuerSerial: { issuer: leaf.issuer, serialNumber: leaf.serialNumber }
      }
    })
  }
  t.end()
})

t.test('what others leave out or add', (t) => {
  const parsed = read(
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    SIGNING_CERTIFICATE,
    attribute('1.2.3', encodeNull())
  )
  t.equal(parsed.signingTimeSeconds, undefined)
  t.same(parsed.signingCertificate, {
    hash: 'sha256',
    digest: DIGEST,
    issuerSerial: undefined
  })
  t.end()
})

t.test('malformed attributes', async (t) => {
  const others = [CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME]
  const serial = encodeInteger(1n)
  const digest = encodeOctetString(DIGEST)
  const cases: readonly (readonly [string, readonly Uint8Array[], string])[] = [
    ['none', [], 'contentType: expected tag 0x6, found nothing'],
    [
      'no digest',
      [CONTENT_TYPE, SIGNING_CERTIFICATE],
      'messageDigest: expected tag 0x4, found nothing'
    ],
    ['no certificate', others, 'signingCertificateV2: expected tag 0x30, found nothing'],
    [
      'digest twice',
      [...others, SIGNING_CERTIFICATE, attribute(OID.messageDigest, encodeOctetString(serial))],
      `${OID.messageDigest} stands there twice`
    ],
    [
      'two values',
      [attribute(OID.contentType, encodeOid('1.2.3'), encodeOid(OID_TST_INFO))],
      `${OID.contentType} has not one value`
    ],
    ['no value', [attribute(OID.contentType)], `${OID.contentType} has not one value`],
    [
      'third field',
      [encodeSequence(encodeOid('1.2.3'), encodeDer(DER_TAG.set, serial), serial)],
      '1.2.3 has not one value'
    ],
    [
      'too many fields of a certificate',
      [
        ...others,
        certificates(digest, encodeSequence(encodeSequence(directoryName), serial), serial)
      ],
      'signingCertificateV2 has too many fields'
    ],
    [
      'two names',
      [
        ...others,
        certificates(digest, encodeSequence(encodeSequence(directoryName, directoryName), serial))
      ],
      'issuer of the signing certificate is not one name'
    ],
    [
      'serial number with something behind it',
      [
        ...others,
        certificates(digest, encodeSequence(encodeSequence(directoryName), serial, serial))
      ],
      'issuer of the signing certificate is not one name'
    ],
    [
      'empty name',
      [
        ...others,
        certificates(
          digest,
          encodeSequence(encodeSequence(encodeDer(contextTag(4, 'constructed'))), serial)
        )
      ],
      'issuer of the signing certificate is not one name'
    ]
  ]
  for (const [title, attributes, problem] of cases) {
    t.equal(
      await refusalText(() => read(...attributes)),
      `invalid_request: timestamp: signed attributes: ${problem}`,
      title
    )
  }
  t.equal(
    await refusalText(() =>
      parseSignedAttributes([MESSAGE_DIGEST, CONTENT_TYPE].map((encoded) => parseDer(encoded)))
    ),
    'invalid_request: timestamp: signed attributes: not in the order of DER'
  )
  t.equal(
    await refusalText(() =>
      read(
        ...others,
        certificates(encodeSequence(encodeOid('1.3.14.3.2.26')), encodeOctetString(DIGEST))
      )
    ),
    'unsupported: Weak hash algorithm in timestamp request'
  )
  t.ok(read(...others, certificates(encodeHashAlgorithm('sha384', 'absent'), digest)))
})
