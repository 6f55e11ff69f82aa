import type { SignMessage } from '../note/cosignature.js'
import type { PolicyOutcome } from '../note/evaluate-policy.js'
import type { VerifierKey } from '../note/verifier-key.js'
import type { LogError } from '../errors.js'

/** The key a witness cosigns with: a dedicated one, since what it signs does not name the witness. */
export interface WitnessIdentity {
  /** Of type `ed25519-cosignature`. */
  readonly key: VerifierKey
  readonly sign: SignMessage
}

/** A log that a witness follows. */
export interface WitnessedLog {
  /** First line of its checkpoints. */
  readonly origin: string
  /** One of them must have signed; of types `ed25519` or `ecdsa`. */
  readonly keys: readonly VerifierKey[]
}

/** Two roots of one size, both signed by the log: proof that it misbehaved, or that its key is elsewhere. */
export interface ForkEvidence {
  readonly origin: string
  /** The checkpoint cosigned first, with the signatures of the log. */
  readonly cosigned: string
  /** The one that contradicts it, likewise. */
  readonly contradicting: string
}

/** We as a witness of other logs. */
export interface Witness {
  readonly key: VerifierKey
  /**
   * Cosigns a checkpoint that continues the one cosigned last. The new state is durable before the cosignature is handed out; of two
   * requests at once one comes first, and the other is compared with what that one stored.
   *
   * @param body see parseAddCheckpoint
   * @returns signature lines, each ending with a newline
   * @throws LogError, with the status that the protocol has for it:
   *   `invalid_request`, `too_large` (400, 413): malformed, or the old size is larger than that of the checkpoint;
   *   `not_found` (404): an origin that is not followed;
   *   `verification_failed` (403): no signature of a key of that log, or a bad one;
   *   `conflict` (409): the old size is not that of the tree cosigned last, which is `details.treeSize`;
   *   `proof_invalid` (422): the proof does not fit, or another root for the same size;
   *   `overloaded` (503): others write all the time; `integrity` (500): what is kept is damaged
   * @see C2SP tlog-witness, rekor-v2-and-tiles §2.8
   */
  addCheckpoint(body: Uint8Array): Promise<string>
  /**
   * The checkpoint cosigned last, with the signatures of the log and our cosignature.
   *
   * @param originHash lower-case hex of SHA-256 over the origin
   * @throws LogError `not_found` when no log that is followed has that origin, or it was never cosigned
   */
  checkpoint(originHash: string): Promise<string>
  /** The first fork there was of this log, kept for ever. */
  evidence(origin: string): Promise<ForkEvidence | undefined>
}

/** What a witness answered. */
export interface WitnessReply {
  readonly status: number
  /** The header as it came. */
  readonly contentType: string | undefined
  /** As much as there is, up to a limit of the transport. */
  readonly body: Uint8Array
}

/**
 * Posts to a witness. Does not follow redirects, which would turn it into a GET.
 *
 * @throws any error when there is no answer
 */
export type PostToWitness = (
  url: string,
  body: Uint8Array,
  signal: AbortSignal
) => Promise<WitnessReply>

/**
 * Why a witness says that there is more than one history of our log: `ahead` when it cosigned a larger tree than we have signed,
 * `fork` when it refuses our proof or our root.
 */
export interface WitnessAlarm {
  readonly kind: 'ahead' | 'fork'
  /** Base URL of the witness, or its name where it answered by file. */
  readonly witness: string
  /** What it says that it cosigned last. */
  readonly treeSize: number
}

/** A witness that gave no cosignature, and why. */
export interface WitnessProblem {
  readonly witness: string
  readonly error: LogError
}

/** A checkpoint with what was collected. */
export interface CosignedCheckpoint {
  /** The lines it had first, without those of witnesses, then one line for each witness in the order of the policy. */
  readonly checkpoint: string
  readonly outcome: PolicyOutcome
  /** Names, within the policy, of the witnesses with a line. */
  readonly cosigned: readonly string[]
}

export interface CollectedCheckpoint extends CosignedCheckpoint {
  readonly problems: readonly WitnessProblem[]
  readonly alarms: readonly WitnessAlarm[]
}

/** We as a log that wants cosignatures. */
export interface CosignatureCollector {
  /**
   * Asks all witnesses that can be asked, at once, until the quorum is there or the time is over.
   *
   * @param checkpoint signed by us
   * @throws LogError `integrity` when a witness raises the alarm and that is to stop us, whatever else was collected;
   *   failing closed also `timeout` when time was over before the quorum was there, `upstream` when all have answered without.
   *   Details have `cosigned` and `threshold`, counted in operators
   */
  collect(checkpoint: string): Promise<CollectedCheckpoint>
}
