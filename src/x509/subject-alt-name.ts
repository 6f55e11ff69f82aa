import {
  contextTag,
  DER_TAG,
  type DerElement,
  parseDer,
  readConstructed,
  readContent,
  readOid
} from '../encoding/der.js'
import { decodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { Extension } from './certificate.js'

/** otherName under which Fulcio certifies a name of no standard kind, such as a user name. */
const OID_FULCIO_OTHER_NAME = '1.3.6.1.4.1.57264.1.7'

const OTHER_NAME = contextTag(0, 'constructed')
const EMAIL = contextTag(1, 'primitive')
const DNS = contextTag(2, 'primitive')
const URI = contextTag(6, 'primitive')
const IP = contextTag(7, 'primitive')

export interface SubjectAltName {
  /** Every name, in the order Rekor indexes them: DNS, e-mail, IP, URI, Fulcio's otherName. */
  readonly names: readonly string[]
  /** Whether a verifier that knows the four standard kinds found any; if not, a critical extension is unhandled. */
  readonly hasStandardName: boolean
}

/**
 * Names in a SubjectAlternativeName extension. Kinds other than the five are passed over. More than one otherName, or one
 * with another OID, counts as none, as in sigstore.
 *
 * @throws LogError `invalid_request` when a name is malformed
 * @see RFC 5280 section 4.2.1.6, rekor-v1 §7.1
 */
export function parseSubjectAltName(extension: Extension | undefined): SubjectAltName {
  if (extension === undefined) return { names: [], hasStandardName: false }
  const label = 'x509: invalid subject alternative names'
  const elements = readConstructed(parseDer(extension.value, label), DER_TAG.sequence, label)
  const of = (tag: number): readonly DerElement[] =>
    elements.filter((element) => element.tag === tag)
  const standard = [
    ...of(DNS).map((element) => ascii(element, 'dNSName')),
    ...of(EMAIL).map((element) => ascii(element, 'rfc822Name')),
    ...of(IP).map(({ content }) => formatIp(content)),
    ...of(URI).map((element) => ascii(element, 'uniformResourceIdentifier'))
  ]
  const otherName = readOtherName(of(OTHER_NAME))
  return {
    names: otherName === '' ? standard : [...standard, otherName],
    hasStandardName: standard.length > 0
  }
}

function ascii({ content }: DerElement, kind: string): string {
  if (content.some((byte) => byte > 0x7f)) {
    throw new LogError('invalid_request', `x509: SAN ${kind} is malformed`)
  }
  return decodeUtf8(content)
}

/** `[0] { type-id OBJECT IDENTIFIER, value [0] EXPLICIT UTF8String }`, or the empty text when there is not exactly one. */
function readOtherName(elements: readonly DerElement[]): string {
  const [only, second] = elements
  if (only === undefined || second !== undefined) return ''
  try {
    const [oid, wrapper] = only.children
    if (readOid(oid, 'otherName') !== OID_FULCIO_OTHER_NAME) return ''
    const [value] = readConstructed(wrapper, OTHER_NAME, 'otherName')
    return decodeUtf8(readContent(value, DER_TAG.utf8String, 'otherName'))
  } catch {
    return ''
  }
}

/** Text of 4 or 16 address bytes. @throws LogError `invalid_request` */
function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) {
    throw new LogError('invalid_request', `x509: cannot parse IP address of length ${bytes.length}`)
  }
  if (
    bytes.subarray(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff &&
    bytes[11] === 0xff
  ) {
    throw new LogError('invalid_request', 'x509: SAN iPAddress contains IPv4-mapped IPv6 address')
  }
  return formatIpv6(bytes)
}

/** @see RFC 5952 section 4: the longest run of two or more zero groups, the first of equals, becomes `::` */
function formatIpv6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16))
  let best = { start: 0, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
  }
  if (best.length < 2) return groups.join(':')
  const head = groups.slice(0, best.start).join(':')
  return `${head}::${groups.slice(best.start + best.length).join(':')}`
}
