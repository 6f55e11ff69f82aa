import {
  DER_TAG,
  type DerElement,
  parseDer,
  readConstructed,
  readInteger,
  readOid
} from '../../encoding/der.js'
import { excerpt } from '../../encoding/text.js'
import { LogError } from '../../errors.js'
import { type Pkcs7, readPkcs7 } from '../../x509/pkcs7.js'

const LABEL = 'tsr'
const OID_SIGNED_DATA = '1.2.840.113549.1.7.2'

/** `granted` and `grantedWithMods`. */
const GRANTED: readonly bigint[] = [0n, 1n]

/**
 * The token of an answer that grants the request, of any authority. Nothing is verified here, nor is it looked at what was
 * signed. What we take of our own kind of answers is in x509/timestamp-response.ts and much stricter.
 *
 *     TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL }
 *     PKIStatusInfo ::= SEQUENCE { status INTEGER, statusString SEQUENCE OF UTF8String OPTIONAL, failInfo BIT STRING OPTIONAL }
 *
 * @throws LogError `invalid_request`; `verification_failed` when the request was not granted
 * @see RFC 3161 section 2.4.2, rekor-v1 §8.11
 */
export function readTimestampToken(der: Uint8Array): Pkcs7 {
  const [info, token, extra] = readConstructed(parseDer(der, LABEL), DER_TAG.sequence, LABEL)
  if (extra !== undefined) throw malformed('tsr: too many fields')
  const status = readStatus(info)
  if (!GRANTED.includes(status)) {
    throw new LogError('verification_failed', `tsr status not granted: ${excerpt(String(status))}`)
  }
  const contentType = token === undefined ? '' : readContentType(token)
  if (contentType !== OID_SIGNED_DATA) throw malformed(`tsr wrong content type: ${contentType}`)
  return readPkcs7(token)
}

function readStatus(info: DerElement | undefined): bigint {
  const label = `${LABEL} status`
  const fields = [...readConstructed(info, DER_TAG.sequence, label)]
  const status = readInteger(fields.shift(), label)
  for (const tag of [DER_TAG.sequence, DER_TAG.bitString]) {
    if (fields[0]?.tag === tag) fields.shift()
  }
  if (fields.length > 0) throw malformed('tsr status: a field that does not belong there')
  return status
}

function readContentType(token: DerElement): string {
  const [type] = readConstructed(token, DER_TAG.sequence, LABEL)
  return readOid(type, LABEL)
}

function malformed(message: string): LogError {
  return new LogError('invalid_request', message)
}
