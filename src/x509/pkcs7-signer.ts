import { constants, publicDecrypt, verify as nativeVerify } from 'node:crypto'
import { equalBytes } from '../encoding/bytes.js'
import { DER_TAG, readContent, readOid } from '../encoding/der.js'
import { excerpt } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { readEcdsaSignature } from '../keys/ecdsa-signature.js'
import type { PublicKey, RsaPublicKey } from '../keys/public-key.js'
import { hashData, type HashName, verifyData } from '../keys/verify.js'
import type { Certificate } from './certificate.js'
import { readPkcs7Hash, readPkcs7Scheme } from './pkcs7-algorithms.js'
import { findAttribute, type Pkcs7Signer } from './pkcs7.js'

const OID_CONTENT_TYPE = '1.2.840.113549.1.9.3'
const OID_MESSAGE_DIGEST = '1.2.840.113549.1.9.4'

/** Below this Go refuses to verify. */
const MIN_RSA_BITS = 1024

/** What a signer signs. */
export interface Pkcs7Content {
  readonly bytes: Uint8Array
  /** Its type, which the signed attribute must name if it is there; undefined where nothing has a type. */
  readonly type: string | undefined
}

/**
 * Checks one signature with the certificate it names. Nobody's certificate is trusted or mistrusted here: no chain, no validity.
 *
 * @param certificates in which the one is looked for
 * @throws LogError `verification_failed`, `unsupported`; `invalid_request` when an attribute is malformed
 * @see RFC 2315 section 9.4, RFC 5652 section 5.4
 */
export async function verifyPkcs7Signer(
  signer: Pkcs7Signer,
  content: Pkcs7Content,
  certificates: readonly Certificate[]
): Promise<void> {
  const hash = readPkcs7Hash(signer.digestAlgorithm)
  const signedBytes =
    signer.signedAttributes === undefined ? content.bytes : attributesOver(signer, hash, content)
  await verifySignature(findCertificate(signer, certificates).publicKey, hash, signer, signedBytes)
}

/** Whether this is the certificate that the signer names. */
export function isCertificateOf(
  { issuer, serialNumber }: Certificate,
  signer: Pkcs7Signer
): boolean {
  return serialNumber === signer.serialNumber && equalBytes(issuer, signer.issuer)
}

/** What is signed in place of the content, once it was seen to name the content. */
function attributesOver(
  { signedAttributes }: Pkcs7Signer,
  hash: HashName,
  content: Pkcs7Content
): Uint8Array {
  const digest = findAttribute(signedAttributes, OID_MESSAGE_DIGEST)
  if (digest === undefined) throw failed(`pkcs7: attribute not found: ${OID_MESSAGE_DIGEST}`)
  const label = 'pkcs7: messageDigest'
  if (!equalBytes(readContent(digest, DER_TAG.octetString, label), hashData(hash, content.bytes))) {
    throw failed('pkcs7: content digest does not match')
  }
  const type = findAttribute(signedAttributes, OID_CONTENT_TYPE)
  // Rekor does not look at it. Whoever writes it writes this.
  if (type !== undefined && content.type !== undefined) {
    if (readOid(type, 'pkcs7: contentType') !== content.type) {
      throw failed('pkcs7: content type does not match')
    }
  }
  return (signedAttributes as NonNullable<typeof signedAttributes>).encoded // the caller saw them
}

function findCertificate(signer: Pkcs7Signer, certificates: readonly Certificate[]): Certificate {
  const found = certificates.find((certificate) => isCertificateOf(certificate, signer))
  if (found !== undefined) return found
  const serial = excerpt(signer.serialNumber.toString(16))
  throw failed(`certificate missing from signedData: serial=${serial}`)
}

async function verifySignature(
  key: PublicKey,
  hash: HashName,
  { signatureAlgorithm, signature }: Pkcs7Signer,
  signedBytes: Uint8Array
): Promise<void> {
  const scheme = readPkcs7Scheme(signatureAlgorithm, hash)
  if (scheme.keyType !== key.type) throw failed('incorrect key type for signature')
  if (key.type === 'rsa' && scheme.keyType === 'rsa') {
    if (scheme.padding === 'pss') {
      verifyPss(key, hash, signedBytes, { signature, saltBytes: scheme.saltBytes })
    } else {
      await verifyPkcs1(key, hash, signedBytes, signature)
    }
    return
  }
  if (readEcdsaSignature(signature).encoding !== 'ASN.1') throw failed('invalid ECDSA signature')
  await verifyData(key, hash, signedBytes, signature)
}

async function verifyPkcs1(
  key: RsaPublicKey,
  hash: HashName,
  signedBytes: Uint8Array,
  signature: Uint8Array
): Promise<void> {
  try {
    await verifyData(key, hash, signedBytes, signature)
  } catch (err) {
    // An old authority of timestamps pads the bare digest, without the name of its hash function. Rekor takes that too.
    if (isLogError(err) && isPaddedDigest(key, hashData(hash, signedBytes), signature)) return
    throw err
  }
}

function isPaddedDigest(key: RsaPublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  if (isTooSmall(key) || signature.length !== key.modulusBytes) return false
  try {
    const padding = constants.RSA_PKCS1_PADDING
    return equalBytes(publicDecrypt({ key: key.keyObject, padding }, signature), digest)
  } catch {
    return false // wrong padding, or a number not below the modulus
  }
}

function verifyPss(
  key: RsaPublicKey,
  hash: HashName,
  signedBytes: Uint8Array,
  { signature, saltBytes }: { readonly signature: Uint8Array; readonly saltBytes: number }
): void {
  const padding = constants.RSA_PKCS1_PSS_PADDING
  const options = { key: key.keyObject, padding, saltLength: saltBytes }
  if (isTooSmall(key) || !nativeVerify(hash, signedBytes, options, signature)) {
    throw failed('crypto/rsa: verification error')
  }
}

/** In bits: a modulus of 1017 has as many bytes as one of 1024. */
function isTooSmall({ modulus }: RsaPublicKey): boolean {
  return modulus >> BigInt(MIN_RSA_BITS - 1) === 0n
}

function failed(message: string): LogError {
  return new LogError('verification_failed', message)
}
