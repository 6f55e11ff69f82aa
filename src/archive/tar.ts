import { LogError } from '../errors.js'

// Read as Go's archive/tar does, because that decides what Rekor takes. Sparse files, which no package has, are refused.

/** Most headers of one archive, those of long names and pax records included. */
export const MAX_TAR_HEADERS = 10_000

/** Largest long name or set of pax records, as in Go. In bytes. */
export const MAX_TAR_EXTENSION_BYTES = 1 << 20

const BLOCK_BYTES = 512

/**
 * x: pax records of the next file. L: its name. K: the long target of a link. g: records for all files, none of which Go takes
 * over.
 */
const EXTENSION_TYPES: readonly string[] = ['x', 'L', 'K', 'g']

export interface TarFile {
  /** One character a byte, whatever its encoding. */
  readonly name: string
  /** As the header states it; content that is not there is an error when the next file is asked for. In bytes. */
  readonly size: number
  /** A view of what is there of it. Empty for links, directories and devices. */
  readonly content: Uint8Array
}

interface Header {
  readonly type: string
  readonly name: string
  readonly size: number
}

/** What extensions say of the file after them. */
interface Extension {
  readonly path?: string
  readonly size?: number
  readonly longName?: string
}

/**
 * The files of a tar archive: v7, ustar, pax and GNU, with long names. The two zero blocks at the end may be missing, and so
 * may the padding of the last file.
 *
 * @param label put before the messages
 * @throws LogError `invalid_request`, `unsupported` for sparse files, `too_large`
 */
export function* readTar(bytes: Uint8Array, label: string): Generator<TarFile, void> {
  let at = 0
  let count = 0
  let extension: Extension = {}
  for (
    let header = readHeader(bytes, at, label);
    header !== undefined;
    header = readHeader(bytes, at, label)
  ) {
    if (++count > MAX_TAR_HEADERS) {
      throw new LogError('too_large', `${label}: archive/tar: more than ${MAX_TAR_HEADERS} headers`)
    }
    at += BLOCK_BYTES
    if (EXTENSION_TYPES.includes(header.type)) {
      const content = extensionContent(bytes, at, header.size, label)
      extension = extended(extension, header.type, content, label)
      at = endOfContent(at, header.size)
      continue
    }
    const file = extendedFile(header, extension, label)
    extension = {}
    yield { ...file, content: bytes.subarray(at, at + file.size) }
    if (at + file.size > bytes.length) throw invalid(label, 'unexpected EOF')
    at = endOfContent(at, file.size)
  }
}

/** @returns undefined at the end of the archive */
function readHeader(bytes: Uint8Array, at: number, label: string): Header | undefined {
  const block = readBlock(bytes, at, label)
  if (block === undefined) return undefined
  if (isZero(block)) {
    const next = readBlock(bytes, at + BLOCK_BYTES, label)
    if (next === undefined || isZero(next)) return undefined
    throw invalidHeader(label)
  }
  assertChecksum(block, label)
  const magic = textOf(block, 257, 8)
  const isPosix = magic.startsWith('ustar\0')
  const hasDevice = isPosix || magic === 'ustar  \0'
  const numbers = [100, 108, 116, ...(hasDevice ? [329, 337] : [])].map((field) =>
    numberIn(block, field, 8)
  )
  const size = numberIn(block, 124, 12)
  const time = numberIn(block, 136, 12)
  if ([...numbers, size, time].includes(undefined)) throw invalidHeader(label)

  // star keeps times behind a shorter prefix.
  const isStar = textOf(block, 508, 4) === 'tar\0'
  const prefix = isPosix ? untilZero(textOf(block, 345, isStar ? 131 : 155)) : ''
  const name = untilZero(textOf(block, 0, 100))
  return {
    type: textOf(block, 156, 1),
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: checkedSize(size as number, label) // not among the undefined ones
  }
}

function readBlock(bytes: Uint8Array, at: number, label: string): Uint8Array | undefined {
  if (at >= bytes.length) return undefined
  if (at + BLOCK_BYTES > bytes.length) throw invalid(label, 'unexpected EOF')
  return bytes.subarray(at, at + BLOCK_BYTES)
}

/** The sum of all bytes, its own counted as blanks; some have summed signed bytes. */
function assertChecksum(block: Uint8Array, label: string): void {
  const expected = octal(textOf(block, 148, 8))
  let unsigned = 0
  let signed = 0
  block.forEach((byte, i) => {
    const counted = i >= 148 && i < 156 ? 0x20 : byte
    unsigned += counted
    signed += counted < 0x80 ? counted : counted - 0x100
  })
  if (expected !== unsigned && expected !== signed) throw invalidHeader(label)
}

