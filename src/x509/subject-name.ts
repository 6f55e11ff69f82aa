import { DER_TAG, parseDer, readConstructed, readOid } from '../encoding/der.js'
import { decodeUtf8 } from '../encoding/text.js'

/** What people call the holder of a certificate; undefined where the name does not say. */
export interface SubjectNames {
  readonly organization: string | undefined
  readonly commonName: string | undefined
}

const OID_ORGANIZATION = '2.5.4.10'
const OID_COMMON_NAME = '2.5.4.3'

/** Strings whose bytes are UTF-8. The others are of another age, and left out. */
const TEXT_TAGS: readonly number[] = [
  DER_TAG.utf8String,
  DER_TAG.printableString,
  DER_TAG.ia5String
]

/**
 * Organization and common name of a Name. Of several the first counts.
 *
 * @param name DER, as parseCertificate gives it
 * @throws LogError `invalid_request` when malformed
 * @see RFC 5280 section 4.1.2.4
 */
export function readSubjectNames(name: Uint8Array): SubjectNames {
  const label = 'x509: invalid RDNSequence'
  const found = new Map<string, string>()
  for (const set of readConstructed(parseDer(name, label), DER_TAG.sequence, label)) {
    for (const attribute of readConstructed(set, DER_TAG.set, label)) {
      const [type, value] = readConstructed(attribute, DER_TAG.sequence, label)
      const oid = readOid(type, label)
      if (value !== undefined && TEXT_TAGS.includes(value.tag) && !found.has(oid)) {
        found.set(oid, decodeUtf8(value.content))
      }
    }
  }
  return { organization: found.get(OID_ORGANIZATION), commonName: found.get(OID_COMMON_NAME) }
}
