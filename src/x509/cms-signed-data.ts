import { concatBytes } from '../encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  type DerElement,
  encodeDer,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger,
  readConstructed,
  readContent,
  readInteger,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SignatureAlgorithm } from '../keys/signer.js'
import type { Certificate } from './certificate.js'
import { encodeSignatureAlgorithm } from './leaf-certificate.js'
import { encodeHashAlgorithm, readHashAlgorithm, type TimestampHash } from './message-imprint.js'
import { OID_TST_INFO, parseSignedAttributes, type SignedAttributes } from './signed-attributes.js'

/** All of a SignedData that is the same for every timestamp of one certificate, already encoded. */
export interface CmsSigner {
  /** Of the digest in the attributes and of the signature. */
  readonly hash: TimestampHash
  /** Version and digestAlgorithms of the SignedData. */
  readonly head: Uint8Array
  /** Version, sid and digestAlgorithm of the SignerInfo. */
  readonly signerHead: Uint8Array
  readonly signatureAlgorithm: Uint8Array
}

/** A SignedData with one signer, of any authority. */
export interface SignedData {
  readonly contentType: string
  readonly content: Uint8Array
  /** DER of each certificate that came with it, unread. */
  readonly certificates: readonly Uint8Array[]
  /** Who signed: DER of the Name of its issuer, and serial number. */
  readonly issuer: Uint8Array
  readonly serialNumber: bigint
  readonly hash: TimestampHash
  readonly keyType: PublicKey['type']
  readonly attributes: SignedAttributes
  /** What the signature is over. */
  readonly signedBytes: Uint8Array
  readonly signature: Uint8Array
}

const OID_SIGNED_DATA = '1.2.840.113549.1.7.2'

/** Each signer hashes as its algorithm says, and the digests around the signature follow (ct-and-tsa §C8, 2). */
const HASH_OF: Readonly<Record<SignatureAlgorithm, TimestampHash>> = {
  'ecdsa-sha2-256-nistp256': 'sha256',
  'ecdsa-sha2-384-nistp384': 'sha384',
  'ecdsa-sha2-512-nistp521': 'sha512',
  'rsa-sign-pkcs1-2048-sha256': 'sha256',
  'rsa-sign-pkcs1-3072-sha256': 'sha256',
  'rsa-sign-pkcs1-4096-sha256': 'sha256'
}

/** What timestamps are signed with. Without a hash in the name it is the one of the digest (RFC 3370 section 3.2). */
const SIGNATURE_ALGORITHMS: Readonly<
  Record<string, { readonly keyType: PublicKey['type']; readonly hash: TimestampHash | undefined }>
