import { LogError } from '../errors.js'
import { zipNameText } from './zip-directory.js'

/** Attributes by name in lower case: names differ in nothing but case. Text of one character a byte. */
export type ManifestAttributes = ReadonlyMap<string, string>

/** One section of a manifest or signature file, as it stands there and as it is read. */
export interface ManifestSection {
  readonly attributes: ManifestAttributes
  /** With the empty line that ends it: what a signature file has digests of. */
  readonly bytes: Uint8Array
}

export interface NamedSection extends ManifestSection {
  /** One character a byte, as ZIP names. */
  readonly name: string
}

export interface Manifest {
  readonly main: ManifestSection
  /** In their order, no name twice. */
  readonly sections: readonly NamedSection[]
}

/** A section is about a file, and a ZIP archive has no more of those. */
const MAX_SECTIONS = 0xffff

const CRLF_TWICE = '\r\n\r\n'
const LF_TWICE = '\n\n'

/**
 * Reads `META-INF/MANIFEST.MF` or a `.SF` file. Each section ends with an empty line; as long as one that is written CRLF
 * follows, one that is written LF ends nothing. A line that begins with a blank continues the one before, be it in the middle of a
 * character: so nothing is decoded here.
 *
 *     manifest  = main-section { named-section }
 *     section   = { name ":" value newline { " " more newline } } newline
 *
 * @throws LogError `invalid_request` with the texts of Rekor where it has them
 * @see JAR File Specification, "JAR Manifest"; rekor-v1 §8.7
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const [main, ...named] = splitSections(bytes)
  if (main === undefined) throw invalid('manifest has no sections')
  const names = new Set<string>()
  const sections = named.map((section) => {
    const attributes = readAttributes(section)
    const name = attributes.get('name') ?? ''
    if (name === '') throw invalid('manifest has section with no "Name" attribute')
    if (names.has(name)) throw invalid(`manifest has two sections "${zipNameText(name)}"`)
    names.add(name)
    return { name, attributes, bytes: section }
  })
  return { main: { attributes: readAttributes(main), bytes: main }, sections }
}

function splitSections(bytes: Uint8Array): readonly Uint8Array[] {
  const text = latin1(bytes)
  const sections: Uint8Array[] = []
  // Where the next empty line of each kind ends: looked for once, however many of the other come before.
  let crlfEnd = endOf(text, CRLF_TWICE, 0)
  for (let start = 0; start < text.length;) {
    if (crlfEnd <= start) crlfEnd = endOf(text, CRLF_TWICE, start)
    const end = crlfEnd === Infinity ? endOf(text, LF_TWICE, start) : crlfEnd
    if (end === Infinity || isBlank(text, start, end)) {
      throw invalid('manifest has incorrect line ending sequence')
    }
    if (sections.length > MAX_SECTIONS) throw invalid(`manifest has over ${MAX_SECTIONS} sections`)
    sections.push(bytes.subarray(start, end))
    start = end
  }
  return sections
}

/** Infinity: it is not there. */
function endOf(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from)
  return at < 0 ? Infinity : at + what.length
}

function readAttributes(section: Uint8Array): ManifestAttributes {
  const attributes = new Map<string, string>()
  const unfolded = latin1(section).replaceAll('\r\n', '\n').replaceAll('\n ', '')
  for (const line of unfolded.split('\n')) {
    if (line === '') continue
    const colon = line.indexOf(':')
    if (colon < 0) throw invalid('jar manifest is malformed')
    // As in Rekor, the last one counts.
    attributes.set(trim(line, 0, colon).toLowerCase(), trim(line, colon + 1, line.length))
  }
  return attributes
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isSpace(text.charCodeAt(at))) return false
  return true
}

/** Not String.trim, which takes the halves of some characters for blanks, and no regular expression, which is slow on long runs. */
function trim(text: string, start: number, end: number): string {
  let first = start
  let last = end
  while (first < last && isSpace(text.charCodeAt(first))) first++
  while (last > first && isSpace(text.charCodeAt(last - 1))) last--
  return text.slice(first, last)
}

/** Tab, line feed, vertical tab, form feed, carriage return, blank. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}

function invalid(message: string): LogError {
  return new LogError('invalid_request', message)
}
