import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeOid,
  encodeSequence,
  encodeTime,
  encodeUnsignedInteger
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import {
  type AuthorityName,
  buildRootCertificate,
  encodeAuthorityName,
  subjectKeyIdOfCertificate
} from './ca-certificate.js'
import { type Certificate, type Extension, parseCertificate } from './certificate.js'
import { OID_EXTENDED_KEY_USAGE } from './extended-key-usage.js'
import { encodeExtension } from './fulcio-extensions.js'
import {
  assembleCertificate,
  authorityKeyIdExtension,
  encodeSignatureAlgorithm,
  subjectKeyIdExtension
} from './leaf-certificate.js'
import { OID_TIME_STAMPING } from './timestamp-chain.js'

/**
 * How long before it is made a certificate becomes valid: a reader who takes the accuracy off the time of the first
 * timestamp must still be within (clients §2).
 */
export const TSA_BACKDATED_SECONDS = 60

export interface TsaCertificateFields {
  readonly subject: AuthorityName
  readonly serialNumber: bigint
  /** Now. */
  readonly madeAtSeconds: number
  readonly notAfterSeconds: number
  /** SubjectPublicKeyInfo DER of what is certified. */
  readonly publicKey: Uint8Array
  readonly issuer: Certificate
  /** Of the issuer's key. */
  readonly issuerSigner: Signer
}

export type TsaRootFields = Omit<TsaCertificateFields, 'publicKey' | 'issuer' | 'issuerSigner'> & {
  readonly signer: Signer
}

const OID_KEY_USAGE = '2.5.29.15'
const OID_BASIC_CONSTRAINTS = '2.5.29.19'

const VERSION_3 = encodeDer(contextTag(0, 'constructed'), encodeUnsignedInteger(2n))

/** Digital signature, and nothing else: OpenSSL takes no other for timestamps. */
const LEAF_KEY_USAGE = keyUsage(0x07, 0x80)
/** keyCertSign and cRLSign. */
const ISSUER_KEY_USAGE = keyUsage(0x01, 0x06)

/** A CA with no other CA below it. */
const LAST_CA: Extension = {
  oid: OID_BASIC_CONSTRAINTS,
  critical: true,
  value: encodeSequence(encodeDer(DER_TAG.boolean, Uint8Array.of(0xff)), encodeUnsignedInteger(0n))
}

/**
 * Self-signed root above a timestamp authority.
 * @throws LogError `invalid_request` for a name that is empty or too long
 */
export function buildTsaRootCertificate(fields: TsaRootFields): Promise<Certificate> {
  const notBeforeSeconds = fields.madeAtSeconds - TSA_BACKDATED_SECONDS
  return buildRootCertificate({ ...fields, notBeforeSeconds })
}

/**
 * Intermediate for timestamps only, between root and leaf.
 * @throws LogError as buildTsaCertificate
 */
export function buildTsaIntermediateCertificate(
  fields: TsaCertificateFields
): Promise<Certificate> {
  return issue(fields, [ISSUER_KEY_USAGE, timeStamping(false), LAST_CA])
}

/**
 * What signs timestamps, and nothing else.
 *
 * @throws LogError `invalid_request` for a name that is empty or too long, for an issuer without subject key identifier, and
 *   for one that is not valid as long
 * @see ct-and-tsa §C4
 */
export function buildTsaCertificate(fields: TsaCertificateFields): Promise<Certificate> {
  return issue(fields, [LEAF_KEY_USAGE, timeStamping(true)])
}

async function issue(
  fields: TsaCertificateFields,
  usage: readonly Extension[]
): Promise<Certificate> {
  const { issuer, issuerSigner, publicKey, notAfterSeconds } = fields
  if (notAfterSeconds > issuer.notAfterSeconds) {
    throw new LogError('invalid_request', 'the issuing certificate is not valid as long as that')
  }
  const extensions = [
    ...usage,
    subjectKeyIdExtension(publicKey),
    authorityKeyIdExtension(subjectKeyIdOfCertificate(issuer))
  ]
  const tbs = encodeSequence(
    VERSION_3,
    encodeUnsignedInteger(fields.serialNumber),
    encodeSignatureAlgorithm(issuerSigner.algorithm),
    issuer.subject,
    encodeSequence(
      encodeTime(fields.madeAtSeconds - TSA_BACKDATED_SECONDS),
      encodeTime(notAfterSeconds)
    ),
    encodeAuthorityName(fields.subject),
    publicKey,
    encodeDer(contextTag(3, 'constructed'), encodeSequence(...extensions.map(encodeExtension)))
  )
  const signature = await issuerSigner.sign(tbs)
  return parseCertificate(assembleCertificate(tbs, issuerSigner.algorithm, signature))
}

function timeStamping(critical: boolean): Extension {
  return {
    oid: OID_EXTENDED_KEY_USAGE,
    critical,
    value: encodeSequence(encodeOid(OID_TIME_STAMPING))
  }
}

function keyUsage(unusedBits: number, bits: number): Extension {
  return {
    oid: OID_KEY_USAGE,
    critical: true,
    value: encodeDer(DER_TAG.bitString, Uint8Array.of(unusedBits, bits))
  }
}
