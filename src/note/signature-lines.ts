import { LogError } from '../errors.js'
import { formatSignedNote, type NoteSignature, parseSignedNote } from './signed-note.js'

// Lines without their note are read as those of this one, which is what the protocol of witnesses advises.
const TEXT = '-\n'
const BEFORE = `${TEXT}\n`

/**
 * Signature lines on their own, as a witness answers: each ends with a newline.
 *
 * @throws LogError as formatSignedNote
 * @see C2SP tlog-witness
 */
export function formatSignatureLines(signatures: readonly NoteSignature[]): string {
  return formatSignedNote(TEXT, signatures).slice(BEFORE.length)
}

/**
 * Reads signature lines, at least one, and verifies none. Only one spelling passes.
 *
 * @throws LogError as parseSignedNote
 */
export function parseSignatureLines(lines: string): readonly NoteSignature[] {
  const { body, signatures } = parseSignedNote(`${BEFORE}${lines}`)
  // An empty line among them would have made the lines before it part of the text.
  if (body !== TEXT) throw new LogError('invalid_request', 'signature lines: empty line')
  return signatures
}
