import {
  contextTag,
  DER_TAG,
  type DerElement,
  encodeDer,
  encodeGeneralizedTime,
  encodeOid,
  encodeSequence,
  encodeUnsignedBytes,
  encodeUnsignedInteger,
  parseDer,
  readBoolean,
  readConstructed,
  readContent,
  readInteger,
  readIntegerContent,
  readOid,
  readTimeSeconds
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import { encodeMessageImprint, type MessageImprint, readMessageImprint } from './message-imprint.js'
import { readExtensionList } from './timestamp-request.js'

/** What one timestamp of ours says. */
export interface TstInfoFields {
  readonly policyOid: string
  readonly imprint: MessageImprint
  /** Big-endian and not negative; leading zeros do not count. */
  readonly serialNumber: Uint8Array
  /** Whole seconds since the epoch. */
  readonly genTimeSeconds: number
  /** Whole seconds, 1 or more; undefined: nothing is said. */
  readonly accuracySeconds: number | undefined
  /** Content of its INTEGER. */
  readonly nonce: Uint8Array | undefined
  /** DER of the Name of the authority. */
  readonly authorityName: Uint8Array
  readonly extensions: readonly Uint8Array[]
}

/** What a timestamp says, of any authority. */
export interface TstInfo {
  /** As it was signed. */
  readonly der: Uint8Array
  readonly policyOid: string
  readonly imprint: MessageImprint
  /** Content of its INTEGER. Some authorities have negative ones. */
  readonly serialNumber: Uint8Array
  /** Milliseconds since the epoch, rounded down. */
  readonly genTimeMs: number
  /** Rounded up; undefined where nothing is said. */
  readonly accuracyMs: number | undefined
  readonly ordering: boolean
  readonly nonce: Uint8Array | undefined
  /** DER of the GeneralName. */
  readonly authorityName: Uint8Array | undefined
  readonly extensions: readonly Uint8Array[]
}

const LABEL = 'timestamp'
const NAME_TAG = contextTag(0, 'constructed')
const EXTENSIONS_TAG = contextTag(1, 'constructed')
const VERSION_1 = encodeUnsignedInteger(1n)

/**
 *     TSTInfo ::= SEQUENCE {
 *       version INTEGER { v1(1) }, policy OBJECT IDENTIFIER, messageImprint MessageImprint, serialNumber INTEGER,
 *       genTime GeneralizedTime, accuracy Accuracy OPTIONAL, ordering BOOLEAN DEFAULT FALSE, nonce INTEGER OPTIONAL,
 *       tsa [0] EXPLICIT GeneralName OPTIONAL, extensions [1] IMPLICIT Extensions OPTIONAL }
 *
 * Without fraction of seconds, which readers disagree about, and without ordering.
 *
 * @see RFC 3161 section 2.4.2, ct-and-tsa §C3
 */
export function encodeTstInfo(fields: TstInfoFields): Uint8Array {
  const { accuracySeconds, nonce, extensions } = fields
  return encodeSequence(
    VERSION_1,
    encodeOid(fields.policyOid),
    encodeMessageImprint(fields.imprint),
    encodeUnsignedBytes(fields.serialNumber),
    encodeGeneralizedTime(fields.genTimeSeconds),
    ...(accuracySeconds === undefined
      ? []
      : [encodeSequence(encodeUnsignedInteger(BigInt(accuracySeconds)))]),
    ...(nonce === undefined ? [] : [encodeDer(DER_TAG.integer, nonce)]),
    // GeneralName: directoryName [4], explicit because Name is a choice.
    encodeDer(NAME_TAG, encodeDer(contextTag(4, 'constructed'), fields.authorityName)),
    ...(extensions.length === 0 ? [] : [encodeDer(EXTENSIONS_TAG, ...extensions)])
  )
}

/** @throws LogError `invalid_request`, `unsupported`, `verification_failed` as readMessageImprint */
export function parseTstInfo(der: Uint8Array): TstInfo {
  const fields = [...readConstructed(parseDer(der, LABEL), DER_TAG.sequence, LABEL)]
  const take = (tag: number): DerElement | undefined =>
    fields[0]?.tag === tag ? fields.shift() : undefined

  if (readInteger(fields.shift(), `${LABEL}: version`) !== 1n) throw malformed('version is not 1')
  const policyOid = readOid(fields.shift(), `${LABEL}: policy`)
  const imprint = readMessageImprint(fields.shift(), `${LABEL}: messageImprint`)
  const serialNumber = readIntegerContent(fields.shift(), `${LABEL}: serialNumber`)
  const genTimeMs = readGenTimeMs(fields.shift())
  const accuracy = take(DER_TAG.sequence)
  const ordering = take(DER_TAG.boolean)
  const nonce = take(DER_TAG.integer)
  const name = take(NAME_TAG)
  const extensions = take(EXTENSIONS_TAG)
  if (fields.length > 0) throw malformed('a field that does not belong there')
  return {
    der,
    policyOid,
    imprint,
    serialNumber,
    genTimeMs,
    accuracyMs: accuracy === undefined ? undefined : readAccuracyMs(accuracy),
    ordering: ordering !== undefined && readBoolean(ordering, `${LABEL}: ordering`),
    nonce: nonce === undefined ? undefined : readIntegerContent(nonce, `${LABEL}: nonce`),
    authorityName: name === undefined ? undefined : readGeneralName(name),
    extensions: readExtensionList(extensions?.children ?? [], `${LABEL}: extensions`)
  }
}

/** GeneralizedTime in UTC, with a fraction of seconds that does not end in zero, if there is one. */
function readGenTimeMs(element: DerElement | undefined): number {
  const label = `${LABEL}: genTime`
  const content = readContent(element, DER_TAG.generalizedTime, label)
  const text = String.fromCharCode(...content.subarray(0, 32))
  const fraction = /^\d{14}\.(\d{0,9}[1-9])Z$/.exec(text)?.[1]
  const whole = fraction === undefined ? content : wholeSeconds(content)
  const seconds = readTimeSeconds(timeElement(whole), label)
  return seconds * 1000 + Number((fraction ?? '').padEnd(3, '0').slice(0, 3))
}

function wholeSeconds(content: Uint8Array): Uint8Array {
  return Uint8Array.of(...content.subarray(0, 14), 0x5a) // 'Z'
}

function timeElement(content: Uint8Array): DerElement {
  return { tag: DER_TAG.generalizedTime, content, encoded: content, children: [] }
}

/**
 * `Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] INTEGER (1..999) OPTIONAL, micros [1] INTEGER (1..999)
 * OPTIONAL }`
 */
function readAccuracyMs({ children }: DerElement): number {
  const label = `${LABEL}: accuracy`
  const parts = [...children]
  const part = (tag: number, limit: bigint): number => {
    const [first] = parts
    if (first?.tag !== tag) return 0
    parts.shift()
    const { encoded, content, children } = first
    const value = readInteger({ tag: DER_TAG.integer, encoded, content, children }, label)
    if (value < 0n || value > limit) throw malformed('accuracy out of range')
    return Number(value)
  }
  const seconds = part(DER_TAG.integer, 1_000_000_000n)
  const millis = part(contextTag(0, 'primitive'), 999n)
  const micros = part(contextTag(1, 'primitive'), 999n)
  if (parts.length > 0) throw malformed('accuracy: a field that does not belong there')
  return seconds * 1000 + millis + (micros > 0 ? 1 : 0)
}

function readGeneralName({ children }: DerElement): Uint8Array {
  const [name, extra] = children
  if (name === undefined || extra !== undefined) throw malformed('tsa is not one name')
  return name.encoded
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
