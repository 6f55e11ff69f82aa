import { equalBytes } from '../encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  type DerElement,
  parseDer,
  readBitString,
  readBoolean,
  readBits,
  readConstructed,
  readContent,
  readInteger,
  readOid,
  readTimeSeconds
} from '../encoding/der.js'
import { decodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'
import { readRecentKey } from './recent-key.js'
import { parseSubjectAltName, type SubjectAltName } from './subject-alt-name.js'

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** Content of the OCTET STRING. */
  readonly value: Uint8Array
}

/** What we read of a certificate. Nothing here says that anybody should trust it. */
export interface Certificate {
  /** The whole certificate. */
  readonly der: Uint8Array
  /** The part that is signed. */
  readonly tbs: Uint8Array
  /** Not negative. */
  readonly serialNumber: bigint
  /** DER of the Name, as it stands. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBeforeSeconds: number
  readonly notAfterSeconds: number
  /** Its `spki` is what stands in the certificate, byte for byte. */
  readonly publicKey: PublicKey
  readonly extensions: readonly Extension[]
  readonly subjectAltName: SubjectAltName
  readonly basicConstraints: BasicConstraints | undefined
  /** Without the extension every usage is allowed. */
  readonly mayCertSign: boolean
  readonly signatureAlgorithmOid: string
  readonly signature: Uint8Array
}

export interface BasicConstraints {
  readonly isCa: boolean
  readonly maxPathLength: number | undefined
}

export const OID_SUBJECT_ALT_NAME = '2.5.29.17'
export const OID_NAME_CONSTRAINTS = '2.5.29.30'
const OID_KEY_USAGE = '2.5.29.15'
const OID_BASIC_CONSTRAINTS = '2.5.29.19'

/**
 * Extensions Go reads (rekor-v1 §7.1 rests on its parser): subject key id, key usage, SAN, basic constraints, name
 * constraints, CRL distribution points, policies, policy mappings, authority key id, policy constraints, extended key
 * usage, inhibit any policy, authority information access. Any other, marked critical, makes a chain fail.
 */
export const KNOWN_EXTENSIONS: readonly string[] = [
  '2.5.29.14',
  OID_KEY_USAGE,
  OID_SUBJECT_ALT_NAME,
  OID_BASIC_CONSTRAINTS,
  OID_NAME_CONSTRAINTS,
  '2.5.29.31',
  '2.5.29.32',
  '2.5.29.33',
  '2.5.29.35',
  '2.5.29.36',
  '2.5.29.37',
  '2.5.29.54',
  '1.3.6.1.5.5.7.1.1'
]

/**
 * Reads one certificate: strict DER throughout, so that it has one spelling.
 *
 *     Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
 *     TBSCertificate ::= SEQUENCE {
 *       version [0] EXPLICIT INTEGER DEFAULT v1, serialNumber INTEGER, signature AlgorithmIdentifier, issuer Name,
 *       validity SEQUENCE { notBefore Time, notAfter Time }, subject Name, subjectPublicKeyInfo,
 *       issuerUniqueID [1] OPTIONAL, subjectUniqueID [2] OPTIONAL, extensions [3] EXPLICIT OPTIONAL }
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` when its key is of a kind we cannot verify with
 * @see RFC 5280 section 4.1
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const [tbs, algorithm, signature, extra] = readConstructed(
    parseDer(der, 'x509: malformed certificate'),
    DER_TAG.sequence,
    'x509: malformed certificate'
  )
  const signed = present(tbs, 'tbs certificate')
  const fields = [...readConstructed(signed, DER_TAG.sequence, 'x509: malformed tbs certificate')]
  if (extra !== undefined) throw malformed('certificate')

  const version = readVersion(fields)
  const serialNumber = readInteger(fields.shift(), 'x509: malformed serial number')
  if (serialNumber < 0n) {
    throw new LogError('invalid_request', 'x509: negative serial number')
  }
  const innerAlgorithm = present(fields.shift(), 'signature algorithm identifier')
  const outerAlgorithm = present(algorithm, 'algorithm identifier')
  const signatureAlgorithmOid = readAlgorithmOid(innerAlgorithm)
  if (!equalBytes(innerAlgorithm.encoded, outerAlgorithm.encoded)) {
    throw new LogError(
      'invalid_request',
      "x509: inner and outer signature algorithm identifiers don't match"
    )
  }
  const issuer = readName(present(fields.shift(), 'issuer'))
  const [notBefore, notAfter] = readConstructed(
    fields.shift(),
    DER_TAG.sequence,
    'x509: malformed validity'
  )
  const subject = readName(present(fields.shift(), 'subject'))
  const spki = present(fields.shift(), 'spki')
  const extensions = readExtensions(version, fields)

  return {
    der,
    tbs: signed.encoded,
    serialNumber,
    issuer,
    subject,
    notBeforeSeconds: readTimeSeconds(notBefore, 'x509: malformed notBefore'),
    notAfterSeconds: readTimeSeconds(notAfter, 'x509: malformed notAfter'),
    publicKey: readRecentKey(spki),
    extensions,
    subjectAltName: parseSubjectAltName(findExtension(extensions, OID_SUBJECT_ALT_NAME)),
    basicConstraints: readBasicConstraints(findExtension(extensions, OID_BASIC_CONSTRAINTS)),
    mayCertSign: readMayCertSign(findExtension(extensions, OID_KEY_USAGE)),
    signatureAlgorithmOid,
    signature: readBitString(signature, 'x509: malformed signature')
  }
}

/** 1, 2 or 3; takes the field off the list if it is there. */
function readVersion(fields: DerElement[]): number {
  const [first] = fields
  if (first?.tag !== contextTag(0, 'constructed')) return 1
  fields.shift()
  const [version, extra] = first.children
  const number = readInteger(version, 'x509: malformed version')
  // Zero would be the default, which DER leaves out.
  if (extra !== undefined || number < 1n || number > 2n) throw malformed('version')
  return Number(number) + 1
}

