import { DER_TAG, parseDer, readConstructed, readOid } from '../encoding/der.js'
import { type Certificate, findExtension } from './certificate.js'

export const OID_EXTENDED_KEY_USAGE = '2.5.29.37'

/** Purpose id-kp-codeSigning, which every certificate of Fulcio has. */
export const OID_CODE_SIGNING = '1.3.6.1.5.5.7.3.3'

/**
 * Purposes a certificate is limited to; undefined without the extension, which sets no limit.
 *
 *     ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId
 *
 * @returns OIDs in their order
 * @throws LogError `invalid_request` when the extension is malformed
 * @see RFC 5280 section 4.2.1.12
 */
export function extendedKeyUsagesOf(
  certificate: Pick<Certificate, 'extensions'>
): readonly string[] | undefined {
  const extension = findExtension(certificate.extensions, OID_EXTENDED_KEY_USAGE)
  if (extension === undefined) return undefined
  const label = 'x509: invalid extended key usages'
  const purposes = readConstructed(parseDer(extension.value, label), DER_TAG.sequence, label)
  return purposes.map((purpose) => readOid(purpose, label))
}
