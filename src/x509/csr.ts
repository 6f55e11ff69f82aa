import {
  contextTag,
  DER_TAG,
  parseDer,
  readBitString,
  readConstructed,
  readInteger,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'

/** What we read of a certificate signing request. Nothing here is checked against anything. */
export interface CertificateRequest {
  /** The part that is signed. */
  readonly requestInfo: Uint8Array
  /** DER of the Name asked for. */
  readonly subject: Uint8Array
  /** DER of SubjectPublicKeyInfo, for parsePublicKey. */
  readonly subjectPublicKeyInfo: Uint8Array
  readonly signatureAlgorithmOid: string
  /** DER of the parameters, if there are any. */
  readonly signatureParameters: Uint8Array | undefined
  readonly signature: Uint8Array
}

const LABEL = 'x509: malformed certificate request'

/**
 * Reads a PKCS#10 certificate signing request: strict DER throughout, nothing after it. What it asks for in its
 * attributes is not looked at.
 *
 *     CertificationRequest ::= SEQUENCE {
 *       certificationRequestInfo SEQUENCE {
 *         version INTEGER { v1(0) }, subject Name, subjectPKInfo SubjectPublicKeyInfo, attributes [0] IMPLICIT SET },
 *       signatureAlgorithm AlgorithmIdentifier,
 *       signature BIT STRING }
 *
 * @throws LogError `invalid_request`
 * @see RFC 2986 section 4
 */
export function parseCertificateRequest(der: Uint8Array): CertificateRequest {
  const [info, algorithm, signature, extra] = readConstructed(
    parseDer(der, LABEL),
    DER_TAG.sequence,
    LABEL
  )
  const [version, subject, spki, attributes, extraInfo] = readConstructed(
    info,
    DER_TAG.sequence,
    LABEL
  )
  const [oid, parameters, extraParameter] = readConstructed(algorithm, DER_TAG.sequence, LABEL)
  if (info === undefined || subject === undefined || spki === undefined)
    throw malformed('cut short')
  if (extra !== undefined || extraInfo !== undefined || extraParameter !== undefined) {
    throw malformed('more elements than the structure has')
  }
  if (readInteger(version, LABEL) !== 0n) throw malformed('version is not v1')
  readConstructed(subject, DER_TAG.sequence, LABEL)
  readConstructed(attributes, contextTag(0, 'constructed'), LABEL)
  return {
    requestInfo: info.encoded,
    subject: subject.encoded,
    subjectPublicKeyInfo: spki.encoded,
    signatureAlgorithmOid: readOid(oid, LABEL),
    signatureParameters: parameters?.encoded,
    signature: readBitString(signature, LABEL)
  }
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
