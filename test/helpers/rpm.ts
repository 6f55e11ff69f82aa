/** Builds RPM packages octet by octet, so that tests can make what no well-behaved software writes. */
import { createHash } from 'node:crypto'
import { bytes, signData, uint, utf8, type SignatureOptions, type TestKey } from './pgp.js'

/** One value of a header. Integers from -2^31 to 2^32 - 1. */
export interface TestTag {
  readonly tag: number
  readonly type: number
  readonly data: Uint8Array
  /** As declared; 1 if not given. */
  readonly count?: number
  /** As declared; where the data are put if not given. */
  readonly offset?: number
}

export const text = (tag: number, ...values: string[]): TestTag => ({
  tag,
  type: values.length === 1 ? 6 : 8,
  count: values.length,
  data: bytes(...values.map((value) => bytes(utf8(value), 0)))
})
export const binary = (tag: number, data: Uint8Array): TestTag => ({
  tag,
  type: 7,
  count: data.length,
  data
})
export const int32 = (tag: number, ...values: number[]): TestTag => ({
  tag,
  type: 4,
  count: values.length,
  data: bytes(...values.map((value) => uint(value, 4)))
})

/** Two's complement where it is negative. */
const signed = (value: number): Uint8Array => uint(value < 0 ? value + 2 ** 32 : value, 4)

export interface HeaderOptions {
  readonly magic?: Uint8Array
  /** As declared. */
  readonly entries?: number
  /** As declared. */
  readonly dataBytes?: number
}

export const HEADER_MAGIC = bytes(0x8e, 0xad, 0xe8, 0x01)

/** A header structure with its values one after the other. */
export function makeHeader(tags: readonly TestTag[], options: HeaderOptions = {}): Uint8Array {
  let length = 0
  const index = tags.map(({ tag, type, data, count = 1, offset = length }) => {
    length += data.length
    return bytes(signed(tag), signed(type), signed(offset), signed(count))
  })
  return bytes(
    options.magic ?? HEADER_MAGIC,
    uint(0, 4),
    signed(options.entries ?? tags.length),
    signed(options.dataBytes ?? length),
    ...index,
    ...tags.map(({ data }) => data)
  )
}

export const LEAD = bytes(0xed, 0xab, 0xee, 0xdb, 3, 0, new Uint8Array(90))
export const PAYLOAD = utf8('not really a compressed archive')

/** Name, version, release, architecture. */
export const NAMES: readonly TestTag[] = [
  text(1000, 'hello'),
  text(1001, '2.12'),
  text(1002, '3.fc40'),
  text(1022, 'x86_64')
]

export const hexDigest = (algorithm: string, ...parts: Uint8Array[]): string =>
  createHash(algorithm)
    .update(bytes(...parts))
    .digest('hex')

/** Tags of a payload digest by SHA-256. */
export const payloadDigest = (payload: Uint8Array): readonly TestTag[] => [
  text(5092, hexDigest('sha256', payload)),
  int32(5093, 8)
]

export interface RpmOptions {
  /** Of the header. */
  readonly tags?: readonly TestTag[]
  readonly payload?: Uint8Array
  /** Values of the signature header, given what is to be signed. */
  readonly signatures?: (header: Uint8Array, payload: Uint8Array) => readonly TestTag[]
}

/** A whole package; without `signatures` an unsigned one. */
export function makeRpm(options: RpmOptions = {}): Uint8Array {
  const { payload = PAYLOAD, signatures = () => [] } = options
  const header = makeHeader(options.tags ?? [...NAMES, ...payloadDigest(payload)])
  return joinRpm(makeHeader(signatures(header, payload)), header, payload)
}

export function joinRpm(
  signatureHeader: Uint8Array,
  header: Uint8Array,
  payload: Uint8Array = PAYLOAD
): Uint8Array {
  return bytes(LEAD, signatureHeader, new Uint8Array(-signatureHeader.length & 7), header, payload)
}

/** Signatures as rpmsign makes them: over the header, and over all. */
export const signedBy =
  (key: TestKey, options: SignatureOptions = {}): NonNullable<RpmOptions['signatures']> =>
  (header, payload) => [
    binary(268, signData(key, header, options)),
    text(273, hexDigest('sha256', header)),
    binary(1002, signData(key, bytes(header, payload), options))
  ]
