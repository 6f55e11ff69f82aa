import { compareBytes, concatBytes } from '../encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  type DerElement,
  encodeDer,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTime,
  encodeUnsignedInteger,
  readConstructed,
  readContent,
  readInteger,
  readOid,
  readTimeSeconds
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import { hashData } from '../keys/verify.js'
import type { Certificate } from './certificate.js'
import { encodeHashAlgorithm, readHashAlgorithm, type TimestampHash } from './message-imprint.js'

/** Type of what is signed: a TSTInfo. */
export const OID_TST_INFO = '1.2.840.113549.1.9.16.1.4'

const OID_CONTENT_TYPE = '1.2.840.113549.1.9.3'
const OID_MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
const OID_SIGNING_TIME = '1.2.840.113549.1.9.5'
const OID_SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47'

const LABEL = 'timestamp: signed attributes'
const DIRECTORY_NAME = contextTag(4, 'constructed')

/** The certificate that signed, by its digest and, where it is said, by issuer and serial number. */
export interface SigningCertificate {
  readonly hash: TimestampHash
  readonly digest: Uint8Array
  readonly issuerSerial: { readonly issuer: Uint8Array; readonly serialNumber: bigint } | undefined
}

/** What is signed beside the content, of any authority. */
export interface SignedAttributes {
  readonly contentType: string
  readonly messageDigest: Uint8Array
  readonly signingTimeSeconds: number | undefined
  readonly signingCertificate: SigningCertificate
}

const CONTENT_TYPE = encodeAttribute(OID_CONTENT_TYPE, encodeOid(OID_TST_INFO))

/**
 * The attribute that names the signing certificate. It depends on nothing else, so that it is made once.
 *
 *     SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2 }
 *     ESSCertIDv2 ::= SEQUENCE {
 *       hashAlgorithm AlgorithmIdentifier DEFAULT sha256, certHash OCTET STRING,
 *       issuerSerial SEQUENCE { issuer GeneralNames, serialNumber INTEGER } OPTIONAL }
 *
 * @see RFC 5035 section 3
 */
export function encodeSigningCertificate(
  certificate: Pick<Certificate, 'der' | 'issuer' | 'serialNumber'>,
  hash: TimestampHash
): Uint8Array {
  const id = encodeSequence(
    hash === 'sha256' ? new Uint8Array(0) : encodeHashAlgorithm(hash, 'absent'),
    encodeOctetString(hashData(hash, certificate.der)),
    encodeSequence(
      encodeSequence(encodeDer(DIRECTORY_NAME, certificate.issuer)),
      encodeUnsignedInteger(certificate.serialNumber)
    )
  )
  return encodeAttribute(OID_SIGNING_CERTIFICATE_V2, encodeSequence(encodeSequence(id)))
}

/**
 * Content of the SET of attributes, in the order DER wants. What is signed is that SET; in the SignerInfo the same content
 * stands under another tag.
 *
 * @param signingCertificate see encodeSigningCertificate
 * @see RFC 5652 section 5.4, ct-and-tsa §C3
 */
export function encodeSignedAttributes(attributes: {
  readonly messageDigest: Uint8Array
  readonly signingTimeSeconds: number
  readonly signingCertificate: Uint8Array
}): Uint8Array {
  const list = [
    CONTENT_TYPE,
    encodeAttribute(OID_SIGNING_TIME, encodeTime(attributes.signingTimeSeconds)),
    encodeAttribute(OID_MESSAGE_DIGEST, encodeOctetString(attributes.messageDigest)),
    attributes.signingCertificate
  ]
  return concatBytes(...list.sort(compareBytes))
}

/**
 * Reads the attributes of a timestamp: those four types once each and with one value, others passed over.
 *
 * @param elements inside the `[0]` of the SignerInfo
 * @throws LogError `invalid_request` when malformed, out of order, or one of contentType, messageDigest and
 *   signingCertificateV2 is missing; `unsupported` for a certificate named by SHA-1
 */
export function parseSignedAttributes(elements: readonly DerElement[]): SignedAttributes {
  const values = new Map<string, DerElement>()
  let before: Uint8Array | undefined
  for (const element of elements) {
    if (before !== undefined && compareBytes(before, element.encoded) >= 0) {
      throw malformed('not in the order of DER')
    }
    before = element.encoded
    const [type, set, extra] = readConstructed(element, DER_TAG.sequence, LABEL)
    const [value, second] = readConstructed(set, DER_TAG.set, LABEL)
    const oid = readOid(type, LABEL)
    if (extra !== undefined || value === undefined || second !== undefined) {
      throw malformed(`${oid} has not one value`)
    }
    if (values.has(oid)) throw malformed(`${oid} stands there twice`)
    values.set(oid, value)
  }
  const signingTime = values.get(OID_SIGNING_TIME)
  return {
    contentType: readOid(values.get(OID_CONTENT_TYPE), `${LABEL}: contentType`),
    messageDigest: readContent(
      values.get(OID_MESSAGE_DIGEST),
      DER_TAG.octetString,
      `${LABEL}: messageDigest`
    ),
    signingTimeSeconds:
      signingTime === undefined ? undefined : readTimeSeconds(signingTime, `${LABEL}: signingTime`),
    signingCertificate: readSigningCertificate(values.get(OID_SIGNING_CERTIFICATE_V2))
  }
}

/** The first of the list is the certificate that signed; policies, which may follow the list, say nothing to us. */
function readSigningCertificate(element: DerElement | undefined): SigningCertificate {
  const label = `${LABEL}: signingCertificateV2`
  const [certificates] = readConstructed(element, DER_TAG.sequence, label)
  const [id] = readConstructed(certificates, DER_TAG.sequence, label)
  const fields = [...readConstructed(id, DER_TAG.sequence, label)]
  const hash =
    fields[0]?.tag === DER_TAG.sequence ? readHashAlgorithm(fields.shift(), label) : 'sha256'
  const digest = readContent(fields.shift(), DER_TAG.octetString, label)
  const issuerSerial = fields.shift()
  if (fields.length > 0) throw malformed('signingCertificateV2 has too many fields')
  return {
    hash,
    digest,
    issuerSerial: issuerSerial === undefined ? undefined : readIssuerSerial(issuerSerial, label)
  }
}

function readIssuerSerial(
  element: DerElement,
  label: string
): NonNullable<SigningCertificate['issuerSerial']> {
  const [names, serialNumber, extra] = readConstructed(element, DER_TAG.sequence, label)
  const [name, second] = readConstructed(names, DER_TAG.sequence, label)
  const [issuer] = readConstructed(name, DIRECTORY_NAME, label)
  if (issuer === undefined || second !== undefined || extra !== undefined) {
    throw malformed('issuer of the signing certificate is not one name')
  }
  return { issuer: issuer.encoded, serialNumber: readInteger(serialNumber, label) }
}

/** `Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }`, with one value. */
function encodeAttribute(oid: string, value: Uint8Array): Uint8Array {
  return encodeSequence(encodeOid(oid), encodeDer(DER_TAG.set, value))
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
