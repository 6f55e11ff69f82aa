import { equalBytes } from '../encoding/bytes.js'
import { encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { verifyConsistency } from '../merkle/consistency-proof.js'
import { EMPTY_ROOT_HASH } from '../merkle/hash.js'
import { type ParsedAddCheckpoint, parseAddCheckpoint } from '../note/add-checkpoint.js'
import type { ParsedCheckpoint, VerifySignature } from '../note/checkpoint.js'
import { signCosignature } from '../note/cosignature.js'
import { formatSignatureLines } from '../note/signature-lines.js'
import { formatSignedNote, type NoteSignature } from '../note/signed-note.js'
import type { VerifierKey } from '../note/verifier-key.js'
import type { Register } from '../store/log-store.js'
import { sha256 } from '../store/sha256.js'
import type { ForkEvidence, Witness, WitnessedLog, WitnessIdentity } from './contract.js'
import { verifyWithKey } from './verify-with-key.js'
import {
  describeRoot,
  encodeEvidence,
  encodeState,
  evidenceCell,
  originHashOf,
  parseEvidence,
  parseState,
  type ReadWitnessState,
  stateCell
} from './witness-state.js'

export interface WitnessOptions {
  readonly identity: WitnessIdentity
  readonly logs: readonly WitnessedLog[]
  /** One cell for each log, and one for the first fork of it. What is in them outlives the list of logs. */
  readonly register: Pick<Register, 'read' | 'swap'>
  /** Seconds since the epoch. */
  readonly nowSeconds: () => number
  /** Hears of every fork that is proved. Default: nobody, the evidence is kept all the same. */
  readonly report?: (evidence: ForkEvidence) => void
}

/** Requests that follow each other so closely are two or three; who loses as often as this comes again. */
const MAX_TRIES = 10

interface FollowedLog {
  readonly origin: string
  readonly keys: readonly { readonly key: VerifierKey; readonly verify: VerifySignature }[]
}

/**
 * A witness of other logs.
 *
 * @throws LogError `invalid_request` when the key is not one that cosigns, an origin is there twice or is the name of the witness,
 *   or a log has no key; `unsupported` for a key that nothing here verifies
 */
export function createWitness(options: WitnessOptions): Witness {
  const { identity, register } = options
  const logs = followedLogs(options)
  const byHash = new Map([...logs.keys()].map((origin) => [originHashOf(origin), origin]))

  return {
    key: identity.key,
    async addCheckpoint(body) {
      const request = parseAddCheckpoint(body)
      const log = logs.get(request.parsed.origin)
      if (log === undefined) throw unknownOrigin()
      const signatures = await verifyLogSignatures(log, request.parsed)
      assertSizes(request)
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const line = await tryOnce(options, request, signatures)
        if (line !== undefined) return formatSignatureLines([line])
      }
      throw new LogError('overloaded', 'checkpoints of this log come in all the time')
    },
    async checkpoint(originHash) {
      const origin = byHash.get(originHash)
      const stored = origin === undefined ? undefined : await register.read(stateCell(origin))
      if (origin === undefined || stored === undefined) throw unknownOrigin()
      return parseState(origin, stored).checkpoint
    },
    async evidence(origin) {
      const stored = await register.read(evidenceCell(origin))
      return stored === undefined ? undefined : parseEvidence(origin, stored)
    }
  }
}

/**
 * One comparison with what is kept, and one attempt to replace it.
 *
 * @param signatures of the log, all good
 * @returns undefined when somebody else replaced it meanwhile: nothing of ours is known to anybody then
 */
async function tryOnce(
  options: WitnessOptions,
  request: ParsedAddCheckpoint,
  signatures: readonly NoteSignature[]
): Promise<NoteSignature | undefined> {
  const { identity, register, nowSeconds } = options
  const { origin, body } = request.parsed
  const stored = await register.read(stateCell(origin))
  const state = stored === undefined ? undefined : parseState(origin, stored)
  await assertContinues(options, request, state, formatSignedNote(body, signatures))

  // Clocks go backwards; what we say about the time does not. 0 would mean that nothing is said.
  const timestampSeconds = Math.max(1, Math.floor(nowSeconds()), state?.timestampSeconds ?? 0)
  const line = await signCosignature(body, timestampSeconds, identity)
  const checkpoint = formatSignedNote(body, [...signatures, line])
  // Nobody has seen the line yet. If we die before this, the log asks again; if after it, the log is told the new size, asks for
  // that, and gets another line over the same text.
  const isStored = await register.swap(
    stateCell(origin),
    stored,
    encodeState({ checkpoint, timestampSeconds })
  )
  return isStored ? line : undefined
}

