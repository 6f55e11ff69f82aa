import { compareBytes } from '../encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  type DerElement,
  encodeDer,
  encodeSequence,
  parseDerPrefix,
  readConstructed,
  readContent,
  readInteger,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'

// PKCS#7 as it signs JAR files, of any signer. What we write and check of timestamps of our own kind is in cms-signed-data.ts and
// much stricter.

/** A SignedData. Nothing is verified here, and no certificate is read. */
export interface Pkcs7 {
  readonly contentType: string
  /** What is signed, where it came along. */
  readonly content: Uint8Array | undefined
  /** DER of each, in the order they came. */
  readonly certificates: readonly Uint8Array[]
  readonly signers: readonly Pkcs7Signer[]
  /** DER of the same without content: the one form that is logged. */
  readonly detached: Uint8Array
}

export interface Pkcs7Signer {
  /** Who signed: DER of the Name of its issuer, and serial number. */
  readonly issuer: Uint8Array
  readonly serialNumber: bigint
  /** AlgorithmIdentifiers, not looked into. */
  readonly digestAlgorithm: DerElement
  readonly signatureAlgorithm: DerElement
  /** Undefined when the content itself is signed. */
  readonly signedAttributes: Pkcs7Attributes | undefined
  readonly signature: Uint8Array
  readonly unsignedAttributes: Pkcs7Attributes | undefined
}

export interface Pkcs7Attributes {
  /** In their order. No type stands there twice. */
  readonly list: readonly { readonly oid: string; readonly values: readonly DerElement[] }[]
  /** The list as it is signed: with the tag of a SET, in the order it came. */
  readonly encoded: Uint8Array
}

/** A JAR has one signer. Each costs a verification, or two with a timestamp. */
export const MAX_PKCS7_SIGNERS = 16

const OID_SIGNED_DATA = '1.2.840.113549.1.7.2'
const LABEL = 'pkcs7'
const CONTEXT_0 = contextTag(0, 'constructed')
const CONTEXT_1 = contextTag(1, 'constructed')

/**
 * Reads DER of a SignedData, which zeros may follow.
 *
 *     ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT SignedData }
 *     SignedData ::= SEQUENCE {
 *       version INTEGER, digestAlgorithms SET OF AlgorithmIdentifier,
 *       contentInfo SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY OPTIONAL },
 *       certificates [0] IMPLICIT SET OF Certificate OPTIONAL, crls [1] IMPLICIT SET OF CertificateList OPTIONAL,
 *       signerInfos SET OF SignerInfo }
 *
 * @throws LogError `invalid_request`
 * @see RFC 2315 section 9, rekor-v1 §7.5
 */
export function parsePkcs7(der: Uint8Array): Pkcs7 {
  const { element, rest } = parseDerPrefix(der, LABEL)
  if (rest.some((byte) => byte !== 0)) throw malformed('trailing garbage after PKCS#7 structure')
  return readPkcs7(element)
}

/** Like parsePkcs7, for a ContentInfo inside of something else. */
export function readPkcs7(element: DerElement | undefined): Pkcs7 {
  const [type, wrapped, extra] = readConstructed(element, DER_TAG.sequence, LABEL)
  if (readOid(type, LABEL) !== OID_SIGNED_DATA || extra !== undefined) {
    throw malformed('not SignedData')
  }
  const [signedData, second] = readConstructed(wrapped, CONTEXT_0, LABEL)
  const fields = [...readConstructed(signedData, DER_TAG.sequence, LABEL)]
  if (second !== undefined) throw malformed('more than one content')
  const version = fields.shift()
  readInteger(version, `${LABEL}: version`)
  const digestAlgorithms = readConstructed(
    fields.shift(),
    DER_TAG.set,
    `${LABEL}: digestAlgorithms`
  )
  digestAlgorithms.forEach((algorithm) => {
    assertAlgorithm(algorithm, `${LABEL}: digestAlgorithms`)
  })
  const { type: contentType, content } = readContentInfo(fields.shift())
  const certificates = fields[0]?.tag === CONTEXT_0 ? fields.shift() : undefined
  const revocations = fields[0]?.tag === CONTEXT_1 ? fields.shift() : undefined
  revocations?.children.forEach(assertRevocationList)
  const signers = readConstructed(fields.shift(), DER_TAG.set, `${LABEL}: signerInfos`)
  if (fields.length > 0) throw malformed('a field that does not belong there')
  if (signers.length > MAX_PKCS7_SIGNERS) {
    throw malformed(`more than ${MAX_PKCS7_SIGNERS} signers`)
  }
  return {
    contentType: readOid(contentType, LABEL),
    content,
    certificates: (certificates?.children ?? []).map(({ encoded }) => encoded),
    signers: signers.map(readSigner),
    // Sets are put in the order of DER, as Rekor does; certificates and lists keep theirs.
    detached: encodeSequence(
      encodedOf(type),
      encodeDer(
        CONTEXT_0,
        encodeSequence(
          encodedOf(version),
          encodeSet(digestAlgorithms),
          encodeSequence(encodedOf(contentType)),
          ...(certificates === undefined ? [] : [certificates.encoded]),
          ...(revocations === undefined ? [] : [revocations.encoded]),
          encodeSet(signers)
        )
      )
    )
  }
}

