import { createHash } from 'node:crypto'
import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { parseCheckpoint, type ParsedCheckpoint } from '../note/checkpoint.js'
import type { ForkEvidence } from './contract.js'

/** What a witness keeps of a log. */
export interface WitnessState {
  /** With the signatures of the log and our cosignature. */
  readonly checkpoint: string
  /** Of the last cosignature, in seconds since the epoch: the next is not earlier. */
  readonly timestampSeconds: number
}

export interface ReadWitnessState extends WitnessState {
  readonly parsed: ParsedCheckpoint
}

const VERSION = 1

/** Lower-case hex of SHA-256 over the origin: how a log is called in paths and cells. */
export function originHashOf(origin: string): string {
  return createHash('sha256').update(origin).digest('hex')
}

export function stateCell(origin: string): string {
  return `witness/state/${originHashOf(origin)}`
}

export function evidenceCell(origin: string): string {
  return `witness/fork/${originHashOf(origin)}`
}

export function encodeState({ checkpoint, timestampSeconds }: WitnessState): Uint8Array {
  return encodeUtf8(JSON.stringify({ version: VERSION, timestampSeconds, checkpoint }))
}

/** @throws LogError `integrity` unless encodeState wrote it, for this log */
export function parseState(origin: string, bytes: Uint8Array): ReadWitnessState {
  return readCell(origin, bytes, (value) => {
    const { timestampSeconds, checkpoint } = value
    if (typeof timestampSeconds !== 'number' || typeof checkpoint !== 'string') return undefined
    const parsed = parseCheckpoint(checkpoint)
    if (parsed.origin !== origin) return undefined
    const state = { checkpoint, timestampSeconds }
    return equalBytes(encodeState(state), bytes) ? { ...state, parsed } : undefined
  })
}

export function encodeEvidence({ cosigned, contradicting }: ForkEvidence): Uint8Array {
  return encodeUtf8(JSON.stringify({ version: VERSION, cosigned, contradicting }))
}

/** @throws LogError `integrity` */
export function parseEvidence(origin: string, bytes: Uint8Array): ForkEvidence {
  return readCell(origin, bytes, ({ cosigned, contradicting }) =>
    typeof cosigned === 'string' && typeof contradicting === 'string'
      ? { origin, cosigned, contradicting }
      : undefined
  )
}

type Members = ReturnType<typeof parseJson> & { readonly [member: string]: unknown }

function readCell<Value>(
  origin: string,
  bytes: Uint8Array,
  read: (value: Members) => Value | undefined
): Value {
  try {
    const value = parseJson(bytes)
    const found =
      isJsonObject(value) && value.version === VERSION ? read(value as Members) : undefined
    if (found !== undefined) return found
  } catch (err) {
    if (!isLogError(err)) throw err
    throw damaged(origin, err)
  }
  throw damaged(origin)
}

function damaged(origin: string, cause?: unknown): LogError {
  return new LogError('integrity', `what the witness keeps of "${origin}" is damaged`, { cause })
}

/** For messages. */
export function describeRoot({ treeSize, rootHash }: ParsedCheckpoint): string {
  return `root ${encodeHex(rootHash)} at size ${treeSize}`
}