function readAlgorithmOid(algorithm: DerElement): string {
  const label = 'x509: malformed signature algorithm identifier'
  const [oid] = readConstructed(algorithm, DER_TAG.sequence, label)
  return readOid(oid, label)
}

/** A Name, checked down to the characters of its strings, and given back as it stands. */
function readName(name: DerElement): Uint8Array {
  const label = 'x509: invalid RDNSequence'
  for (const set of readConstructed(name, DER_TAG.sequence, label)) {
    for (const attribute of readConstructed(set, DER_TAG.set, label)) {
      const [type, value, extra] = readConstructed(attribute, DER_TAG.sequence, label)
      readOid(type, label)
      if (value === undefined || extra !== undefined) throw malformed('name')
      assertString(value)
    }
  }
  return name.encoded
}

// `*` and `&` are not PrintableString, and are in use; Go takes them too. By character code.
const IS_PRINTABLE = Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9 '()+,\-./:=?*&]/.test(String.fromCharCode(code))
)

function assertString({ tag, content }: DerElement): void {
  if (tag === DER_TAG.utf8String) {
    decodeUtf8(content)
  } else if (tag === DER_TAG.ia5String) {
    if (content.some((byte) => byte > 0x7f)) throw malformed('name: invalid IA5String')
  } else if (tag === DER_TAG.printableString) {
    if (!content.every((byte) => IS_PRINTABLE[byte]))
      throw malformed('name: invalid PrintableString')
  }
}

/** What is left of the TBS after the key: unique ids, which nobody uses, and extensions. */
function readExtensions(version: number, fields: readonly DerElement[]): readonly Extension[] {
  const tags = [1, 2].map((number) => contextTag(number, 'primitive'))
  const rest = [...fields]
  for (const tag of tags) {
    if (version > 1 && rest[0]?.tag === tag) rest.shift()
  }
  const wrapper = rest.shift()
  if (wrapper === undefined) return []
  if (version < 3 || rest.length > 0 || wrapper.tag !== contextTag(3, 'constructed')) {
    throw malformed('extensions')
  }
  const [list, extra] = wrapper.children
  if (extra !== undefined) throw malformed('extensions')
  const extensions: Extension[] = []
  for (const element of readConstructed(list, DER_TAG.sequence, 'x509: malformed extensions')) {
    const extension = readExtension(element)
    if (findExtension(extensions, extension.oid) !== undefined) {
      throw new LogError(
        'invalid_request',
        `x509: certificate contains duplicate extension with OID "${extension.oid}"`
      )
    }
    if (KNOWN_EXTENSIONS.includes(extension.oid)) {
      parseDer(extension.value, `x509: malformed extension ${extension.oid}`)
    }
    extensions.push(extension)
  }
  return extensions
}

/** `SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }` */
function readExtension(element: DerElement): Extension {
  const label = 'x509: malformed extension'
  const parts = [...readConstructed(element, DER_TAG.sequence, label)]
  const oid = readOid(parts.shift(), label)
  const critical = parts[0]?.tag === DER_TAG.boolean && readBoolean(parts.shift(), label)
  const value = readContent(parts.shift(), DER_TAG.octetString, label)
  if (parts.length > 0) throw malformed('extension')
  return { oid, critical, value }
}

export function findExtension(
  extensions: readonly Extension[],
  oid: string
): Extension | undefined {
  return extensions.find((extension) => extension.oid === oid)
}

/** `SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }` */
function readBasicConstraints(extension: Extension | undefined): BasicConstraints | undefined {
  if (extension === undefined) return undefined
  const label = 'x509: invalid basic constraints'
  const parts = [...readConstructed(parseDer(extension.value, label), DER_TAG.sequence, label)]
  const isCa = parts[0]?.tag === DER_TAG.boolean && readBoolean(parts.shift(), label)
  const length = parts.length === 0 ? undefined : readInteger(parts.shift(), label)
  if (parts.length > 0 || (length !== undefined && (length < 0n || length > 1_000_000n))) {
    throw new LogError('invalid_request', label)
  }
  return { isCa, maxPathLength: length === undefined ? undefined : Number(length) }
}

/** Bit 5 of KeyUsage, keyCertSign. */
function readMayCertSign(extension: Extension | undefined): boolean {
  if (extension === undefined) return true
  const label = 'x509: invalid key usage'
  const { bytes } = readBits(parseDer(extension.value, label), label)
  const isEmpty = bytes.every((byte) => byte === 0)
  return isEmpty || ((bytes[0] as number) & 0x04) !== 0 // not empty, so there is a byte
}

function present(element: DerElement | undefined, what: string): DerElement {
  if (element === undefined) throw malformed(what)
  return element
}

function malformed(what: string): LogError {
  return new LogError('invalid_request', `x509: malformed ${what}`)
}
