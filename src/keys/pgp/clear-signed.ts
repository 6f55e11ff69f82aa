import { LogError } from '../../errors.js'
import { type ArmorBlock, findArmor, splitLines } from './armor.js'

/** Helm's provenance files hold the metadata of one chart: a few kilobytes, more with an icon in it. */
export const MAX_CLEAR_SIGNED_BYTES = 4 * 1024 * 1024

const BEGIN_MESSAGE = '-----BEGIN PGP SIGNED MESSAGE-----'
const BEGIN_SIGNATURE = '-----BEGIN PGP SIGNATURE-----'
const END_SIGNATURE = '-----END PGP SIGNATURE-----'

const HEADER = /^[ ]*Hash[ ]*:([\x20-\x7e]*)$/
const HASHES: readonly string[] = [
  'MD5',
  'SHA1',
  'RIPEMD160',
  'SHA224',
  'SHA256',
  'SHA384',
  'SHA512',
  'SHA3-256',
  'SHA3-512'
]

/** A message in the clear with the signature after it. */
export interface ClearSignedMessage {
  /** The text, dashes unescaped and without white space at line ends; LF between lines and none after the last. */
  readonly text: Uint8Array
  /** What is signed: the same with CR LF between lines. */
  readonly signed: Uint8Array
  /** Not read yet. */
  readonly signature: ArmorBlock
}

/**
 * The first clear-signed message of `bytes`. What stands before and after it is not looked at; of headers there may be `Hash`
 * only, which says nothing: the signature names its hash itself.
 *
 * @returns undefined when there is none, or none that is whole
 * @throws LogError `invalid_request` on more than MAX_CLEAR_SIGNED_BYTES
 * @see RFC 9580 section 7
 */
export function findClearSigned(bytes: Uint8Array): ClearSignedMessage | undefined {
  if (bytes.length > MAX_CLEAR_SIGNED_BYTES) {
    throw new LogError('invalid_request', `PGP message over ${MAX_CLEAR_SIGNED_BYTES} bytes`)
  }
  const lines = splitLines(bytes).map((line) => line.replace(/\r$/, ''))
  const begin = lines.findIndex((line) => line.startsWith(BEGIN_MESSAGE))
  if (begin < 0 || lines[begin] !== BEGIN_MESSAGE) return undefined
  const blank = lines.findIndex((line, at) => at > begin && isBlank(line))
  if (blank < 0 || !lines.slice(begin + 1, blank).every(isHeader)) return undefined
  const armor = lines.indexOf(BEGIN_SIGNATURE, blank)
  if (armor < 0) return undefined
  const end = lines.findIndex((line, at) => at > armor && line.startsWith(END_SIGNATURE))
  if (end < 0) return undefined
  const signature = findArmor(lines.slice(armor, end + 1))
  if (signature === undefined) return undefined
  const text = lines.slice(blank + 1, armor).map(plainLine)
  return { text: oneByteEach(text.join('\n')), signed: oneByteEach(text.join('\r\n')), signature }
}

function isBlank(line: string): boolean {
  return /^[\t\v\f\r ]*$/.test(line)
}

function isHeader(line: string): boolean {
  const [, hashes] = HEADER.exec(line) ?? []
  return hashes?.split(',').every((name) => HASHES.includes(name.trim().toUpperCase())) === true
}

function plainLine(line: string): string {
  const unescaped = line.startsWith('- ') ? line.slice(2) : line
  let end = unescaped.length
  // By hand: a pattern for the end of a line tries every blank within it.
  while (unescaped[end - 1] === ' ' || unescaped[end - 1] === '\t') end--
  return unescaped.slice(0, end)
}

/** The bytes that splitLines made characters of. */
function oneByteEach(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}
