import { concatBytes } from '../encoding/bytes.js'
import { createTlsReader, encodeTlsOpaque24, type TlsReader } from '../encoding/tls.js'
import { LogError } from '../errors.js'

/** What `get-entries` tells beside a leaf, so that anybody can check why it was taken. */
export type CtExtraData =
  | {
      readonly kind: 'certificate'
      /** DER of the certificates after the submitted one, the root last. */
      readonly chain: readonly Uint8Array[]
    }
  | {
      readonly kind: 'precertificate'
      /** DER as submitted, with its poison. */
      readonly precertificate: Uint8Array
      /** DER of the certificates after it, the root last. */
      readonly chain: readonly Uint8Array[]
    }

const LABEL = 'extra data'

/**
 * Bytes of `extra_data`.
 *
 *     ASN.1Cert certificate_chain<0..2^24-1>;                                                       -- x509_entry
 *     struct { ASN.1Cert pre_certificate; ASN.1Cert precertificate_chain<0..2^24-1>; } PrecertChainEntry;
 *
 * @throws LogError `invalid_request` when a certificate is empty, or too long, or all together are
 * @see RFC 6962 sections 3.1 and 4.6
 */
export function encodeExtraData(extraData: CtExtraData): Uint8Array {
  const chain = encodeCertificateList(extraData.chain)
  if (extraData.kind === 'certificate') return chain
  return concatBytes(encodeCertificate(extraData.precertificate), chain)
}

/** @throws LogError `invalid_request` when malformed. That there are certificates in it is not checked. */
export function parseExtraData(kind: CtExtraData['kind'], bytes: Uint8Array): CtExtraData {
  if (kind === 'certificate') return { kind, chain: parseCertificateList(bytes) }
  const reader = createTlsReader(bytes, LABEL)
  const precertificate = readCertificate(reader)
  return { kind, precertificate, chain: parseCertificateList(reader.bytes(reader.remaining)) }
}

/** Bytes of a chain alone: see encodeExtraData. @throws LogError `invalid_request` */
export function encodeCertificateList(chain: readonly Uint8Array[]): Uint8Array {
  return encodeTlsOpaque24(chain.map(encodeCertificate), `${LABEL}: chain`)
}

/** @throws LogError `invalid_request` when malformed */
export function parseCertificateList(bytes: Uint8Array): readonly Uint8Array[] {
  const reader = createTlsReader(bytes, `${LABEL}: chain`)
  const list = createTlsReader(reader.opaque24(), `${LABEL}: chain`)
  reader.end()
  const chain: Uint8Array[] = []
  while (list.remaining > 0) chain.push(readCertificate(list))
  return chain
}

/** `opaque ASN.1Cert<1..2^24-1>` */
function encodeCertificate(certificate: Uint8Array): Uint8Array {
  assertNotEmpty(certificate)
  return encodeTlsOpaque24(certificate, `${LABEL}: certificate`)
}

function readCertificate(reader: TlsReader): Uint8Array {
  const certificate = reader.opaque24()
  assertNotEmpty(certificate)
  return certificate
}

function assertNotEmpty(certificate: Uint8Array): void {
  if (certificate.length === 0) {
    throw new LogError('invalid_request', `${LABEL}: certificate: empty`)
  }
}