/** One value of the attribute of this type; undefined without it. @throws LogError `invalid_request` for several */
export function findAttribute(
  attributes: Pkcs7Attributes | undefined,
  oid: string
): DerElement | undefined {
  const found = attributes?.list.find((attribute) => attribute.oid === oid)
  if (found === undefined) return undefined
  if (found.values.length !== 1) throw malformed(`attribute ${oid} has not one value`)
  return found.values[0]
}

function readContentInfo(element: DerElement | undefined): {
  readonly type: DerElement | undefined
  readonly content: Uint8Array | undefined
} {
  const label = `${LABEL}: contentInfo`
  const [type, wrapped, extra] = readConstructed(element, DER_TAG.sequence, label)
  if (extra !== undefined) throw malformed('more than one content')
  if (wrapped === undefined) return { type, content: undefined }
  const [content, second] = readConstructed(wrapped, CONTEXT_0, label)
  if (content === undefined || second !== undefined) throw malformed('not one content')
  return { type, content: content.content }
}

/**
 *     SignerInfo ::= SEQUENCE {
 *       version INTEGER, issuerAndSerialNumber SEQUENCE { issuer Name, serialNumber INTEGER },
 *       digestAlgorithm AlgorithmIdentifier, authenticatedAttributes [0] IMPLICIT SET OF Attribute OPTIONAL,
 *       digestEncryptionAlgorithm AlgorithmIdentifier, encryptedDigest OCTET STRING,
 *       unauthenticatedAttributes [1] IMPLICIT SET OF Attribute OPTIONAL }
 *
 * @throws LogError `invalid_request`
 */
export function readSigner(element: DerElement): Pkcs7Signer {
  const label = `${LABEL}: signerInfo`
  const fields = [...readConstructed(element, DER_TAG.sequence, label)]
  readInteger(fields.shift(), `${label}: version`)
  const [issuer, serialNumber, extra] = readConstructed(
    fields.shift(),
    DER_TAG.sequence,
    `${label}: issuerAndSerialNumber`
  )
  if (issuer === undefined || extra !== undefined) throw malformed('signer is not one certificate')
  const digestAlgorithm = assertAlgorithm(fields.shift(), `${label}: digestAlgorithm`)
  const signed = fields[0]?.tag === CONTEXT_0 ? fields.shift() : undefined
  const signatureAlgorithm = assertAlgorithm(fields.shift(), `${label}: signatureAlgorithm`)
  const signature = readContent(fields.shift(), DER_TAG.octetString, `${label}: signature`)
  const unsigned = fields[0]?.tag === CONTEXT_1 ? fields.shift() : undefined
  if (fields.length > 0) throw malformed('a field that does not belong there')
  return {
    issuer: issuer.encoded,
    serialNumber: readInteger(serialNumber, `${label}: serialNumber`),
    digestAlgorithm,
    signatureAlgorithm,
    signedAttributes: readAttributes(signed),
    signature,
    unsignedAttributes: readAttributes(unsigned)
  }
}

/** `Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }` */
function readAttributes(element: DerElement | undefined): Pkcs7Attributes | undefined {
  if (element === undefined) return undefined
  const label = `${LABEL}: attributes`
  const types = new Set<string>()
  const list = element.children.map((attribute) => {
    const [type, values, extra] = readConstructed(attribute, DER_TAG.sequence, label)
    const oid = readOid(type, label)
    if (extra !== undefined) throw malformed(`attribute ${oid} has more than two fields`)
    if (types.has(oid)) throw malformed(`attribute ${oid} stands there twice`)
    types.add(oid)
    return { oid, values: readConstructed(values, DER_TAG.set, label) }
  })
  // Without any it is not clear whether they or the content are signed.
  if (list.length === 0) throw malformed('attributes without any')
  return { list, encoded: encodeDer(DER_TAG.set, element.content) }
}

/** `SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }` */
function assertAlgorithm(element: DerElement | undefined, label: string): DerElement {
  const [oid, , extra] = readConstructed(element, DER_TAG.sequence, label)
  readOid(oid, label)
  if (extra !== undefined) throw malformed('more than two fields in algorithm identifier')
  return element as DerElement // was just read
}

/** `CertificateList ::= SEQUENCE { tbsCertList SEQUENCE, signatureAlgorithm, signature BIT STRING }`, no further looked into. */
function assertRevocationList(element: DerElement): void {
  const label = `${LABEL}: crls`
  const [list, algorithm, signature, extra] = readConstructed(element, DER_TAG.sequence, label)
  readConstructed(list, DER_TAG.sequence, label)
  assertAlgorithm(algorithm, label)
  readContent(signature, DER_TAG.bitString, label)
  if (extra !== undefined) throw malformed('crls: a field that does not belong there')
}

function encodeSet(elements: readonly DerElement[]): Uint8Array {
  return encodeDer(DER_TAG.set, ...elements.map(({ encoded }) => encoded).sort(compareBytes))
}

/** Of an element that was read before. */
function encodedOf(element: DerElement | undefined): Uint8Array {
  return (element as DerElement).encoded
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
