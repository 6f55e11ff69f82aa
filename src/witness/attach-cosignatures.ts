import { equalBytes } from '../encoding/bytes.js'
import { isLogError } from '../errors.js'
import { parseCheckpoint } from '../note/checkpoint.js'
import { type Cosigner, type VerifiedCosignature, verifyCosignatures } from '../note/cosignature.js'
import { evaluatePolicy } from '../note/evaluate-policy.js'
import { formatSignedNote, type NoteSignature } from '../note/signed-note.js'
import type { VerifierKey } from '../note/verifier-key.js'
import type { WitnessPolicy } from '../note/witness-policy.js'
import type { CosignedCheckpoint } from './contract.js'
import { cosignerOf } from './verify-with-key.js'

/** How far ahead of ours the clock of a witness may be. */
const MAX_AHEAD_SECONDS = 300

/** The witnesses of a policy whose cosignatures can be verified, by their names, in its order. */
export type PolicyCosigners = ReadonlyMap<string, Cosigner>

/** @throws LogError `invalid_request` when the bytes of a key are none */
export function cosignersOf({ witnesses }: WitnessPolicy): PolicyCosigners {
  const cosigners = new Map<string, Cosigner>()
  for (const { name, key } of witnesses) {
    const cosigner = cosignerOf(key)
    if (cosigner !== undefined) cosigners.set(name, cosigner)
  }
  return cosigners
}

/** Newest good cosignature of each witness, by its name within the policy. */
export type Cosignatures = ReadonlyMap<string, VerifiedCosignature>

/**
 * Good cosignatures among signature lines. Those of unknown keys are passed over.
 *
 * @param body text of the checkpoint
 * @throws LogError `verification_failed` when a line of a known key is bad, or from the future
 */
export async function readCosignatures(
  body: string,
  lines: readonly NoteSignature[],
  cosigners: PolicyCosigners,
  nowSeconds: number
): Promise<Cosignatures> {
  const found = new Map<string, VerifiedCosignature>()
  const latestSeconds = nowSeconds + MAX_AHEAD_SECONDS
  for (const [name, cosigner] of cosigners) {
    for (const verified of await verifyCosignatures(body, lines, cosigner, latestSeconds)) {
      found.set(name, newer(found.get(name), verified))
    }
  }
  return found
}

/** Both, of each witness the newer one. */
export function mergeCosignatures(a: Cosignatures, b: Cosignatures): Cosignatures {
  const merged = new Map(a)
  for (const [name, cosignature] of b) merged.set(name, newer(merged.get(name), cosignature))
  return merged
}

function newer(
  known: VerifiedCosignature | undefined,
  other: VerifiedCosignature
): VerifiedCosignature {
  return known !== undefined && known.timestampSeconds >= other.timestampSeconds ? known : other
}

/**
 * The cosignatures that a checkpoint of ours has already. A bad one does not count, and falls away when lines are attached.
 *
 * @throws LogError `invalid_request` | `too_large` when it is no checkpoint
 */
export async function ownCosignatures(
  checkpoint: string,
  cosigners: PolicyCosigners,
  nowSeconds: number
): Promise<Cosignatures> {
  const { body, signatures } = parseCheckpoint(checkpoint)
  let found: Cosignatures = new Map()
  for (const [name, cosigner] of cosigners) {
    const read = await unlessBad(() =>
      readCosignatures(body, signatures, new Map([[name, cosigner]]), nowSeconds)
    )
    if (read !== undefined) found = mergeCosignatures(found, read)
  }
  return found
}

async function unlessBad(read: () => Promise<Cosignatures>): Promise<Cosignatures | undefined> {
  try {
    return await read()
  } catch (err) {
    if (isLogError(err, 'verification_failed')) return undefined
    throw err
  }
}

/**
 * The checkpoint with these cosignatures: first the lines of all who are no witnesses, as they were, so that the log's own stays
 * the first; then those of the witnesses in the order of the policy. The same cosignatures make the same text, in whatever order
 * they came.
 *
 * @throws LogError `invalid_request` | `too_large` when it is no checkpoint, or would have too many lines
 */
export function attachCosignatures(
  checkpoint: string,
  cosignatures: Cosignatures,
  policy: WitnessPolicy
): CosignedCheckpoint {
  const { body, signatures } = parseCheckpoint(checkpoint)
  const others = signatures.filter(
    (line) => !policy.witnesses.some(({ key }) => isLineOf(key, line))
  )
  const cosigned = policy.witnesses.map(({ name }) => name).filter((name) => cosignatures.has(name))
  const lines = cosigned.map((name) => (cosignatures.get(name) as VerifiedCosignature).line) // it has it
  return {
    checkpoint: formatSignedNote(body, [...others, ...lines]),
    outcome: evaluatePolicy(policy, new Set(cosigned)),
    cosigned
  }
}

function isLineOf({ name, keyId }: VerifierKey, line: NoteSignature): boolean {
  return line.name === name && equalBytes(line.keyId, keyId)
}

/** For messages: what keeps a checkpoint from being published. */
export function describeOutcome({ outcome }: CosignedCheckpoint): string {
  const { threshold, cosigned, missing } = outcome.operators
  return `${cosigned.length} of the ${threshold} operators that must have cosigned; not ${missing.join(', ')}`
}
