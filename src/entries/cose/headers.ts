import { type CborItem, parseCbor } from '../../encoding/cbor.js'
import { excerpt } from '../../encoding/text.js'
import { LogError } from '../../errors.js'

/** What a header says, by label: an integer or a text. */
export type CoseHeader = ReadonlyMap<bigint | string, CborItem>

/** Both headers of a message or of a countersignature. */
export interface CoseHeaders {
  /** Encoded header as it was signed: what the byte string holds. */
  readonly protectedBytes: Uint8Array
  readonly protectedHeader: CoseHeader
  readonly unprotectedHeader: CoseHeader
}

/** @see RFC 9052 section 3.1, RFC 9338, RFC 9596 */
const LABEL = {
  algorithm: 1n,
  critical: 2n,
  contentType: 3n,
  keyId: 4n,
  iv: 5n,
  partialIv: 6n,
  counterSignature: 7n,
  counterSignature0: 9n,
  counterSignatureV2: 11n,
  counterSignature0V2: 12n,
  type: 16n
}

/** Why a value cannot stand in a header; undefined when it can. */
type Check = (value: CborItem, header: CoseHeader, bucket: Bucket) => string | undefined

type Bucket = 'protected' | 'unprotected'

const bytesCheck =
  (name: string): Check =>
  ({ type }) =>
    type === 'bytes' ? undefined : `${name}: require bstr type`

const onlyUnprotected =
  (name: string, check: Check): Check =>
  (value, header, bucket) =>
    bucket === 'protected' ? `${name}: not allowed` : check(value, header, bucket)

const CHECKS: ReadonlyMap<bigint | string, Check> = new Map<bigint | string, Check>([
  [
    LABEL.algorithm,
    ({ type }) =>
      type === 'integer' || type === 'text' ? undefined : 'alg: require int / tstr type'
  ],
  [LABEL.critical, checkCritical],
  [LABEL.contentType, mediaTypeCheck('content type')],
  [LABEL.keyId, bytesCheck('kid')],
  [LABEL.iv, ivCheck('IV', LABEL.partialIv)],
  [LABEL.partialIv, ivCheck('Partial IV', LABEL.iv)],
  [LABEL.counterSignature, onlyUnprotected('counter signature', counterSignatureCheck)],
  [LABEL.counterSignature0, onlyUnprotected('countersignature0', bytesCheck('countersignature0'))],
  [LABEL.counterSignatureV2, onlyUnprotected('Countersignature version 2', counterSignatureCheck)],
  [
    LABEL.counterSignature0V2,
    onlyUnprotected('Countersignature0 version 2', bytesCheck('Countersignature0 version 2'))
  ],
  [LABEL.type, mediaTypeCheck('type')]
])

/**
 * Reads both headers with the checks go-cose makes, which are more than the signature needs.
 *
 *     Headers = ( protected : bstr .cbor header_map / bstr .size 0, unprotected : header_map )
 *     header_map = { * (int / tstr) => any }
 *
 * @throws LogError `invalid_request`
 * @see RFC 9052 section 3
 */
export function readHeaders(protectedItem: CborItem, unprotectedItem: CborItem): CoseHeaders {
  const { bytes: protectedBytes, header: protectedHeader } = inBucket('protected', () =>
    readProtected(protectedItem)
  )
  const unprotectedHeader = inBucket('unprotected', () => {
    if (unprotectedItem.type !== 'map') throw problem('cbor: unprotected header: require map type')
    return readMap(unprotectedItem, 'unprotected')
  })
  if (protectedHeader.has(LABEL.iv) && unprotectedHeader.has(LABEL.partialIv)) {
    throw problem('IV (protected) and PartialIV (unprotected) parameters must not both be present')
  }
  if (protectedHeader.has(LABEL.partialIv) && unprotectedHeader.has(LABEL.iv)) {
    throw problem('IV (unprotected) and PartialIV (protected) parameters must not both be present')
  }
  return { protectedBytes, protectedHeader, unprotectedHeader }
}

/** What a header says of the algorithm: its number in the registry of COSE, or a name. */
export function algorithmOf(header: CoseHeader): bigint | string | undefined {
  const item = header.get(LABEL.algorithm)
  return item?.type === 'integer' || item?.type === 'text' ? item.value : undefined
}

