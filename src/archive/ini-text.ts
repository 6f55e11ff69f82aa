import { decodeUtf8 } from '../encoding/text.js'

// Text as Go has it: bytes that need not be UTF-8. Here one character stands for each byte, and only what is stored is
// decoded, so that cutting and joining do what they do there.

/** UTF-8 of every character that Go's `unicode.IsSpace` knows beyond ASCII, one character a byte. */
const WIDE_SPACES: ReadonlySet<string> = new Set(
  [
    0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008,
    0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000
  ].map((code) => Buffer.from(String.fromCodePoint(code)).toString('latin1'))
)

/** Bytes from 0x80 on: either a sequence of RFC 3629, or the one that is in none. */
const SEQUENCES =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g

/** One character for each byte. */
export function bytesToText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}

/** The characters those bytes stand for in UTF-8; each byte that stands for none becomes U+FFFD, as in Go's JSON. */
export function textToUnicode(text: string): string {
  const utf8 = text.replace(SEQUENCES, (found) => (found.length === 1 ? '\xef\xbf\xbd' : found))
  return decodeUtf8(Buffer.from(utf8, 'latin1'))
}

/** Without white space in front. No pattern: those take the square of the time on long runs of blanks. */
export function trimStart(text: string): string {
  let start = 0
  for (let length = 1; length > 0; start += length) length = spaceAt(text, start)
  return text.slice(start)
}

/** Without white space at either end. */
export function trim(text: string): string {
  let end = text.length
  for (let length = 1; length > 0; end -= length) length = spaceBefore(text, end)
  return trimStart(text.slice(0, end))
}

/** Bytes of the white space that begins at `at`; 0 when there is none. */
function spaceAt(text: string, at: number): number {
  return asciiSpace(text, at) ?? [2, 3].find((n) => WIDE_SPACES.has(text.slice(at, at + n))) ?? 0
}

/** Bytes of the white space that ends before `end`; 0 when there is none. */
function spaceBefore(text: string, end: number): number {
  const isWide = (n: number): boolean => WIDE_SPACES.has(text.slice(Math.max(0, end - n), end))
  return asciiSpace(text, end - 1) ?? [2, 3].find(isWide) ?? 0
}

/** 1 for white space, 0 for anything else of ASCII and beyond the text; undefined when it takes a closer look. */
function asciiSpace(text: string, at: number): 0 | 1 | undefined {
  const code = text.charCodeAt(at)
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) return 1
  return code >= 0x80 ? undefined : 0
}
