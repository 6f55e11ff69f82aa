import { equalBytes } from '../encoding/bytes.js'
import { isLogError, LogError } from '../errors.js'
import { type Certificate, parseCertificate } from './certificate.js'
import { isCertificateOf, verifyPkcs7Signer } from './pkcs7-signer.js'
import { verifyPkcs7Timestamp } from './pkcs7-timestamp.js'
import type { Pkcs7 } from './pkcs7.js'

/**
 * Checks every signature and every timestamp of a PKCS#7 with the certificates that came along, of which no one need be
 * trusted.
 *
 * @param external what is signed, where it did not come along; both must agree if it did
 * @throws LogError `verification_failed`, `unsupported`; `invalid_request` when a certificate or attribute is malformed
 * @see rekor-v1 §8.7
 */
export async function verifyPkcs7(pkcs7: Pkcs7, external?: Uint8Array): Promise<void> {
  const content = pkcs7.content ?? external
  if (content === undefined) throw failed('pkcs7: missing content')
  if (external !== undefined && !equalBytes(external, content)) {
    throw failed('pkcs7: internal and external content were both provided but are not equal')
  }
  if (pkcs7.signers.length === 0) throw failed('pkcs7 contains no signatures')
  const { certificates, refusal } = readCertificates(pkcs7)
  for (const signer of pkcs7.signers) {
    const isThere = certificates.some((certificate) => isCertificateOf(certificate, signer))
    if (!isThere && refusal !== undefined) throw refusal
    await verifyPkcs7Signer(signer, { bytes: content, type: pkcs7.contentType }, certificates)
    await verifyPkcs7Timestamp(signer, certificates)
  }
}

/**
 * Certificates of a PKCS#7 that can sign. Those with a key of a kind we do not verify with, such as DSA of an old root, are
 * left out: `refusal` is why.
 *
 * @throws LogError `invalid_request` when one is malformed
 */
function readCertificates(pkcs7: Pkcs7): {
  readonly certificates: readonly Certificate[]
  readonly refusal: LogError | undefined
} {
  const certificates: Certificate[] = []
  let refusal: LogError | undefined
  for (const der of pkcs7.certificates) {
    try {
      certificates.push(parseCertificate(der))
    } catch (err) {
      if (!isLogError(err) || err.code !== 'unsupported') throw err
      refusal = err
    }
  }
  return { certificates, refusal }
}

function failed(message: string): LogError {
  return new LogError('verification_failed', message)
}
