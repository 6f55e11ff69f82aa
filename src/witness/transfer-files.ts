import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import {
  encodeAddCheckpoint,
  type AddCheckpointRequest,
  MAX_ADD_CHECKPOINT_BYTES,
  parseAddCheckpoint,
  type ParsedAddCheckpoint
} from '../note/add-checkpoint.js'
import { formatCheckpointBody, parseCheckpointBody } from '../note/checkpoint.js'
import { parseDecimal } from '../note/proof-lines.js'
import { formatSignedNote, type NoteSignature, parseSignedNote } from '../note/signed-note.js'
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../note/verifier-key.js'

// Small text files that somebody carries across an air gap. Behind a few lines of ours they are what the protocol of witnesses
// sends, so what reads one reads the other.

/** What one witness is asked to cosign. */
export interface RequestFile extends AddCheckpointRequest {
  /** Who is asked. */
  readonly witness: VerifierKey
}

export interface ParsedRequestFile extends RequestFile, ParsedAddCheckpoint {
  /** Body of the same request over HTTP. */
  readonly body: Uint8Array
}

/** What the witness says to it. */
export type AnswerFile =
  | {
      readonly kind: 'cosigned'
      readonly witness: VerifierKey
      /** Text of the checkpoint, ends with a newline. */
      readonly body: string
      /** At least one, of the witness. */
      readonly signatures: readonly NoteSignature[]
    }
  | {
      /** The old size is not that of the tree it cosigned last. */
      readonly kind: 'conflict'
      readonly witness: VerifierKey
      readonly origin: string
      /** Of that tree, 0 if there was none. Nobody signed this. */
      readonly treeSize: number
    }

/** Largest file we read: what a witness takes over HTTP, and our lines. */
export const MAX_TRANSFER_BYTES = MAX_ADD_CHECKPOINT_BYTES + 8192

const REQUEST = 'sigstead/witness-request@v1'
const ANSWER = 'sigstead/witness-answer@v1'

/**
 * A request as a file: our first line, `witness <vkey>`, and the body of add-checkpoint.
 *
 * @throws LogError as parseAddCheckpoint when it could not be read back
 */
export function encodeRequestFile(request: RequestFile): Uint8Array {
  const body = decodeUtf8(encodeAddCheckpoint(request))
  return encodeUtf8(`${REQUEST}\nwitness ${formatVerifierKey(request.witness)}\n${body}`)
}

/** @throws LogError `invalid_request` | `unsupported` | `too_large` */
export function parseRequestFile(file: Uint8Array): ParsedRequestFile {
  const [first, second, rest] = cutLines(file)
  if (first !== REQUEST) throw malformed(`does not begin with ${REQUEST}`)
  const witness = parseWitness(second)
  const body = encodeUtf8(rest)
  return { witness, body, ...parseAddCheckpoint(body) }
}

/**
 * An answer as a file: our first line, `witness <vkey>`, then either an empty line and the checkpoint with the signature lines of
 * the witness alone, or `origin <origin>` and `last <size>`.
 *
 * @throws LogError `invalid_request` when it could not be read back
 */
export function encodeAnswerFile(answer: AnswerFile): Uint8Array {
  const head = `${ANSWER}\nwitness ${formatVerifierKey(answer.witness)}\n`
  const rest =
    answer.kind === 'cosigned'
      ? `\n${formatSignedNote(answer.body, answer.signatures)}`
      : `origin ${answer.origin}\nlast ${answer.treeSize}\n`
  const file = encodeUtf8(head + rest)
  parseAnswerFile(file)
  return file
}

/** @throws LogError `invalid_request` | `unsupported` | `too_large`. Nothing is verified */
export function parseAnswerFile(file: Uint8Array): AnswerFile {
  const [first, second, rest] = cutLines(file)
  if (first !== ANSWER) throw malformed(`does not begin with ${ANSWER}`)
  const witness = parseWitness(second)
  if (rest.startsWith('\n')) {
    const { body, signatures } = parseSignedNote(rest.slice(1))
    parseCheckpointBody(body)
    return { kind: 'cosigned', witness, body, signatures }
  }
  const [, origin, size] = /^origin ([^\n]+)\nlast ([0-9]+)\n$/u.exec(rest) ?? []
  if (origin === undefined || size === undefined) {
    throw malformed('neither a checkpoint nor the size of one')
  }
  const treeSize = parseDecimal(size, 'witness file: last')
  assertOrigin(origin)
  return { kind: 'conflict', witness, origin, treeSize }
}

/** The first two lines, and what follows. */
function cutLines(file: Uint8Array): readonly [string, string, string] {
  if (file.length > MAX_TRANSFER_BYTES) {
    throw new LogError('too_large', `witness file: more than ${MAX_TRANSFER_BYTES} bytes`)
  }
  const text = decodeUtf8(file)
  const end = text.indexOf('\n')
  const secondEnd = text.indexOf('\n', end + 1)
  if (end < 0 || secondEnd < 0) throw malformed('cut short')
  return [text.slice(0, end), text.slice(end + 1, secondEnd), text.slice(secondEnd + 1)]
}

function parseWitness(line: string): VerifierKey {
  if (!line.startsWith('witness ')) throw malformed('does not say which witness')
  return parseVerifierKey(line.slice('witness '.length))
}

/** Whether a checkpoint could begin with it, its writer knows. */
function assertOrigin(origin: string): void {
  formatCheckpointBody({ origin, treeSize: 0, rootHash: new Uint8Array(32) })
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `witness file: ${problem}`)
}
