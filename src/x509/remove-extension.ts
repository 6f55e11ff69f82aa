import {
  contextTag,
  DER_TAG,
  type DerElement,
  encodeDer,
  encodeSequence,
  parseDer,
  readConstructed,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'

const LABEL = 'x509: malformed tbs certificate'

/**
 * TBSCertificate without one of its extensions. Everything else stays as it is, byte for byte and in place; only the
 * lengths of what was around the extension are written anew. Where it was the only one, the list goes with it.
 *
 *     TBSCertificate ::= SEQUENCE { …, extensions [3] EXPLICIT SEQUENCE SIZE (1..MAX) OF Extension OPTIONAL }
 *
 * @param tbs DER
 * @param oid of the extension, dotted
 * @throws LogError `invalid_request` when there is no such extension, or more than one, or the DER is malformed
 * @see RFC 6962 section 3.2
 */
export function removeExtension(tbs: Uint8Array, oid: string): Uint8Array {
  const fields = [...readConstructed(parseDer(tbs, LABEL), DER_TAG.sequence, LABEL)]
  const wrapperTag = contextTag(3, 'constructed')
  const wrapper = fields.pop()
  const [list, extra] = wrapper?.tag === wrapperTag ? wrapper.children : []
  if (list === undefined || extra !== undefined) throw malformed('no list of extensions at its end')
  const extensions = readConstructed(list, DER_TAG.sequence, LABEL)
  const kept = extensions.filter((extension) => oidOf(extension) !== oid)
  if (kept.length !== extensions.length - 1) {
    throw malformed(`${extensions.length - kept.length} extensions ${oid}, not one`)
  }
  const before = fields.map(({ encoded }) => encoded)
  if (kept.length === 0) return encodeSequence(...before)
  const shorter = encodeSequence(...kept.map(({ encoded }) => encoded))
  return encodeSequence(...before, encodeDer(wrapperTag, shorter))
}

function oidOf(extension: DerElement): string {
  const [oid] = readConstructed(extension, DER_TAG.sequence, LABEL)
  return readOid(oid, LABEL)
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
