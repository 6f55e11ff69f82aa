import { fromBER, Integer, OctetString } from 'asn1js'
import {
  AlgorithmIdentifier,
  BasicConstraints,
  Certificate as CertificateStructure,
  Extension as ExtensionStructure,
  ExtKeyUsage,
  PublicKeyInfo,
  RelativeDistinguishedNames
} from 'pkijs'
import { equalBytes } from '../encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  encodeBitString,
  encodeDer,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger
} from '../encoding/der.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { SignatureAlgorithm, Signer } from '../keys/signer.js'
import { type Certificate, type Extension, findExtension, parseCertificate } from './certificate.js'
import { type CertificateRequest, parseCertificateRequest } from './csr.js'
import { OID_CODE_SIGNING, OID_EXTENDED_KEY_USAGE } from './extended-key-usage.js'
import {
  assembleCertificate,
  authorityKeyIdExtension,
  encodeSignatureAlgorithm,
  OID_SUBJECT_KEY_ID,
  subjectKeyIdExtension
} from './leaf-certificate.js'

/** Name of an authority. */
export interface AuthorityName {
  readonly organization: string
  readonly commonName: string
}

interface AuthorityFields {
  readonly subject: AuthorityName
  readonly serialNumber: bigint
  readonly notBeforeSeconds: number
  readonly notAfterSeconds: number
}

export interface RootFields extends AuthorityFields {
  readonly signer: Signer
}

export interface IntermediateFields extends AuthorityFields {
  /** SubjectPublicKeyInfo DER of the new authority. */
  readonly publicKey: Uint8Array
  readonly issuer: Certificate
  /** Of the issuer's key. */
  readonly issuerSigner: Signer
}

const OID_ORGANIZATION = '2.5.4.10'
const OID_COMMON_NAME = '2.5.4.3'
const OID_KEY_USAGE = '2.5.29.15'
const OID_BASIC_CONSTRAINTS = '2.5.29.19'

/** Longest name that RFC 5280 appendix A.1 allows. */
const MAX_NAME_CHARACTERS = 64

/** Bits keyCertSign and cRLSign. */
const KEY_USAGE: Extension = {
  oid: OID_KEY_USAGE,
  critical: true,
  value: Uint8Array.of(0x03, 0x02, 0x01, 0x06)
}

/**
 * Self-signed root of an authority, which may sign certificates of people and of intermediates.
 *
 * @throws LogError `invalid_request` for a name that is empty or too long
 * @see fulcio §12
 */
export async function buildRootCertificate(fields: RootFields): Promise<Certificate> {
  const { subject, signer } = fields
  const name = readName(encodeAuthorityName(subject))
  const extensions = [
    KEY_USAGE,
    basicConstraints(undefined),
    subjectKeyIdExtension(signer.publicKey)
  ]
  return issue({ ...fields, issuer: name, name, publicKey: signer.publicKey, extensions }, signer)
}

/**
 * Intermediate that may sign certificates for code signing and no further intermediate.
 *
 * @throws LogError as buildRootCertificate; `invalid_request` when the issuer may not have it below it, is not valid as long,
 *   has no subject key identifier, or the signer's key is not that of the issuer
 * @see fulcio §12
 */
export async function buildIntermediateCertificate(
  fields: IntermediateFields
): Promise<Certificate> {
  const { subject, issuer, issuerSigner, publicKey } = fields
  assertMayIssue(issuer, fields)
  const extensions = [
    KEY_USAGE,
    {
      oid: OID_EXTENDED_KEY_USAGE,
      critical: false,
      value: bytesOf(new ExtKeyUsage({ keyPurposes: [OID_CODE_SIGNING] }).toSchema())
    },
    basicConstraints(0),
    subjectKeyIdExtension(publicKey),
    authorityKeyIdExtension(subjectKeyIdOfCertificate(issuer))
  ]
  const issuerName = readName(issuer.subject)
  return issue(
    { ...fields, issuer: issuerName, name: readName(encodeAuthorityName(subject)), extensions },
    issuerSigner
  )
}

function assertMayIssue(
  { basicConstraints, mayCertSign, publicKey, notBeforeSeconds, notAfterSeconds }: Certificate,
  fields: IntermediateFields
): void {
  const isCa = basicConstraints?.isCa === true && mayCertSign
  if (!isCa || basicConstraints.maxPathLength === 0) {
    throw refused('the issuing certificate may not have another authority below it')
  }
  if (!equalBytes(publicKey.spki, fields.issuerSigner.publicKey)) {
    throw refused('the key is not that of the issuing certificate: public keys are not equal')
  }
  if (fields.notBeforeSeconds < notBeforeSeconds || fields.notAfterSeconds > notAfterSeconds) {
    throw refused('the issuing certificate is not valid as long as that')
  }
}