> = {
  '1.2.840.10045.4.3.2': { keyType: 'ecdsa', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { keyType: 'ecdsa', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { keyType: 'ecdsa', hash: 'sha512' },
  '1.2.840.113549.1.1.1': { keyType: 'rsa', hash: undefined },
  '1.2.840.113549.1.1.11': { keyType: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { keyType: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { keyType: 'rsa', hash: 'sha512' }
}

const LABEL = 'timestamp: signed data'
const CONTEXT_0 = contextTag(0, 'constructed')
const CONTEXT_1 = contextTag(1, 'constructed')

const VERSION_1 = encodeUnsignedInteger(1n)
const VERSION_3 = encodeUnsignedInteger(3n)
const SIGNED_DATA = encodeOid(OID_SIGNED_DATA)
const TST_INFO = encodeOid(OID_TST_INFO)

/** @param certificate what signs; @param algorithm of its signer */
export function prepareCmsSigner(
  certificate: Pick<Certificate, 'issuer' | 'serialNumber'>,
  algorithm: SignatureAlgorithm
): CmsSigner {
  const hash = HASH_OF[algorithm]
  const digestAlgorithm = encodeHashAlgorithm(hash, 'absent')
  const sid = encodeSequence(certificate.issuer, encodeUnsignedInteger(certificate.serialNumber))
  return {
    hash,
    head: concatBytes(VERSION_3, encodeDer(DER_TAG.set, digestAlgorithm)),
    signerHead: concatBytes(VERSION_1, sid, digestAlgorithm),
    signatureAlgorithm: encodeSignatureAlgorithm(algorithm)
  }
}

/** What is to be signed. @param attributes see encodeSignedAttributes */
export function encodeSignedBytes(attributes: Uint8Array): Uint8Array {
  return encodeDer(DER_TAG.set, attributes)
}

/**
 * ContentInfo of a signed TSTInfo.
 *
 *     ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT SignedData }
 *     SignedData ::= SEQUENCE {
 *       version INTEGER, digestAlgorithms SET OF AlgorithmIdentifier, encapContentInfo SEQUENCE {
 *         eContentType OBJECT IDENTIFIER, eContent [0] EXPLICIT OCTET STRING },
 *       certificates [0] IMPLICIT SET OF OPTIONAL, crls [1] IMPLICIT SET OF OPTIONAL, signerInfos SET OF SignerInfo }
 *     SignerInfo ::= SEQUENCE {
 *       version INTEGER, sid IssuerAndSerialNumber, digestAlgorithm AlgorithmIdentifier, signedAttrs [0] IMPLICIT SET OF,
 *       signatureAlgorithm AlgorithmIdentifier, signature OCTET STRING }
 *
 * @param certificates in DER, the signing one first: the order all authorities write, though a set has none
 * @see RFC 5652 sections 3 and 5, ct-and-tsa §C3
 */
export function encodeSignedData(
  signer: CmsSigner,
  parts: {
    readonly tstInfo: Uint8Array
    readonly certificates: readonly Uint8Array[]
    /** See encodeSignedAttributes. */
    readonly attributes: Uint8Array
    readonly signature: Uint8Array
  }
): Uint8Array {
  const { tstInfo, certificates, attributes, signature } = parts
  const signerInfo = encodeSequence(
    signer.signerHead,
    encodeDer(CONTEXT_0, attributes),
    signer.signatureAlgorithm,
    encodeOctetString(signature)
  )
  const signedData = encodeSequence(
    signer.head,
    encodeSequence(TST_INFO, encodeDer(CONTEXT_0, encodeOctetString(tstInfo))),
    ...(certificates.length === 0 ? [] : [encodeDer(CONTEXT_0, ...certificates)]),
    encodeDer(DER_TAG.set, signerInfo)
  )
  return encodeSequence(SIGNED_DATA, encodeDer(CONTEXT_0, signedData))
}

/**
 * Reads a ContentInfo with a SignedData of one signer, who is named by issuer and serial number and signs attributes.
 * Nothing is verified here.
 *
 * @throws LogError `invalid_request` when malformed; `unsupported` for algorithms we cannot verify
 */
export function parseSignedData(contentInfo: DerElement | undefined): SignedData {
  const [type, wrapped, extra] = readConstructed(contentInfo, DER_TAG.sequence, LABEL)
  if (readOid(type, LABEL) !== OID_SIGNED_DATA || extra !== undefined) {
    throw malformed('not SignedData')
  }
  const [signedData, second] = readConstructed(wrapped, CONTEXT_0, LABEL)
  const fields = [...readConstructed(signedData, DER_TAG.sequence, LABEL)]
  if (second !== undefined || readInteger(fields.shift(), LABEL) !== 3n) {
    throw malformed('version is not 3')
  }
  readConstructed(fields.shift(), DER_TAG.set, `${LABEL}: digestAlgorithms`)
  const { contentType, content } = readEncapsulated(fields.shift())
  const certificates = fields[0]?.tag === CONTEXT_0 ? fields.shift()?.children : undefined
  if (fields[0]?.tag === CONTEXT_1) fields.shift() // revocation lists, which nobody sends
  const [signerInfo, another] = readConstructed(
    fields.shift(),
    DER_TAG.set,
    `${LABEL}: signerInfos`
  )
  if (another !== undefined || fields.length > 0) throw malformed('more than one signer')
  return {
    contentType,
    content,
    certificates: (certificates ?? []).map(({ encoded }) => encoded),
    ...readSignerInfo(signerInfo)
  }
}

function readEncapsulated(
  element: DerElement | undefined
): Pick<SignedData, 'contentType' | 'content'> {
  const label = `${LABEL}: encapContentInfo`
  const [type, wrapped, extra] = readConstructed(element, DER_TAG.sequence, label)
  const [content, second] = readConstructed(wrapped, CONTEXT_0, label)
  if (extra !== undefined || second !== undefined) throw malformed('more than one content')
  return {
    contentType: readOid(type, label),
    content: readContent(content, DER_TAG.octetString, label)
  }
}

function readSignerInfo(
  element: DerElement | undefined
): Omit<SignedData, 'contentType' | 'content' | 'certificates'> {
  const label = `${LABEL}: signerInfo`
  const [version, sid, digestAlgorithm, attributes, signatureAlgorithm, signature] =
    readConstructed(element, DER_TAG.sequence, label)
  // Version 3 would name the signer by its key identifier. Unsigned attributes may follow; they prove nothing.
  if (readInteger(version, label) !== 1n) throw malformed('version of the signer is not 1')
  const [issuer, serialNumber, extra] = readConstructed(sid, DER_TAG.sequence, label)
  if (issuer === undefined || extra !== undefined) throw malformed('signer is not one certificate')
  readConstructed(attributes, CONTEXT_0, `${label}: signedAttrs`)
  const signed = attributes as DerElement // was just read
  const hash = readHashAlgorithm(digestAlgorithm, label)
  return {
    issuer: issuer.encoded,
    serialNumber: readInteger(serialNumber, label),
    hash,
    keyType: readKeyType(signatureAlgorithm, hash),
    attributes: parseSignedAttributes(signed.children),
    signedBytes: encodeSignedBytes(signed.content),
    signature: readContent(signature, DER_TAG.octetString, label)
  }
}

function readKeyType(element: DerElement | undefined, hash: TimestampHash): PublicKey['type'] {
  const label = `${LABEL}: signatureAlgorithm`
  const [oid] = readConstructed(element, DER_TAG.sequence, label)
  const name = readOid(oid, label)
  const algorithm = SIGNATURE_ALGORITHMS[name]
  if (algorithm === undefined || (algorithm.hash ?? hash) !== hash) {
    throw new LogError('unsupported', `${label} ${name} with ${hash}`)
  }
  return algorithm.keyType
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
