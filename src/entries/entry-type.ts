import type { SignedDigest } from '../keys/verify.js'

/** A proposed entry after its envelope was read: which kind, which version, and the still unread spec. */
export interface ProposedEntry {
  readonly kind: string
  readonly apiVersion: string
  readonly spec: unknown
}

/** Bytes kept beside the log because the leaf holds only their hash (rekor-v1 §10). */
export interface Attestation {
  /** `sha256:<hex>` of what the leaf commits to. Content-addressed: entries may share one. */
  readonly key: string
  readonly value: Uint8Array
}

/** What an accepted entry turns into: one canonical leaf and the ways to find it. */
export interface VerifiedEntry {
  /** Canonical (RFC 8785) bytes of `{apiVersion, kind, spec}`: exactly what is hashed into the tree. */
  readonly leafValue: Uint8Array
  /** Search keys as Rekor writes them, lower-cased, no duplicates, in order. */
  readonly searchKeys: readonly string[]
  readonly attestation?: Attestation
  /** Name of the client algorithm used, where the policy applies (hashedrekord), such as `ed25519-ph`. */
  readonly clientAlgorithm?: string
}

export interface VerifyOptions {
  /** Larger attestations are silently not kept; the entry itself is accepted (rekor-v1 §10). In bytes. */
  readonly maxAttestationBytes: number
  /** Largest signature and `.PKGINFO` of an apk; 0: no limit of their own. Without it Rekor's default. In bytes. */
  readonly maxApkMetadataBytes?: number | undefined
  /** Largest file in `META-INF` of a JAR; 0: no limit of their own. Without it Rekor's default. In bytes. */
  readonly maxJarMetadataBytes?: number | undefined
  /**
   * What time it is, for entries that must not have expired when they enter the log. Without it nothing has: what is only looked
   * up may have expired since. Milliseconds since the epoch.
   */
  readonly nowMs?: (() => number) | undefined
  /** Checks a signature over a digest, where that is done with others at once. Without it: at once, on this thread. */
  readonly checkDigest?: ((signed: SignedDigest) => Promise<void>) | undefined
}

/** One kind of log entry at one version. Pure: the same object serves the server, the workers and the CLI. */
export interface EntryType<Parsed = unknown> {
  readonly kind: string
  readonly version: string
  /**
   * Reads a `spec` strictly: base64, schema, required members. Also takes the committed form of the kinds
   * whose bodies can be looked up again (rekor-v1 §2.5). @throws LogError `invalid_request`
   */
  parse(spec: unknown): Parsed
  /**
   * Refuses what may be looked up but not submitted, such as a committed form.
   * @throws LogError `invalid_request` with text `entry not insertable into log: …`
   */
  assertInsertable(parsed: Parsed): void
  /** Checks the cryptography and builds the canonical leaf. @throws LogError `verification_failed` | `unsupported` | `invalid_request` */
  verify(parsed: Parsed, options: VerifyOptions): Promise<VerifiedEntry>
  /**
   * Search keys that can be derived from a stored leaf alone: a subset of what `verify` gave.
   * @param spec of a canonical body read back from the log
   */
  storedSearchKeys(spec: unknown): Promise<readonly string[]>
  /** Key under which the attestation of a stored leaf would be kept, if its kind has any. */
  attestationKey(spec: unknown): string | undefined
}