/**
 * Request for a certificate of an authority, to be signed where its root is kept.
 *
 *     CertificationRequestInfo ::= SEQUENCE { version INTEGER { v1(0) }, subject Name, subjectPKInfo, attributes [0] SET OF }
 *
 * @throws LogError as buildRootCertificate
 * @see RFC 2986 section 4
 */
export async function buildCertificateRequest({
  subject,
  signer
}: {
  readonly subject: AuthorityName
  readonly signer: Signer
}): Promise<{ readonly der: Uint8Array; readonly request: CertificateRequest }> {
  const info = encodeSequence(
    encodeUnsignedInteger(0n),
    encodeAuthorityName(subject),
    signer.publicKey,
    encodeDer(contextTag(0, 'constructed'))
  )
  const der = encodeSequence(
    info,
    encodeSignatureAlgorithm(signer.algorithm),
    encodeBitString(await signer.sign(info))
  )
  return { der, request: parseCertificateRequest(der) }
}

/**
 * What certificates of this one must name as their authority.
 * @throws LogError `invalid_request` when it has no subject key identifier
 */
export function subjectKeyIdOfCertificate(certificate: Certificate): Uint8Array {
  const extension = findExtension(certificate.extensions, OID_SUBJECT_KEY_ID)
  const { result } = fromBER(extension?.value ?? new Uint8Array(0))
  if (!(result instanceof OctetString)) {
    throw refused('issuing certificate has no subject key identifier')
  }
  return Uint8Array.from(result.valueBlock.valueHexView)
}

interface Structure {
  readonly name: RelativeDistinguishedNames
  readonly issuer: RelativeDistinguishedNames
  readonly serialNumber: bigint
  readonly notBeforeSeconds: number
  readonly notAfterSeconds: number
  readonly publicKey: Uint8Array
  readonly extensions: readonly Extension[]
}

/** Signs through the signer, not through the library, and reads the result again by our own strict reader. */
async function issue(fields: Structure, signer: Signer): Promise<Certificate> {
  const structure = new CertificateStructure({
    version: 2,
    serialNumber: Integer.fromBigInt(fields.serialNumber),
    signature: algorithmOf(signer.algorithm),
    issuer: fields.issuer,
    subject: fields.name,
    subjectPublicKeyInfo: new PublicKeyInfo({ schema: fromBER(fields.publicKey).result }),
    extensions: fields.extensions.map(
      ({ oid, critical, value }) =>
        new ExtensionStructure({ extnID: oid, critical, extnValue: Uint8Array.from(value).buffer })
    )
  })
  structure.notBefore.value = new Date(fields.notBeforeSeconds * 1000)
  structure.notAfter.value = new Date(fields.notAfterSeconds * 1000)
  for (const time of [structure.notBefore, structure.notAfter]) {
    time.type = time.value.getUTCFullYear() < 2050 ? 0 : 1 // UTCTime, GeneralizedTime
  }
  const tbs = bytesOf(structure.encodeTBS())
  return parseCertificate(assembleCertificate(tbs, signer.algorithm, await signer.sign(tbs)))
}

function algorithmOf(algorithm: SignatureAlgorithm): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ schema: fromBER(encodeSignatureAlgorithm(algorithm)).result })
}

function basicConstraints(maxPathLength: number | undefined): Extension {
  const value = new BasicConstraints({
    cA: true,
    ...(maxPathLength === undefined ? {} : { pathLenConstraint: maxPathLength })
  })
  return { oid: OID_BASIC_CONSTRAINTS, critical: true, value: bytesOf(value.toSchema()) }
}

/** By our own encoder: the library would put all attributes into one set, which no authority's name has. */
export function encodeAuthorityName({ organization, commonName }: AuthorityName): Uint8Array {
  return encodeSequence(
    encodeAttribute(OID_ORGANIZATION, 'organization', organization),
    encodeAttribute(OID_COMMON_NAME, 'common name', commonName)
  )
}

/** `SET { SEQUENCE { type OBJECT IDENTIFIER, value UTF8String } }` */
function encodeAttribute(type: string, title: string, value: string): Uint8Array {
  const { length } = [...value]
  if (length === 0 || length > MAX_NAME_CHARACTERS || /[\0-\x1f\x7f]/.test(value)) {
    throw refused(
      `${title} of an authority must be 1 to ${MAX_NAME_CHARACTERS} characters without control characters`
    )
  }
  const text = encodeDer(DER_TAG.utf8String, encodeUtf8(value))
  return encodeDer(DER_TAG.set, encodeSequence(encodeOid(type), text))
}

/** A name as it stands. */
function readName(der: Uint8Array): RelativeDistinguishedNames {
  return new RelativeDistinguishedNames({ schema: fromBER(der).result })
}

function bytesOf(structure: { toBER(): ArrayBuffer }): Uint8Array {
  return new Uint8Array(structure.toBER())
}

function refused(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
