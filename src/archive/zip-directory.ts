import { excerpt } from '../encoding/text.js'
import { LogError } from '../errors.js'

// Our own reader of the directory, because what matters here is what libraries leave out: fflate allocates the size that the
// directory declares, and neither it nor yauzl minds members that overlap or share a name.

/** A file or folder in a ZIP archive, by what the directory says of it. Sizes were checked against nothing yet. */
export interface ZipMember {
  /** One character a byte, so that names are equal when their bytes are. See zipNameText for people. */
  readonly name: string
  readonly method: number
  /** Of the content, as declared. */
  readonly crc32: number
  readonly declaredBytes: number
  /** As it lies in the archive. */
  readonly compressed: Uint8Array
}

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const MAX_COMMENT_BYTES = 0xffff

/** In a field of two or four bytes: look in the ZIP64 record. */
const ZIP64_16 = 0xffff
const ZIP64_32 = 0xffffffff

const FLAG_ENCRYPTED = 1

/**
 * Members of a ZIP archive in the order of its directory. Stricter than most readers: nothing follows the end record, no two
 * members overlap or have one name, and each local header names the member the directory points from.
 *
 *     archive   = prefix { local-header data } directory end
 *     end       = 06054b50 disk(2) directoryDisk(2) entriesHere(2) entries(2) directoryBytes(4) directoryOffset(4)
 *                 commentLength(2) comment
 *     directory = { 02014b50 madeBy(2) needed(2) flags(2) method(2) time(2) date(2) crc32(4) compressed(4) size(4)
 *                   nameLength(2) extraLength(2) commentLength(2) disk(2) attributes(6) localOffset(4) name extra comment }
 *     local     = 04034b50 needed(2) flags(2) method(2) time(2) date(2) crc32(4) compressed(4) size(4) nameLength(2)
 *                 extraLength(2) name extra
 *
 * ZIP64, which only archives beyond our limits need, is refused.
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` for ZIP64, more than one disk, and encryption
 * @see APPNOTE.TXT 6.3.10 section 4.3
 */
export function readZipDirectory(archive: Uint8Array): readonly ZipMember[] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  const end = findEnd(view)
  const entries = view.getUint16(end + 10, true)
  const directoryBytes = view.getUint32(end + 12, true)
  const directoryOffset = view.getUint32(end + 16, true)
  if (entries === ZIP64_16 || directoryBytes === ZIP64_32 || directoryOffset === ZIP64_32) {
    throw unsupported('ZIP64 archives')
  }
  if (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== entries) {
    throw unsupported('archives of several disks')
  }
  // A program may stand before the archive; offsets then count from where it ends.
  const prefix = end - directoryBytes - directoryOffset
  if (prefix < 0) throw malformed()
  const names = new Set<string>()
  const members: PlacedMember[] = []
  let at = prefix + directoryOffset
  for (let i = 0; i < entries; i++) {
    const { member, next } = readEntry({ archive, view, prefix, end }, at)
    if (names.has(member.name)) {
      throw invalid(`two members are named ${zipNameText(member.name)}`)
    }
    names.add(member.name)
    members.push(member)
    at = next
  }
  if (at !== end) throw malformed()
  assertApart(members, prefix + directoryOffset)
  return members
}

/** A name as people read it, cut to a length that fits a message. */
export function zipNameText(name: string): string {
  return excerpt(Buffer.from(name, 'latin1').toString('utf8'))
}

interface PlacedMember extends ZipMember {
  /** Of the local header. */
  readonly start: number
  /** Where the data ends. */
  readonly end: number
}

interface Archive {
  readonly archive: Uint8Array
  readonly view: DataView
  readonly prefix: number
  /** Offset of the end record. */
  readonly end: number
}

/** Offset of the last end record whose comment ends where the archive does. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END_BYTES
  for (let at = last; at >= 0 && at >= last - MAX_COMMENT_BYTES; at--) {
    if (view.getUint32(at, true) === END_SIGNATURE && view.getUint16(at + 20, true) === last - at) {
      return at
    }
  }
  throw malformed()
}

function readEntry(
  { archive, view, prefix, end }: Archive,
  at: number
): { readonly member: PlacedMember; readonly next: number } {
  if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY_SIGNATURE) throw malformed()
  const nameEnd = at + ENTRY_BYTES + view.getUint16(at + 28, true)
  const next = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  if (next > end) throw malformed()
  const compressedBytes = view.getUint32(at + 20, true)
  const declaredBytes = view.getUint32(at + 24, true)
  const localOffset = view.getUint32(at + 42, true)
  if ([compressedBytes, declaredBytes, localOffset].includes(ZIP64_32)) {
    throw unsupported('ZIP64 archives')
  }
  if ((view.getUint16(at + 8, true) & FLAG_ENCRYPTED) !== 0) throw unsupported('encrypted members')
  const name = latin1(archive, at + ENTRY_BYTES, nameEnd)
  const method = view.getUint16(at + 10, true)
  const start = prefix + localOffset
  const dataStart = readLocalHeader({ archive, view, prefix, end }, start, { name, method })
  const dataEnd = dataStart + compressedBytes
  if (dataEnd > end) throw malformed()
  return {
    member: {
      name,
      method,
      crc32: view.getUint32(at + 16, true),
      declaredBytes,
      compressed: archive.subarray(dataStart, dataEnd),
      start,
      end: dataEnd
    },
    next
  }
}

/** @returns offset of the data. The sizes in this header may be zero and stand behind the data instead: they are not used. */
function readLocalHeader(
  { archive, view, end }: Archive,
  start: number,
  expected: Pick<ZipMember, 'name' | 'method'>
): number {
  if (start + LOCAL_BYTES > end || view.getUint32(start, true) !== LOCAL_SIGNATURE) {
    throw malformed()
  }
  const nameEnd = start + LOCAL_BYTES + view.getUint16(start + 26, true)
  if (nameEnd > end) throw malformed()
  const name = latin1(archive, start + LOCAL_BYTES, nameEnd)
  if (name !== expected.name || view.getUint16(start + 8, true) !== expected.method) {
    throw invalid(`the header of ${zipNameText(expected.name)} differs from the directory`)
  }
  return nameEnd + view.getUint16(start + 28, true)
}

/** @param limit where the directory begins */
function assertApart(members: readonly PlacedMember[], limit: number): void {
  let free = 0
  for (const { name, start, end } of members.toSorted((a, b) => a.start - b.start)) {
    if (start < free || end > limit) {
      throw invalid(`${zipNameText(name)} overlaps with something else`)
    }
    free = end
  }
}

function latin1({ buffer, byteOffset }: Uint8Array, start: number, end: number): string {
  return Buffer.from(buffer, byteOffset + start, end - start).toString('latin1')
}

function malformed(): LogError {
  return invalid('not a valid zip file')
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', `zip: ${problem}`)
}

function unsupported(what: string): LogError {
  return new LogError('unsupported', `zip: ${what} are not supported`)
}