/** Octal text, or with the highest bit set a big-endian number in two's complement. Undefined for neither. */
function numberIn(block: Uint8Array, at: number, length: number): number | undefined {
  const first = block[at] as number // every field is within
  if (first < 0x80) return octal(textOf(block, at, length))
  const isNegative = (first & 0x40) !== 0
  const mask = isNegative ? 0xff : 0
  let value = (first ^ mask) & 0x7f
  for (let i = 1; i < length; i++) value = value * 256 + ((block[at + i] as number) ^ mask)
  if (value >= 2 ** 63) return undefined
  return isNegative ? -value - 1 : value
}

function octal(text: string): number | undefined {
  const digits = untilZero(text.replace(/^[ \0]+|[ \0]+$/g, '')) // of 12 characters at most
  if (digits === '') return 0
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : undefined
}

function checkedSize(size: number, label: string): number {
  if (size < 0 || !Number.isSafeInteger(size)) throw invalidHeader(label)
  return size
}

function extended(extension: Extension, type: string, content: string, label: string): Extension {
  if (type === 'L') return { ...extension, longName: untilZero(content) }
  if (type !== 'x') return extension
  // The last records stand alone, with the long name beside them.
  const { longName } = extension
  return { ...paxExtension(content, label), ...(longName !== undefined && { longName }) }
}

function extendedFile(
  header: Header,
  extension: Extension,
  label: string
): Omit<TarFile, 'content'> {
  const name = extension.longName ?? extension.path ?? header.name
  if (header.type === 'S') {
    throw new LogError('unsupported', `${label}: archive/tar: sparse files are not supported`)
  }
  // Links, devices, directories and pipes; before ustar a directory was a file with a slash at its end.
  const isEmpty = /^[1-6]$/.test(header.type) || (header.type === '\0' && name.endsWith('/'))
  return { name, size: isEmpty ? 0 : (extension.size ?? header.size) }
}

function extensionContent(bytes: Uint8Array, at: number, size: number, label: string): string {
  if (size > MAX_TAR_EXTENSION_BYTES) throw invalid(label, 'archive/tar: header field too long')
  if (at + size > bytes.length) throw invalid(label, 'unexpected EOF')
  return textOf(bytes, at, size)
}

/**
 *     <length of all of it> <name>=<value>\n ...
 *
 * @see POSIX.1-2017, pax, "pax Extended Header"
 */
function paxExtension(records: string, label: string): Extension {
  let extension: Extension = {}
  for (let at = 0; at < records.length;) {
    const space = records.slice(at, at + 20).indexOf(' ')
    const digits = records.slice(at, at + Math.max(0, space))
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0
    const end = at + length
    const [name, value] = splitRecord(records.slice(at + space + 1, end - 1))
    if (
      length < 5 ||
      end > records.length ||
      records[end - 1] !== '\n' ||
      name === '' ||
      (name === 'path' ? value : name).includes('\0')
    ) {
      throw invalidHeader(label)
    }
    extension = { ...extension, ...paxMember(name, value, label) }
    at = end
  }
  return extension
}

/** An empty name when there is no `=`, which no record may have. */
function splitRecord(record: string): readonly [name: string, value: string] {
  const equals = record.indexOf('=')
  return equals < 0 ? ['', ''] : [record.slice(0, equals), record.slice(equals + 1)]
}

function paxMember(name: string, value: string, label: string): Extension {
  if (name.startsWith('GNU.sparse.')) {
    throw new LogError('unsupported', `${label}: archive/tar: sparse files are not supported`)
  }
  if (value === '') return {}
  if (name === 'path') return { path: value }
  if (name !== 'size') return {}
  if (!/^[0-9]+$/.test(value)) throw invalidHeader(label)
  return { size: checkedSize(Number(value), label) }
}

function endOfContent(at: number, size: number): number {
  return at + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0)
}

function untilZero(text: string): string {
  const zero = text.indexOf('\0')
  return zero < 0 ? text : text.slice(0, zero)
}

/** One character a byte. */
function textOf({ buffer, byteOffset }: Uint8Array, at: number, length: number): string {
  return Buffer.from(buffer, byteOffset + at, length).toString('latin1')
}

function invalidHeader(label: string): LogError {
  return invalid(label, 'archive/tar: invalid tar header')
}

function invalid(label: string, problem: string): LogError {
  return new LogError('invalid_request', `${label}: ${problem}`)
}
