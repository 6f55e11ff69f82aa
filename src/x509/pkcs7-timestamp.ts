import { equalBytes } from '../encoding/bytes.js'
import {
  DER_TAG,
  type DerElement,
  parseDer,
  readConstructed,
  readContent,
  readInteger,
  readIntegerContent,
  readOid,
  readTimeSeconds
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import { hashData } from '../keys/verify.js'
import { type Certificate, parseCertificate } from './certificate.js'
import { readPkcs7Hash } from './pkcs7-algorithms.js'
import { verifyPkcs7Signer } from './pkcs7-signer.js'
import { findAttribute, type Pkcs7Signer, readPkcs7, readSigner } from './pkcs7.js'

/** Of RFC 3161, and the one that signatures of programs use for the same. */
const TOKEN_OIDS = ['1.2.840.113549.1.9.16.2.14', '1.3.6.1.4.1.311.3.3.1']
const OID_COUNTERSIGNATURE = '1.2.840.113549.1.9.6'
const OID_SIGNING_TIME = '1.2.840.113549.1.9.5'

/**
 * Checks the timestamp over a signature, if there is one among its unsigned attributes: a token of RFC 3161, or else a
 * countersignature of PKCS#9. That its authority is to be believed is not said.
 *
 * @param certificates of the PKCS#7; those of the token are added
 * @throws LogError `verification_failed`, `unsupported`; `invalid_request` when malformed
 * @see RFC 3161 appendix A, RFC 2985 section 5.3.6
 */
export async function verifyPkcs7Timestamp(
  signer: Pkcs7Signer,
  certificates: readonly Certificate[]
): Promise<void> {
  const { unsignedAttributes, signature } = signer
  for (const oid of TOKEN_OIDS) {
    const token = findAttribute(unsignedAttributes, oid)
    if (token !== undefined) {
      await verifyToken(token, signature, certificates)
      return
    }
  }
  const countersignature = findAttribute(unsignedAttributes, OID_COUNTERSIGNATURE)
  if (countersignature !== undefined) {
    await verifyCountersignature(readSigner(countersignature), signature, certificates)
  }
}

async function verifyToken(
  element: DerElement,
  data: Uint8Array,
  certificates: readonly Certificate[]
): Promise<void> {
  const token = readPkcs7(element)
  const [signer, second] = token.signers
  if (signer === undefined || second !== undefined) {
    throw failed('timestamp should have exactly one SignerInfo')
  }
  if (token.content === undefined) throw failed('timestamp without content')
  const { digestAlgorithm, digest } = readTstInfo(token.content)
  if (!equalBytes(digest, hashData(readPkcs7Hash(digestAlgorithm), data))) {
    throw failed('verifying timestamp imprint: pkcs9: digest check failed')
  }
  await verifyPkcs7Signer(signer, { bytes: token.content, type: token.contentType }, [
    ...certificates,
    ...readableCertificates(token.certificates)
  ])
}

async function verifyCountersignature(
  signer: Pkcs7Signer,
  data: Uint8Array,
  certificates: readonly Certificate[]
): Promise<void> {
  await verifyPkcs7Signer(signer, { bytes: data, type: undefined }, certificates)
  const time = findAttribute(signer.signedAttributes, OID_SIGNING_TIME)
  readTimeSeconds(time, 'parsing timestamp')
}

/** Of an authority more may come along than is needed. What cannot be read signs nothing. */
function readableCertificates(ders: readonly Uint8Array[]): readonly Certificate[] {
  return ders.flatMap((der) => {
    try {
      return [parseCertificate(der)]
    } catch {
      return []
    }
  })
}

/**
 * `TSTInfo ::= SEQUENCE { version INTEGER, policy OBJECT IDENTIFIER, messageImprint SEQUENCE { hashAlgorithm, hashedMessage },
 * serialNumber INTEGER, genTime GeneralizedTime, … }`. The rest is passed over: many authorities wrote these, over twenty years.
 *
 * @see RFC 3161 section 2.4.2
 */
function readTstInfo(der: Uint8Array): {
  readonly digestAlgorithm: DerElement
  readonly digest: Uint8Array
} {
  const label = 'unpack TSTInfo'
  const [version, policy, imprint, serialNumber, genTime] = readConstructed(
    parseDer(der, label),
    DER_TAG.sequence,
    label
  )
  readInteger(version, label)
  readOid(policy, label)
  readIntegerContent(serialNumber, label)
  assertGenTime(readContent(genTime, DER_TAG.generalizedTime, label))
  const [algorithm, hashed] = readConstructed(imprint, DER_TAG.sequence, label)
  readConstructed(algorithm, DER_TAG.sequence, label)
  return {
    digestAlgorithm: algorithm as DerElement, // was just read
    digest: readContent(hashed, DER_TAG.octetString, label)
  }
}

/** With seconds, a fraction of them or none, in UTC or with an offset. */
function assertGenTime(content: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = content
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
  const whole = /^(\d{14})(?:\.\d+)?(?:Z|[+-]\d{4})$/.exec(text)?.[1]
  const plain = Uint8Array.from(`${whole ?? ''}Z`, (letter) => letter.charCodeAt(0))
  const element = { tag: DER_TAG.generalizedTime, content: plain, encoded: plain, children: [] }
  readTimeSeconds(element, 'parsing timestamp')
}

function failed(message: string): LogError {
  return new LogError('verification_failed', message)
}
