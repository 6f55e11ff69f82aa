import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { concatBytes } from '../encoding/bytes.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { KEY_ID_BYTES } from './key-id.js'

/** Largest note we read, in bytes of UTF-8. A checkpoint has some hundred; cosignatures of 100 witnesses fit. */
export const MAX_NOTE_BYTES = 1024 * 1024

/** Most signature lines we read. Other implementations promise 16; witnesses may add to that. */
export const MAX_SIGNATURES = 100

/** One signature line of a note. */
export interface NoteSignature {
  /** Name of the key: no white space, no plus sign. */
  readonly name: string
  /** 4 bytes. */
  readonly keyId: Uint8Array
  /** At least one byte; what is in it depends on the key. */
  readonly signature: Uint8Array
}

/** Text and those who signed it. */
export interface SignedNote {
  /** Ends with a newline. Its UTF-8 bytes are what is signed. */
  readonly body: string
  /** At least one, in the order of the note. */
  readonly signatures: readonly NoteSignature[]
}

/**
 * Text of a note: the body, an empty line, one line per signature.
 *
 * @throws LogError `invalid_request` when a part could not be read back: a body without newline at its end or with
 *   control characters, a name with white space, a key id of other than 4 bytes, no signature; `too_large` beyond
 *   MAX_SIGNATURES
 * @see C2SP signed-note
 */
export function formatSignedNote(body: string, signatures: readonly NoteSignature[]): string {
  assertBody(body)
  assertCount(signatures.length)
  return `${body}\n${signatures.map(formatSignature).join('')}`
}

function formatSignature({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name)) throw malformed('bad key name')
  if (keyId.length !== KEY_ID_BYTES) throw malformed(`key id is not ${KEY_ID_BYTES} bytes`)
  if (signature.length === 0) throw malformed('empty signature')
  return `— ${name} ${encodeBase64(concatBytes(keyId, signature))}\n`
}

/**
 * Reads a note without verifying anything. Only one spelling passes; the signatures begin after the last empty line.
 *
 * @throws LogError `invalid_request`, `too_large` beyond MAX_NOTE_BYTES or MAX_SIGNATURES
 * @see C2SP signed-note
 */
export function parseSignedNote(note: string): SignedNote {
  // UTF-8 is never shorter than the count of UTF-16 units, so a monster is refused before it is copied.
  if (note.length > MAX_NOTE_BYTES || encodeUtf8(note).length > MAX_NOTE_BYTES) {
    throw new LogError('too_large', `signed note: more than ${MAX_NOTE_BYTES} bytes`)
  }
  const split = note.lastIndexOf('\n\n')
  if (split < 0) throw malformed('no empty line before the signatures')
  const body = note.slice(0, split + 1)
  const lines = note.slice(split + 2).split('\n')
  if (lines.pop() !== '') throw malformed('no newline at the end')
  assertCount(lines.length)
  const signatures = lines.map(parseSignature)
  if (formatSignedNote(body, signatures) !== note) throw malformed('bad signature line')
  return { body, signatures }
}

/** Takes from a line what a signature needs. Whatever else may be on it, `parseSignedNote` finds by comparing. */
function parseSignature(line: string): NoteSignature {
  const [, name = '', base64 = ''] = line.split(' ')
  const bytes = decodeBase64(base64, 'signed note: signature')
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) }
}

function assertCount(signatures: number): void {
  if (signatures === 0) throw malformed('no signature')
  if (signatures > MAX_SIGNATURES) {
    throw new LogError('too_large', `signed note: more than ${MAX_SIGNATURES} signatures`)
  }
}

/** The body may have any text in it but must be whole lines of well-formed Unicode. */
function assertBody(body: string): void {
  if (!body.endsWith('\n')) throw malformed('text does not end with a newline')
  if (!body.isWellFormed()) throw malformed('text is not valid Unicode')
  if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(body)) throw malformed('control character in text')
}

/** Whether a key can have this name. Names are joined to other text by spaces and, in verifier keys, by plus signs. */
export function isKeyName(name: string): boolean {
  return name.isWellFormed() && /^[^\s+\u0000-\u001f\u007f\u0085]+$/.test(name)
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `signed note: ${problem}`)
}
