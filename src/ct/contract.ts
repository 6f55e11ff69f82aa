import type { SignedCertificateTimestamp } from '../x509/sct.js'

/** Which of the two kinds of entry is submitted: `add-chain` or `add-pre-chain`. */
export type SubmissionKind = 'certificate' | 'precertificate'

/** RFC 6962 section 3.5. */
export interface SignedTreeHead {
  readonly treeSize: number
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** 32 bytes. */
  readonly rootHash: Uint8Array
  /** DigitallySigned, as it goes over the wire. */
  readonly treeHeadSignature: Uint8Array
}

/** An entry as `get-entries` gives it. */
export interface CtEntry {
  /** MerkleTreeLeaf. */
  readonly leafInput: Uint8Array
  /** The chain, for a precertificate behind the precertificate itself. */
  readonly extraData: Uint8Array
}

/** One certificate log with one key, as RFC 6962 section 4 has it. Only what is published can be seen. */
export interface CtLogView {
  /** 32 bytes, SHA-256 of the public key. */
  readonly logId: Uint8Array
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey: Uint8Array
  readonly treeId: string
  readonly signedTreeHead: () => SignedTreeHead
  /** @throws LogError `invalid_request` when first > second or second is beyond the tree */
  proveConsistency(firstSize: number, secondSize: number): Promise<readonly Uint8Array[]>
  /** @throws LogError `not_found` for an unknown hash or a size beyond the tree, `invalid_request` */
  proveByHash(
    leafHash: Uint8Array,
    treeSize: number
  ): Promise<{ readonly leafIndex: number; readonly auditPath: readonly Uint8Array[] }>
  /**
   * Entries from `start` to `end` inclusive, fewer where the tree or the limit per answer ends.
   * @throws LogError `invalid_request` when start > end or start is beyond the tree
   */
  entries(start: number, end: number): Promise<readonly CtEntry[]>
  /** @throws LogError `invalid_request` when the index is not below the size, or the size beyond the tree */
  entryAndProof(
    leafIndex: number,
    treeSize: number
  ): Promise<CtEntry & { readonly auditPath: readonly Uint8Array[] }>
}

/** The certificate log of this server: the active tree takes submissions, closed ones are only read. */
export interface CtService {
  readonly active: CtLogView
  /** The tree whose log ID begins with these hex digits (see `CT_LOG_NAME_DIGITS`). */
  find(logName: string): CtLogView | undefined
  /**
   * Submission by a stranger: the chain must lead to an accepted root, and only so many are under way at once.
   *
   * @param chain DER certificates, the submitted one first; the root may be left out
   * @throws LogError `invalid_request`, `verification_failed`, `unsupported` (all 400), `overloaded` with
   *   `details.retryAfterSeconds`, `log_frozen`, `integrity`
   */
  submit(kind: SubmissionKind, chain: readonly Uint8Array[]): Promise<SignedCertificateTimestamp>
  /** Submission by our own certificate authority: the same checks, and never refused for the sake of strangers. */
  submitOwn(kind: SubmissionKind, chain: readonly Uint8Array[]): Promise<SignedCertificateTimestamp>
  /** DER of every accepted root. */
  roots(): readonly Uint8Array[]
  /** Stops signing tree heads anew. The log is closed by whoever opened it. */
  close(): Promise<void>
}

/** Hex digits of a log ID in URLs and file names: enough to tell keys apart by eye. */
export const CT_LOG_NAME_DIGITS = 16
