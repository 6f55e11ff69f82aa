import { equalBytes } from '../encoding/bytes.js'
import { encodeNull } from '../encoding/der.js'
import { LogError } from '../errors.js'
import { hashData } from '../keys/verify.js'
import { type Certificate, type Extension, findExtension } from './certificate.js'
import { extendedKeyUsagesOf } from './extended-key-usage.js'
import type { CtSignedEntry } from './merkle-tree-leaf.js'
import { removeExtension } from './remove-extension.js'
import { OID_SCT_LIST } from './sct-list.js'

export const OID_PRECERTIFICATE_POISON = '1.3.6.1.4.1.11129.2.4.3'

/** What makes a precertificate useless as a certificate. @see RFC 6962 section 3.1 */
export const POISON_EXTENSION: Extension = {
  oid: OID_PRECERTIFICATE_POISON,
  critical: true,
  value: encodeNull()
}

/** Purpose of a Precertificate Signing Certificate. */
const OID_PRECERTIFICATE_SIGNING = '1.3.6.1.4.1.11129.2.4.4'

/** @throws LogError `invalid_request` when it has the poison extension, but not as RFC 6962 section 3.1 has it */
export function isPrecertificate(certificate: Pick<Certificate, 'extensions'>): boolean {
  const poison = findExtension(certificate.extensions, OID_PRECERTIFICATE_POISON)
  if (poison === undefined) return false
  if (!poison.critical || !equalBytes(poison.value, POISON_EXTENSION.value)) {
    throw new LogError(
      'invalid_request',
      'x509: precertificate poison must be critical and hold NULL'
    )
  }
  return true
}

/**
 * What a log signs for a certificate or precertificate that was submitted. Their signatures are not checked.
 *
 * @param issuer the certificate after it in the chain; of a self-signed one, itself
 * @throws LogError `invalid_request` when the poison is malformed; `unsupported` when a Precertificate Signing Certificate
 *   issued it: what is signed would then have another issuer in it
 * @see RFC 6962 section 3.2
 */
export function ctEntryOf(submitted: Certificate, issuer: Certificate): CtSignedEntry {
  if (!isPrecertificate(submitted)) return { kind: 'certificate', certificate: submitted.der }
  if (extendedKeyUsagesOf(issuer)?.includes(OID_PRECERTIFICATE_SIGNING)) {
    throw new LogError(
      'unsupported',
      'x509: precertificate issued by a Precertificate Signing Certificate'
    )
  }
  return precertificateEntry(removeExtension(submitted.tbs, OID_PRECERTIFICATE_POISON), issuer)
}

/**
 * What the timestamps inside a certificate were made for, as a verifier rebuilds it: the entry of its precertificate.
 *
 * @param issuer of the certificate; nothing is checked of it
 * @throws LogError `invalid_request` when there are no timestamps in it, or it is a precertificate itself
 * @see RFC 6962 section 3.2
 */
export function precertificateEntryOfCertificate(
  certificate: Certificate,
  issuer: Certificate
): CtSignedEntry {
  if (isPrecertificate(certificate)) {
    throw new LogError('invalid_request', 'x509: precertificate in place of a certificate')
  }
  return precertificateEntry(removeExtension(certificate.tbs, OID_SCT_LIST), issuer)
}

/** @param tbsCertificate DER, without poison and without timestamps @param issuer nothing is checked of it */
export function precertificateEntry(
  tbsCertificate: Uint8Array,
  issuer: Pick<Certificate, 'publicKey'>
): CtSignedEntry {
  // RFC 6962 hashes the key as it stands in the certificate; parseCertificate has made sure that this is the same.
  const issuerKeyHash = hashData('sha256', issuer.publicKey.spki)
  return { kind: 'precertificate', issuerKeyHash, tbsCertificate }
}
