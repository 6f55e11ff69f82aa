import { LogError } from '../errors.js'
import { decodeBase64Loose, encodeBase64 } from './base64.js'

const BEGIN = '-----BEGIN '
const END = '-----END '
const DASHES = '-----'
const COLUMNS = 64

// One character a byte, so that offsets in the text are offsets in the bytes. All that counts is ASCII.
const oneByteDecoder = new TextDecoder('windows-1252')

export interface PemBlock {
  /** The label between the dashes, such as `PUBLIC KEY`. */
  readonly type: string
  readonly bytes: Uint8Array
}

/**
 * Next PEM block of `input`, with the tolerance of Go's decoder, because that decides what Rekor takes: text before the
 * block, `Name: value` headers, CRLF, blanks at the end of a line and blanks between the base64 digits pass; labels must
 * agree, markers must start a line, and a damaged block is skipped. Encode again for the one canonical spelling.
 *
 * @returns the block and what follows its last line; `undefined` when there is none
 * @see RFC 7468, rekor-v1 §7.1
 */
export function decodePem(
  input: Uint8Array
): { readonly block: PemBlock; readonly rest: Uint8Array } | undefined {
  const text = oneByteDecoder.decode(input)
  // From END back to the nearest BEGIN: each marker is visited once, however many of the others a stranger repeats.
  let from = 0
  for (let end = indexOfLine(text, END, 0); end >= 0; end = indexOfLine(text, END, from)) {
    const begin = lastIndexOfLine(text, BEGIN, from, end)
    const block = begin < 0 ? undefined : readBlock(text, begin, end)
    if (block !== undefined) {
      return { block, rest: input.subarray(startOfNextLine(text, end)) }
    }
    from = end + END.length
  }
  return undefined
}

/**
 * The one block of `input` that must have this label, nothing but white space around it.
 *
 * @throws LogError `invalid_request`
 */
export function decodeSinglePem(input: Uint8Array, type: string): Uint8Array {
  const found = decodePem(input)
  if (found === undefined) throw new LogError('invalid_request', `no PEM block, expected ${type}`)
  if (found.block.type !== type) {
    throw new LogError('invalid_request', `PEM block is ${found.block.type}, expected ${type}`)
  }
  if (oneByteDecoder.decode(found.rest).trim() !== '') {
    throw new LogError('invalid_request', `trailing data after PEM block ${type}`)
  }
  return found.block.bytes
}

/** Canonical PEM text: base64 in lines of 64 columns, no headers, newline at the end. */
export function encodePem(type: string, bytes: Uint8Array): string {
  const base64 = encodeBase64(bytes)
  let lines = ''
  for (let i = 0; i < base64.length; i += COLUMNS) lines += `${base64.slice(i, i + COLUMNS)}\n`
  return `${BEGIN}${type}${DASHES}\n${lines}${END}${type}${DASHES}\n`
}

function readBlock(text: string, begin: number, end: number): PemBlock | undefined {
  const typeLine = lineAt(text, begin + BEGIN.length)
  if (!typeLine.endsWith(DASHES)) return undefined
  const type = typeLine.slice(0, -DASHES.length)
  if (lineAt(text, end + END.length) !== `${type}${DASHES}`) return undefined

  const afterBegin = startOfNextLine(text, begin)
  let bodyStart = afterBegin
  while (bodyStart < end && lineAt(text, bodyStart).includes(':')) {
    bodyStart = startOfNextLine(text, bodyStart)
  }
  // Headers need a line between them and the END marker.
  if (bodyStart > afterBegin && bodyStart >= end) return undefined
  try {
    // Copied: keys and certificates are kept for long.
    const base64 = text.slice(bodyStart, end).replace(/[ \t]+/g, '')
    return { type, bytes: decodeBase64Loose(base64).slice() }
  } catch {
    return undefined
  }
}

/** Text from `start` to the end of its line, without the line end and blanks before it. */
function lineAt(text: string, start: number): string {
  const newline = text.indexOf('\n', start)
  const line = newline < 0 ? text.slice(start) : text.slice(start, newline).replace(/\r$/, '')
  let end = line.length
  // A pattern would begin anew at each of the blanks that a stranger sends.
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--
  return line.slice(0, end)
}

function startOfNextLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset)
  return newline < 0 ? text.length : newline + 1
}

/** First `marker` at or after `from` that starts a line. */
function indexOfLine(text: string, marker: string, from: number): number {
  if (from === 0 && text.startsWith(marker)) return 0
  const newline = text.indexOf(`\n${marker}`, Math.max(0, from - 1))
  return newline < 0 ? -1 : newline + 1
}

/** Last `marker` between `from` and `before` that starts a line. Looks no further back than `from`. */
function lastIndexOfLine(text: string, marker: string, from: number, before: number): number {
  const newline = text.slice(from, before).lastIndexOf(`\n${marker}`)
  if (newline >= 0) return from + newline + 1
  return from === 0 && text.startsWith(marker) ? 0 : -1
}
