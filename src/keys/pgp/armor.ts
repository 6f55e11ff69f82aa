import { decodeBase64Loose, encodeBase64 } from '../../encoding/base64.js'
import { encodeUtf8 } from '../../encoding/text.js'
import { structuralFailure } from './failure.js'

export const SIGNATURE_BLOCK = 'PGP SIGNATURE'
export const PUBLIC_KEY_BLOCK = 'PGP PUBLIC KEY BLOCK'
export const PRIVATE_KEY_BLOCK = 'PGP PRIVATE KEY BLOCK'

const BEGIN = '-----BEGIN '
const END = '-----END '
const DASHES = '-----'
const COLUMNS = 64
// Longest line of base64 that is still taken for armor; writers use 64 or 76 columns.
const MAX_LINE = 96

export interface ArmorBlock {
  /** Label of the block, such as `PGP SIGNATURE`. */
  readonly type: string
  /** Bytes inside. @throws LogError `invalid_request` when they are not base64 */
  decode(): Uint8Array
}

/** Lines of `bytes` without their ends, one character a byte, so that nothing is lost in binary data. */
export function splitLines(bytes: Uint8Array): readonly string[] {
  const lines: string[] = []
  let start = 0
  while (start < bytes.length) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline < 0 ? bytes.length : newline
    lines.push(latin1(bytes.subarray(start, end)))
    start = end + 1
  }
  return lines
}

/**
 * First armored block. Text before it, white space around lines, headers and the checksum are not looked at, and the
 * last line may be missing, as Rekor reads it.
 *
 * @returns undefined when there is no block
 * @see RFC 9580 section 6
 */
export function findArmor(lines: readonly string[]): ArmorBlock | undefined {
  let at = 0
  for (;;) {
    while (at < lines.length && !isBegin(lineAt(lines, at))) at++
    if (at >= lines.length) return undefined
    const type = lineAt(lines, at).slice(BEGIN.length, -DASHES.length)
    at++
    while (isHeader(lineAt(lines, at))) at++
    if (at >= lines.length) return undefined
    // Anything else than the empty line here: not a block after all.
    if (lineAt(lines, at) === '') return { type, decode: () => decodeBody(lines, at + 1) }
  }
}

function decodeBody(lines: readonly string[], from: number): Uint8Array {
  const text: string[] = []
  for (let at = from; at < lines.length; at++) {
    const line = lineAt(lines, at)
    if (line.startsWith(END) || isChecksum(line)) break
    if (line.length > MAX_LINE) throw structuralFailure('armor invalid')
    text.push(line)
  }
  return decodeBase64Loose(text.join(''), 'armor')
}

/**
 * Canonical armor: no headers, 64 columns, the checksum, and no newline at the end.
 *
 * @param type label of the block
 */
export function encodeArmor(type: string, body: Uint8Array): Uint8Array {
  const text = encodeBase64(body)
  const lines = [`${BEGIN}${type}${DASHES}`, '']
  for (let i = 0; i < text.length; i += COLUMNS) lines.push(text.slice(i, i + COLUMNS))
  lines.push(`=${encodeBase64(crc24(body))}`, `${END}${type}${DASHES}`)
  return encodeUtf8(lines.join('\n'))
}

/** @see RFC 9580 section 6.1.1 */
function crc24(bytes: Uint8Array): Uint8Array {
  let crc = 0xb704ce
  for (const byte of bytes) {
    crc ^= byte << 16
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1
      if (crc & 0x1000000) crc ^= 0x1864cfb
    }
  }
  return Uint8Array.of((crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff)
}

function lineAt(lines: readonly string[], at: number): string {
  return (lines[at] ?? '').trim()
}

function isBegin(line: string): boolean {
  return line.startsWith(BEGIN) && line.length > BEGIN.length + DASHES.length
}

function isHeader(line: string): boolean {
  return line.includes(':')
}

function isChecksum(line: string): boolean {
  return line.length === 5 && line.startsWith('=')
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  }
  return text
}
