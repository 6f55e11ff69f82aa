import { concatBytes } from '../encoding/bytes.js'
import {
  bytesToBigInt,
  contextTag,
  DER_TAG,
  encodeBitString,
  encodeDer,
  encodeNull,
  encodeOid,
  encodeSequence,
  encodeTime,
  encodeUnsignedInteger,
  parseDer,
  readBitString,
  readConstructed
} from '../encoding/der.js'
import type { SignatureAlgorithm } from '../keys/signer.js'
import { hashData } from '../keys/verify.js'
import type { Extension } from './certificate.js'
import { OID_CODE_SIGNING, OID_EXTENDED_KEY_USAGE } from './extended-key-usage.js'
import { encodeExtension } from './fulcio-extensions.js'
import { POISON_EXTENSION } from './precertificate.js'
import { OID_SCT_LIST } from './sct-list.js'

/** What a code signing certificate says; the rest is the same in all of them. */
export interface LeafFields {
  /** Positive, of 159 bits at most: see randomSerial. */
  readonly serialNumber: bigint
  /** Of the key that will sign it. */
  readonly signatureAlgorithm: SignatureAlgorithm
  /** DER of the Name: the subject of the issuing certificate, byte for byte. */
  readonly issuer: Uint8Array
  /** Subject key identifier of the issuing certificate. */
  readonly authorityKeyId: Uint8Array
  readonly notBeforeSeconds: number
  readonly notAfterSeconds: number
  /** SubjectPublicKeyInfo DER. */
  readonly spki: Uint8Array
  readonly subjectAltName: Extension
  /** Those that say where the identity comes from, in their order. */
  readonly extensions: readonly Extension[]
}

/** The signed part of a certificate in its forms, which are the same bytes but for the last extension. */
export interface LeafTbs {
  /** Without a last extension. */
  plain(): Uint8Array
  /** With the poison of a precertificate in that place. */
  withPoison(): Uint8Array
  /** With timestamps in that place. @param sctList value of the extension, see encodeSctList */
  withSctList(sctList: Uint8Array): Uint8Array
}

const KEY_USAGE_DIGITAL_SIGNATURE: Extension = {
  oid: '2.5.29.15',
  critical: true,
  value: Uint8Array.of(0x03, 0x02, 0x07, 0x80)
}

const EXTENDED_KEY_USAGE: Extension = {
  oid: OID_EXTENDED_KEY_USAGE,
  critical: false,
  value: encodeSequence(encodeOid(OID_CODE_SIGNING))
}

export const OID_SUBJECT_KEY_ID = '2.5.29.14'
const OID_AUTHORITY_KEY_ID = '2.5.29.35'

const VERSION_3 = encodeDer(contextTag(0, 'constructed'), encodeUnsignedInteger(2n))
const FIXED_EXTENSIONS = concatBytes(
  encodeExtension(KEY_USAGE_DIGITAL_SIGNATURE),
  encodeExtension(EXTENDED_KEY_USAGE)
)
const POISON = encodeExtension(POISON_EXTENSION)

const SIGNATURE_ALGORITHM_OIDS: Readonly<Record<SignatureAlgorithm, string>> = {
  'ecdsa-sha2-256-nistp256': '1.2.840.10045.4.3.2',
  'ecdsa-sha2-384-nistp384': '1.2.840.10045.4.3.3',
  'ecdsa-sha2-512-nistp521': '1.2.840.10045.4.3.4',
  'rsa-sign-pkcs1-2048-sha256': '1.2.840.113549.1.1.11',
  'rsa-sign-pkcs1-3072-sha256': '1.2.840.113549.1.1.11',
  'rsa-sign-pkcs1-4096-sha256': '1.2.840.113549.1.1.11'
}

/** Bits of a serial number: so it is positive and takes 20 octets at most (RFC 5280 section 4.1.2.2). */
const SERIAL_BITS = 159n
const SERIAL_BYTES = 20

/**
 * The TBSCertificate of a Fulcio certificate. Everything before the last extension is encoded once, so that precertificate
 * and certificate cannot differ in it.
 *
 * @see fulcio §12, RFC 5280 section 4.1
 */
export function buildLeafTbs(fields: LeafFields): LeafTbs {
  const { subjectAltName, extensions, spki, authorityKeyId } = fields
  const head = concatBytes(
    VERSION_3,
    encodeUnsignedInteger(fields.serialNumber),
    encodeSignatureAlgorithm(fields.signatureAlgorithm),
    fields.issuer,
    encodeSequence(encodeTime(fields.notBeforeSeconds), encodeTime(fields.notAfterSeconds)),
    encodeSequence(), // no subject: the alternative name is the name
    spki
  )
  const common = concatBytes(
    FIXED_EXTENSIONS,
    encodeExtension(subjectKeyIdExtension(spki)),
    encodeExtension(authorityKeyIdExtension(authorityKeyId)),
    encodeExtension(subjectAltName),
    ...extensions.map(encodeExtension)
  )
  const tbs = (...last: readonly Uint8Array[]): Uint8Array =>
    encodeSequence(head, encodeDer(contextTag(3, 'constructed'), encodeSequence(common, ...last)))
  return {
    plain: () => tbs(),
    withPoison: () => tbs(POISON),
    withSctList: (value) => tbs(encodeExtension({ oid: OID_SCT_LIST, critical: false, value }))
  }
}

/** `SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }` */
export function assembleCertificate(
  tbs: Uint8Array,
  algorithm: SignatureAlgorithm,
  signature: Uint8Array
): Uint8Array {
  return encodeSequence(tbs, encodeSignatureAlgorithm(algorithm), encodeBitString(signature))
}

/** AlgorithmIdentifier: without parameters for ECDSA (RFC 5758), with NULL for RSA (RFC 4055). */
export function encodeSignatureAlgorithm(algorithm: SignatureAlgorithm): Uint8Array {
  const oid = encodeOid(SIGNATURE_ALGORITHM_OIDS[algorithm])
  return algorithm.startsWith('rsa') ? encodeSequence(oid, encodeNull()) : encodeSequence(oid)
}

/** A serial number nobody can foresee. @param randomBytes unpredictable */
export function randomSerial(randomBytes: (length: number) => Uint8Array): bigint {
  for (;;) {
    const serial = BigInt.asUintN(Number(SERIAL_BITS), bytesToBigInt(randomBytes(SERIAL_BYTES)))
    if (serial !== 0n) return serial
  }
}

/** SHA-1 of the content of the key's BIT STRING: the first method of RFC 5280 section 4.2.1.2. */
export function subjectKeyIdOf(spki: Uint8Array): Uint8Array {
  const label = 'x509: malformed spki'
  const [, key] = readConstructed(parseDer(spki, label), DER_TAG.sequence, label)
  return Uint8Array.from(hashData('sha1', readBitString(key, label)))
}

export function subjectKeyIdExtension(spki: Uint8Array): Extension {
  const value = encodeDer(DER_TAG.octetString, subjectKeyIdOf(spki))
  return { oid: OID_SUBJECT_KEY_ID, critical: false, value }
}

/** `SEQUENCE { keyIdentifier [0] OCTET STRING }` */
export function authorityKeyIdExtension(keyId: Uint8Array): Extension {
  const value = encodeSequence(encodeDer(contextTag(0, 'primitive'), keyId))
  return { oid: OID_AUTHORITY_KEY_ID, critical: false, value }
}