/** What can be said without knowing what was cosigned before. */
function assertSizes({ oldSize, parsed }: ParsedAddCheckpoint): void {
  if (oldSize > parsed.treeSize) {
    throw new LogError(
      'invalid_request',
      `old size ${oldSize} is larger than the tree of size ${parsed.treeSize}`
    )
  }
  if (parsed.treeSize === 0 && !equalBytes(parsed.rootHash, EMPTY_ROOT_HASH)) {
    throw new LogError('proof_invalid', 'root of the empty tree is not the hash of nothing')
  }
}

/** @param contradicting the checkpoint with the signatures of the log, for the case that it is evidence */
async function assertContinues(
  options: WitnessOptions,
  { oldSize, consistencyProof, parsed }: ParsedAddCheckpoint,
  state: ReadWitnessState | undefined,
  contradicting: string
): Promise<void> {
  const storedSize = state?.parsed.treeSize ?? 0
  // Whatever the request is about: another root for the size that was cosigned is a fork, and is kept.
  const isFork =
    state !== undefined &&
    parsed.treeSize === storedSize &&
    !equalBytes(parsed.rootHash, state.parsed.rootHash)
  if (isFork) await keepEvidence(options, state, contradicting)
  if (oldSize !== storedSize) {
    throw new LogError('conflict', `the tree cosigned last has size ${storedSize}`, {
      details: { treeSize: storedSize }
    })
  }
  if (isFork) {
    throw new LogError(
      'proof_invalid',
      `${describeRoot(parsed)}, but cosigned was ${describeRoot(state.parsed)}`
    )
  }
  if (state === undefined || oldSize === 0 || oldSize === parsed.treeSize) {
    if (consistencyProof.length > 0) {
      throw new LogError(
        'proof_invalid',
        `nothing to prove from size ${oldSize} to ${parsed.treeSize}, but there is a proof`
      )
    }
    return
  }
  verifyConsistency(state.parsed, parsed, consistencyProof, sha256)
}

async function keepEvidence(
  { register, report }: WitnessOptions,
  state: ReadWitnessState,
  contradicting: string
): Promise<void> {
  const { origin } = state.parsed
  const evidence: ForkEvidence = { origin, cosigned: state.checkpoint, contradicting }
  // The first one stays: it is proof enough, and who can make one can make thousands.
  await register.swap(evidenceCell(origin), undefined, encodeEvidence(evidence))
  report?.(evidence)
}

/**
 * A signature line for each key of the log that signed, in the order of the note. All of their lines must be good.
 *
 * @throws LogError `verification_failed` when there is none, or one is bad
 */
async function verifyLogSignatures(
  { origin, keys }: FollowedLog,
  { body, signatures }: ParsedCheckpoint
): Promise<readonly NoteSignature[]> {
  const message = encodeUtf8(body)
  // Of several lines of one key one is kept, so that there is room for ours.
  const good = new Map<VerifierKey, NoteSignature>()
  for (const line of signatures) {
    const known = keys.find(
      ({ key: { name, keyId } }) => line.name === name && equalBytes(line.keyId, keyId)
    )
    if (known === undefined) continue
    try {
      await known.verify(message, line.signature)
    } catch (err) {
      if (isLogError(err, 'internal')) throw err
      throw new LogError('verification_failed', `signature of "${line.name}" is not valid`, {
        cause: err
      })
    }
    if (!good.has(known.key)) good.set(known.key, line)
  }
  if (good.size === 0) {
    throw new LogError('verification_failed', `no signature of a key of "${origin}"`)
  }
  return [...good.values()]
}

function followedLogs({ identity, logs }: WitnessOptions): ReadonlyMap<string, FollowedLog> {
  if (identity.key.type !== 'ed25519-cosignature') {
    throw new LogError('invalid_request', 'the key of the witness is not one that cosigns')
  }
  const followed = new Map<string, FollowedLog>()
  for (const { origin, keys } of logs) {
    if (origin === identity.key.name) {
      throw new LogError('invalid_request', `the witness "${origin}" cannot witness itself`)
    }
    if (followed.has(origin)) {
      throw new LogError('invalid_request', `the log "${origin}" is there twice`)
    }
    if (keys.length === 0) throw new LogError('invalid_request', `the log "${origin}" has no key`)
    followed.set(origin, {
      origin,
      keys: keys.map((key) => ({ key, verify: verifyLogKey(key) }))
    })
  }
  return followed
}

function verifyLogKey(key: VerifierKey): VerifySignature {
  if (key.type === 'ed25519-cosignature') {
    throw new LogError('unsupported', `the key "${key.name}" of a log is one that cosigns`)
  }
  return verifyWithKey(key)
}

function unknownOrigin(): LogError {
  return new LogError('not_found', 'no such log')
}
