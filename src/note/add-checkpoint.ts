import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { parseCheckpoint, type ParsedCheckpoint } from './checkpoint.js'
import { formatProofLines, parseDecimal, parseProofLines } from './proof-lines.js'

/** Largest body we read. A proof has 3 KB at most, a checkpoint some hundred bytes, and a signature line up to 3 KB. */
export const MAX_ADD_CHECKPOINT_BYTES = 128 * 1024

/** What a witness is asked to cosign. */
export interface AddCheckpointRequest {
  /** Of the tree that the witness cosigned last, 0 if none. */
  readonly oldSize: number
  /** From that tree to the one of the checkpoint: 32 bytes each, at most MAX_PROOF_HASHES. */
  readonly consistencyProof: readonly Uint8Array[]
  /** Signed by the log. */
  readonly checkpoint: string
}

/** A request as read: well-formed, but with nothing verified. */
export interface ParsedAddCheckpoint extends AddCheckpointRequest {
  /** The checkpoint, taken apart. */
  readonly parsed: ParsedCheckpoint
}

const LABEL = 'add-checkpoint'

/**
 * Body of a request to a witness: a line with the old size, a line for each hash, an empty line, the checkpoint.
 *
 * @throws LogError as parseAddCheckpoint when it could not be read back
 * @see C2SP tlog-witness
 */
export function encodeAddCheckpoint(request: AddCheckpointRequest): Uint8Array {
  const { oldSize, consistencyProof, checkpoint } = request
  const body = encodeUtf8(`old ${oldSize}\n${formatProofLines(consistencyProof)}\n${checkpoint}`)
  parseAddCheckpoint(body)
  return body
}

/**
 * Reads the body of a request. Only one spelling passes. How the sizes compare, and whether the proof fits, is not looked at.
 *
 * @throws LogError `invalid_request`; `too_large` beyond MAX_ADD_CHECKPOINT_BYTES or the limits of a note
 * @see C2SP tlog-witness
 */
export function parseAddCheckpoint(body: Uint8Array): ParsedAddCheckpoint {
  if (body.length > MAX_ADD_CHECKPOINT_BYTES) {
    throw new LogError('too_large', `${LABEL}: more than ${MAX_ADD_CHECKPOINT_BYTES} bytes`)
  }
  const text = decodeUtf8(body)
  const end = text.indexOf('\n\n')
  if (end < 0) throw malformed('no empty line before the checkpoint')
  const [old = '', ...proofLines] = text.slice(0, end).split('\n')
  if (!old.startsWith('old ')) throw malformed('does not begin with the old size')
  const checkpoint = text.slice(end + 2)
  return {
    oldSize: parseDecimal(old.slice('old '.length), `${LABEL}: old size`),
    consistencyProof: parseProofLines(proofLines, LABEL),
    checkpoint,
    parsed: parseCheckpoint(checkpoint)
  }
}

/** Media type of a witness's answer that it cosigned a tree of another size. Compared without parameters: sent without. */
export const TREE_SIZE_TYPE = 'text/x.tlog.size'

/** Body of that answer: the size of the tree it cosigned last. */
export function encodeTreeSize(treeSize: number): Uint8Array {
  return encodeUtf8(`${treeSize}\n`)
}

/** @throws LogError `invalid_request` */
export function parseTreeSize(body: Uint8Array): number {
  // Longer than any size, so that nobody makes us read a flood of digits.
  const text = decodeUtf8(body.subarray(0, 32))
  if (!text.endsWith('\n'))
    throw new LogError('invalid_request', 'tree size: no newline at the end')
  return parseDecimal(text.slice(0, -1), 'tree size')
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
