import {
  contextTag,
  DER_TAG,
  type DerElement,
  encodeDer,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger,
  parseDer,
  readBoolean,
  readConstructed,
  readContent,
  readInteger,
  readIntegerContent,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import { encodeMessageImprint, type MessageImprint, readMessageImprint } from './message-imprint.js'

/** What a client wants a timestamp for. */
export interface TimestampRequest {
  readonly imprint: MessageImprint
  /** Dotted; the authority's own where the client does not care. */
  readonly policyOid: string | undefined
  /** Content of its INTEGER, of any length and sign, to be handed back unread. */
  readonly nonce: Uint8Array | undefined
  /** Whether the answer must carry certificates. */
  readonly wantsCertificates: boolean
  /** Each a whole Extension, as it stands. */
  readonly extensions: readonly Uint8Array[]
}

const LABEL = 'timestamp request'
const EXTENSIONS_TAG = contextTag(0, 'constructed')

/**
 * Reads a request in DER.
 *
 *     TimeStampReq ::= SEQUENCE {
 *       version INTEGER { v1(1) }, messageImprint MessageImprint, reqPolicy OBJECT IDENTIFIER OPTIONAL,
 *       nonce INTEGER OPTIONAL, certReq BOOLEAN DEFAULT FALSE, extensions [0] IMPLICIT Extensions OPTIONAL }
 *
 * A certReq of FALSE passes although DER leaves defaults out, because clients write it.
 *
 * @throws LogError `invalid_request` when malformed or of an unknown hash; `unsupported`, `verification_failed` with texts
 *   that clients know, see checkMessageImprint
 * @see RFC 3161 section 2.4.1
 */
export function parseTimestampRequest(der: Uint8Array): TimestampRequest {
  const fields = [...readConstructed(parseDer(der, LABEL), DER_TAG.sequence, LABEL)]
  const version = readInteger(fields.shift(), `${LABEL}: version`)
  if (version !== 1n) throw malformed('version is not 1')
  const imprint = readMessageImprint(fields.shift(), `${LABEL}: messageImprint`)
  const policyOid = next(fields, DER_TAG.oid, (field) => readOid(field, `${LABEL}: reqPolicy`))
  const nonce = next(fields, DER_TAG.integer, (field) =>
    readIntegerContent(field, `${LABEL}: nonce`)
  )
  const certReq = next(fields, DER_TAG.boolean, (field) => readBoolean(field, `${LABEL}: certReq`))
  const extensions = next(fields, EXTENSIONS_TAG, readRequestExtensions)
  if (fields.length > 0) throw malformed('a field that does not belong there')
  return {
    imprint,
    policyOid,
    nonce,
    wantsCertificates: certReq ?? false,
    extensions: extensions ?? []
  }
}

/** DER of a request, as a client sends it. */
export function encodeTimestampRequest(request: TimestampRequest): Uint8Array {
  const { imprint, policyOid, nonce, wantsCertificates, extensions } = request
  return encodeSequence(
    encodeUnsignedInteger(1n),
    encodeMessageImprint(imprint),
    ...(policyOid === undefined ? [] : [encodeOid(policyOid)]),
    ...(nonce === undefined ? [] : [encodeDer(DER_TAG.integer, nonce)]),
    ...(wantsCertificates ? [encodeDer(DER_TAG.boolean, Uint8Array.of(0xff))] : []),
    ...(extensions.length === 0 ? [] : [encodeDer(EXTENSIONS_TAG, ...extensions)])
  )
}

/** Takes the next field off the list if it has this tag. */
function next<Value>(
  fields: DerElement[],
  tag: number,
  read: (field: DerElement) => Value
): Value | undefined {
  const [field] = fields
  if (field?.tag !== tag) return undefined
  fields.shift()
  return read(field)
}

function readRequestExtensions({ content, children }: DerElement): readonly Uint8Array[] {
  if (content.length === 0) throw malformed('extensions: empty')
  return readExtensionList(children, `${LABEL}: extensions`)
}

/**
 * Extensions as they stand, none twice.
 *
 *     Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
 *
 * @throws LogError `invalid_request`
 */
export function readExtensionList(
  elements: readonly DerElement[],
  label: string
): readonly Uint8Array[] {
  const seen = new Set<string>()
  for (const element of elements) {
    const [oid, ...others] = readConstructed(element, DER_TAG.sequence, label)
    const value = others.pop()
    const [critical, extra] = others
    // FALSE is the default, which DER leaves out.
    if (extra !== undefined || (critical !== undefined && !readBoolean(critical, label))) {
      throw new LogError('invalid_request', `${label}: malformed extension`)
    }
    readContent(value, DER_TAG.octetString, label)
    const name = readOid(oid, label)
    if (seen.has(name))
      throw new LogError('invalid_request', `${label}: ${name} stands there twice`)
    seen.add(name)
  }
  return elements.map(({ encoded }) => encoded)
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
