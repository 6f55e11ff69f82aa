import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { LogError } from '../errors.js'
import { parseCheckpoint, type ParsedCheckpoint } from './checkpoint.js'
import { formatProofLines, parseDecimal, parseProofLines } from './proof-lines.js'
import { MAX_NOTE_BYTES } from './signed-note.js'

/** Proof that an entry is in a log, to be verified without asking anybody. Files are called `*.tlog-proof`. */
export interface TlogProof {
  /** Whatever an application wants to carry along. Nobody signed it. */
  readonly extra?: Uint8Array
  /** 0-based position within the tree. */
  readonly leafIndex: number
  /** 32 bytes each, nearest the leaf first. */
  readonly inclusionProof: readonly Uint8Array[]
  /** Signed by the log, with the cosignatures of witnesses. */
  readonly checkpoint: string
}

/** A proof as read: well-formed, but with nothing verified (see verifyCheckpoint, verifyInclusion). */
export interface ParsedTlogProof extends TlogProof {
  /** The checkpoint, taken apart. */
  readonly parsed: ParsedCheckpoint
}

/** Longest text we read, in UTF-16 units: a note, and as much again. */
export const MAX_TLOG_PROOF_LENGTH = 2 * MAX_NOTE_BYTES

const FIRST_LINE = 'c2sp.org/tlog-proof@v1'
const LABEL = 'tlog proof'

/**
 * Text of a proof.
 *
 * @throws LogError as parseTlogProof when it could not be read back
 * @see C2SP tlog-proof
 */
export function formatTlogProof(proof: TlogProof): string {
  const { extra, leafIndex, inclusionProof, checkpoint } = proof
  const extraLine = extra === undefined ? '' : `extra ${encodeBase64(extra)}\n`
  const text = `${FIRST_LINE}\n${extraLine}index ${leafIndex}\n${formatProofLines(inclusionProof)}\n${checkpoint}`
  parseTlogProof(text)
  return text
}

/**
 * Reads a proof. Only one spelling passes.
 *
 * @throws LogError `invalid_request`; `too_large` beyond MAX_TLOG_PROOF_LENGTH or the limits of a note
 * @see C2SP tlog-proof
 */
export function parseTlogProof(text: string): ParsedTlogProof {
  if (text.length > MAX_TLOG_PROOF_LENGTH) {
    throw new LogError('too_large', `${LABEL}: longer than ${MAX_TLOG_PROOF_LENGTH} characters`)
  }
  const end = text.indexOf('\n\n')
  if (end < 0) throw malformed('no empty line before the checkpoint')
  const [first, ...lines] = text.slice(0, end).split('\n')
  if (first !== FIRST_LINE) throw malformed(`does not begin with ${FIRST_LINE}`)
  const extra = lines[0]?.startsWith('extra ') === true ? parseExtra(lines.shift() as string) : {} // there is a first one
  const index = lines.shift()
  if (index?.startsWith('index ') !== true) throw malformed('no index')
  const checkpoint = text.slice(end + 2)
  return {
    ...extra,
    leafIndex: parseDecimal(index.slice('index '.length), `${LABEL}: index`),
    inclusionProof: parseProofLines(lines, LABEL),
    checkpoint,
    parsed: parseCheckpoint(checkpoint)
  }
}

function parseExtra(line: string): { readonly extra: Uint8Array } {
  const extra = decodeBase64(line.slice('extra '.length), `${LABEL}: extra`)
  if (extra.length === 0) throw malformed('extra data of no bytes')
  return { extra }
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
