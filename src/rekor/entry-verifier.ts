import type { ProposedEntry, VerifiedEntry } from '../entries/entry-type.js'

/** An entry that was checked, ready for the log. */
export interface VerifiedLeaf extends VerifiedEntry {
  /** 32 bytes, SHA-256(0x00 || leafValue). */
  readonly leafHash: Uint8Array
}

/** Submitting is held to more rules than asking whether an entry is there (rekor-v1 §2.5). */
export type VerifyPurpose = 'submit' | 'lookup'

/** What the operator allows. Plain data: it is copied to workers. */
export interface VerifySettings {
  /** Kinds that may be submitted. */
  readonly enabledKinds: readonly string[]
  /** Key and hash pairs hashedrekord entries may be signed with. */
  readonly clientAlgorithms: readonly string[]
  /** Larger attestations are not kept. 0: none is. */
  readonly maxAttestationBytes: number
  /** As in VerifyOptions; absent: Rekor's default. */
  readonly maxApkMetadataBytes?: number | undefined
  /** As in VerifyOptions; absent: Rekor's default. */
  readonly maxJarMetadataBytes?: number | undefined
}

/**
 * The checks that cost time and read what strangers wrote: on the same thread (`createInProcessVerifier`) or on
 * others (`createVerifyPool`).
 */
export interface EntryVerifier {
  /**
   * @param byteLength roughly what the entry holds in memory: the size of the request it came in
   * @throws LogError what the entry kind says; `overloaded`, `too_large` or `internal` from a pool
   */
  verifyEntry(
    proposed: ProposedEntry,
    purpose: VerifyPurpose,
    byteLength: number
  ): Promise<VerifiedLeaf>
  /**
   * Search key of a public key: hex SHA-256 of its canonical bytes.
   * @param format `x509`, `pgp`, `minisign`, `ssh` or `tuf`
   * @throws LogError `unsupported` for any other format, `invalid_request` for a key that cannot be read
   */
  keyHash(format: string, content: Uint8Array): Promise<string>
}
