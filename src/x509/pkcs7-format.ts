import { DER_TAG, parseDer, readConstructed, readOid } from '../encoding/der.js'
import { decodePem, encodePem } from '../encoding/pem.js'
import { decodeUtf8, encodeUtf8, excerpt } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { FormatKey, FormatSignature } from '../keys/signature-format.js'
import { parseCertificate } from './certificate.js'
import { parsePkcs7, type Pkcs7 } from './pkcs7.js'

const OID_EMAIL_ADDRESS = '1.2.840.113549.1.9.1'

/** Strings whose bytes are UTF-8. Those of other kinds are passed over, as are values that are no string at all. */
const TEXT_TAGS: readonly number[] = [
  DER_TAG.utf8String,
  DER_TAG.printableString,
  DER_TAG.ia5String
]

/**
 * Reads PKCS#7 in PEM with the label `PKCS7`, or else in DER.
 *
 * @throws LogError `invalid_request`
 * @see rekor-v1 §7.5
 */
export function decodePkcs7(bytes: Uint8Array): Pkcs7 {
  const block = decodePem(bytes)?.block
  if (block !== undefined && block.type !== 'PKCS7') {
    throw new LogError(
      'invalid_request',
      `unknown PEM block type ${excerpt(block.type)} found during PKCS7 parsing`
    )
  }
  return parsePkcs7(block?.bytes ?? bytes)
}

/** Canonical signature: PEM of the structure without its content. */
export function pkcs7Signature({ detached }: Pkcs7): FormatSignature {
  return { canonical: encodeUtf8(encodePem('PKCS7', detached)) }
}

/**
 * Canonical key: PEM of the first certificate, which need not be the one that signed. Subjects: e-mail addresses of its subject
 * in lower case, then its SANs.
 *
 * @throws LogError `invalid_request` without certificates or when the first is malformed; `unsupported` for its kind of key
 */
export function pkcs7Key({ certificates }: Pkcs7): FormatKey {
  const [der] = certificates
  if (der === undefined) {
    throw new LogError(
      'invalid_request',
      'unable to extract public key from certificate inside PKCS7 bundle'
    )
  }
  const { subject, subjectAltName } = parseCertificate(der)
  return {
    canonical: encodeUtf8(encodePem('CERTIFICATE', der)),
    subjects: [...readEmailAddresses(subject), ...subjectAltName.names]
  }
}

/** @param name DER of a Name that was read before */
function readEmailAddresses(name: Uint8Array): readonly string[] {
  const addresses: string[] = []
  for (const set of parseDer(name).children) {
    for (const attribute of set.children) {
      const [type, value] = readConstructed(attribute, DER_TAG.sequence, 'x509: name')
      if (value === undefined || !TEXT_TAGS.includes(value.tag)) continue
      if (readOid(type, 'x509: name') !== OID_EMAIL_ADDRESS) continue
      addresses.push(decodeUtf8(value.content).toLowerCase())
    }
  }
  return addresses
}
