import {
  buildSubjectAltName,
  FULCIO_EXTENSION_NAMES,
  type FulcioExtensionValues,
  type SubjectName
} from '../../x509/fulcio-extensions.js'
import { encodeUtf8 } from '../../encoding/text.js'
import { formatGoUri, type GoUri, parseGoUri } from './go-uri.js'
import { refuseCertificate } from './refusal.js'

/** Longest text in a certificate, in bytes of UTF-8. The longest in use are URIs of some hundred. */
export const MAX_CERTIFICATE_TEXT_BYTES = 2048

/** Who a token is about. */
export interface Principal {
  /** What the client signs as proof of possession: the e-mail address or the subject. */
  readonly challenge: string
  /**
   * What the certificate will say. Apart from the rest because Fulcio finds some mistakes only here, after the proof of
   * possession.
   *
   * @throws LogError `invalid_request` with the text clients are shown
   */
  readonly buildIdentity: () => CertificateIdentity
}

export interface CertificateIdentity {
  readonly subjectAlternativeName: SubjectName
  readonly extensions: FulcioExtensionValues
}

/**
 * A principal whose texts are checked when they are built: not too long, no control characters, a URI or address that can
 * stand in a certificate. The texts come from whoever may write claims.
 */
export function createPrincipal(
  challenge: string,
  buildIdentity: () => CertificateIdentity
): Principal {
  return {
    challenge,
    buildIdentity() {
      const identity = buildIdentity()
      const { subjectAlternativeName, extensions } = identity
      assertCertificateText('subject alternative name', subjectAlternativeName.value)
      buildSubjectAltName(subjectAlternativeName) // refuses what is not ASCII, with the text of Go
      for (const name of FULCIO_EXTENSION_NAMES) assertCertificateText(name, extensions[name] ?? '')
      return identity
    }
  }
}

/** @throws LogError `invalid_request` */
function assertCertificateText(name: string, text: string): void {
  if (/[\0-\x1f\x7f-\x9f]/.test(text)) throw refuseCertificate(`${name} has a control character`)
  if (!text.isWellFormed()) throw refuseCertificate(`${name} is not well-formed Unicode`)
  const { length } = encodeUtf8(text)
  if (length > MAX_CERTIFICATE_TEXT_BYTES) {
    throw refuseCertificate(
      `${name} of ${length} bytes is longer than ${MAX_CERTIFICATE_TEXT_BYTES}`
    )
  }
}

/**
 * Name of a certificate that is a URI, read and written as Go would. Blanks are refused: escaping them, as Go does, would
 * give two claims one identity.
 *
 * @throws LogError `invalid_request`
 */
export function uriName(uri: GoUri | string): SubjectName {
  const parts = typeof uri === 'string' ? parseGoUri(uri) : uri
  const value = formatGoUri(parts)
  const quoted = JSON.stringify(value)
  if (parts.scheme === '') throw refuseCertificate(`URI ${quoted} has no scheme`)
  // Go's verifiers cannot read a certificate with such a host.
  const host = parts.host.replace(/:\d*$/, '')
  if (parts.hasAuthority && host.split('.').includes('')) {
    throw refuseCertificate(`URI ${quoted} has an empty label in its host`)
  }
  if (value.includes(' ')) throw refuseCertificate(`URI ${quoted} has a blank`)
  return { kind: 'uniformResourceIdentifier', value }
}

/** Text of a URI for an extension. @throws LogError `invalid_request` unless it is printable ASCII */
export function uriText(uri: GoUri): string {
  const text = formatGoUri(uri)
  if (!/^[\x21-\x7e]*$/.test(text)) {
    throw refuseCertificate(`URI ${JSON.stringify(text)} has characters that must be escaped`)
  }
  return text
}
