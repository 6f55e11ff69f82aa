import { DER_TAG, encodeDer, parseDer, readContent } from '../encoding/der.js'
import { createTlsReader, encodeTlsOpaque16 } from '../encoding/tls.js'
import { LogError } from '../errors.js'
import { encodeSct, parseSct, type SignedCertificateTimestamp } from './sct.js'

/** Extension of a certificate with the timestamps of its precertificate; not critical. */
export const OID_SCT_LIST = '1.3.6.1.4.1.11129.2.4.2'

const LABEL = 'sct list'

/**
 * Value of the extension, which goes into the OCTET STRING every extension has: another OCTET STRING and the list in it.
 *
 *     opaque SerializedSCT<1..2^16-1>;
 *     struct { SerializedSCT sct_list <1..2^16-1>; } SignedCertificateTimestampList;
 *
 * @param scts one at least
 * @throws LogError `invalid_request` when there is none, one cannot be written, or all together are too long
 * @see RFC 6962 section 3.3
 */
export function encodeSctList(scts: readonly SignedCertificateTimestamp[]): Uint8Array {
  assertNotEmpty(scts.length)
  const serialized = scts.map((sct) => encodeTlsOpaque16(encodeSct(sct), LABEL))
  return encodeDer(DER_TAG.octetString, encodeTlsOpaque16(serialized, LABEL))
}

/**
 * Reads the value of the extension. No signature in it is checked.
 *
 * @returns one at least
 * @throws LogError `invalid_request` when malformed or empty, `unsupported` when one is of another version or algorithm
 */
export function parseSctList(value: Uint8Array): readonly SignedCertificateTimestamp[] {
  const content = readContent(parseDer(value, LABEL), DER_TAG.octetString, LABEL)
  const reader = createTlsReader(content, LABEL)
  const list = createTlsReader(reader.opaque16(), LABEL)
  reader.end()
  const scts: SignedCertificateTimestamp[] = []
  while (list.remaining > 0) scts.push(parseSct(list.opaque16()))
  assertNotEmpty(scts.length)
  return scts
}

function assertNotEmpty(count: number): void {
  if (count === 0) throw new LogError('invalid_request', `${LABEL}: empty`)
}