/** Media type of the payload; undefined where it is absent or a number (of CoAP). */
export function contentTypeOf(header: CoseHeader): string | undefined {
  const item = header.get(LABEL.contentType)
  return item?.type === 'text' ? item.value : undefined
}

function readProtected(item: CborItem): { bytes: Uint8Array; header: CoseHeader } {
  if (item.type === 'null') throw problem('cbor: nil protected header')
  if (item.type !== 'bytes') throw problem('cbor: require bstr type')
  const bytes = item.value
  if (bytes.length === 0) return { bytes, header: new Map() }
  const map = parseCbor(bytes, { tags: 'kept' })
  if (map.type !== 'map') throw problem('cbor: protected header: require map type')
  return { bytes, header: readMap(map, 'protected') }
}

function readMap({ entries }: CborItem & { type: 'map' }, bucket: Bucket): CoseHeader {
  const header = new Map<bigint | string, CborItem>()
  for (const { key, value } of entries) {
    if (key.type !== 'integer' && key.type !== 'text') {
      throw problem('cbor: header label: require int / tstr type')
    }
    header.set(key.value, value)
  }
  for (const [label, value] of header) {
    const wrong = CHECKS.get(label)?.(value, header, bucket)
    if (wrong !== undefined) throw problem(`${bucket} header: header parameter: ${wrong}`)
  }
  return header
}

/**
 * Labels that a reader must understand have to be there. Like Rekor we say so and no more: whoever reads the message
 * later has to understand them, the log only keeps it.
 */
function checkCritical(value: CborItem, header: CoseHeader, bucket: Bucket): string | undefined {
  if (bucket === 'unprotected') return 'crit: not allowed'
  if (value.type !== 'array') return 'crit: invalid crit header'
  if (value.items.length === 0) return 'crit: empty crit header'
  for (const label of value.items) {
    if (label.type !== 'integer' && label.type !== 'text') {
      return `crit: require int / tstr type, got '${label.type}'`
    }
    if (!header.has(label.value))
      return `crit: missing critical header: ${excerpt(String(label.value))}`
  }
  return undefined
}

function mediaTypeCheck(name: string): Check {
  return (value) => {
    if (value.type === 'integer' && value.value >= 0n) return undefined
    if (value.type !== 'text') return `${name}: require tstr / uint type`
    const text = value.value
    if (text === '') return `${name}: require non-empty string`
    if (text.startsWith(' ') || text.endsWith(' ')) {
      return `${name}: require no leading/trailing whitespace`
    }
    return text.split('/', 3).length === 2
      ? undefined
      : `${name}: require text of form type/subtype`
  }
}

function ivCheck(name: string, other: bigint): Check {
  const isBytes = bytesCheck(name)
  return (value, header, bucket) =>
    isBytes(value, header, bucket) ??
    (header.has(other) ? 'IV and PartialIV: parameters must not both be present' : undefined)
}

/** One countersignature or a list of them, whose own signatures nobody checks. */
function counterSignatureCheck(value: CborItem): string | undefined {
  const wrong = 'counter signature is not a Countersignature or a list'
  if (value.type !== 'array') return wrong
  return isCounterSignature(value) || value.items.every(isCounterSignature) ? undefined : wrong
}

/** `COSE_Countersignature = [ Headers, signature : bstr ]` */
function isCounterSignature(item: CborItem): boolean {
  if (item.type !== 'array' || item.items.length !== 3) return false
  const [protectedItem, unprotectedItem, signature] = item.items as [CborItem, CborItem, CborItem]
  if (signature.type !== 'bytes' || signature.value.length === 0) return false
  try {
    readHeaders(protectedItem, unprotectedItem)
    return true
  } catch {
    return false // readHeaders throws nothing but what is wrong with them
  }
}

function inBucket<Result>(bucket: Bucket, read: () => Result): Result {
  try {
    return read()
  } catch (err) {
    throw new LogError(
      'invalid_request',
      `cbor: invalid ${bucket} header: ${(err as LogError).message}`,
      { cause: err }
    )
  }
}

function problem(message: string): LogError {
  return new LogError('invalid_request', message)
}
