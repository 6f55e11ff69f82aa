/**
 * What the PKI formats of Rekor v1 have in common (x509, pgp, minisign, ssh): a key and a detached signature,
 * each with one canonical byte form that goes into the leaf and, hashed, into the search index.
 */

export type SignatureFormatName = 'x509' | 'pgp' | 'minisign' | 'ssh'

export interface FormatKey {
  /** Canonical bytes: stored in the leaf; their hex SHA-256 is the search key. */
  readonly canonical: Uint8Array
  /** Names the key carries (SANs, e-mail addresses), in order, case as written. */
  readonly subjects: readonly string[]
}

export interface FormatSignature {
  /** Canonical bytes: stored in the leaf. */
  readonly canonical: Uint8Array
}

/** One PKI format. Pure: no I/O, no clock. Every function refuses with a LogError and with nothing else. */
export interface SignatureFormat<
  Key extends FormatKey = FormatKey,
  Signature extends FormatSignature = FormatSignature
> {
  readonly name: SignatureFormatName
  /** @throws LogError `invalid_request` | `unsupported` */
  parseKey(bytes: Uint8Array): Promise<Key>
  /** @throws LogError `invalid_request` | `unsupported` */
  parseSignature(bytes: Uint8Array): Promise<Signature>
  /**
   * Checks a detached signature over `data` (the whole artifact, not a digest).
   * @throws LogError `verification_failed` | `unsupported`
   */
  verify(key: Key, signature: Signature, data: Uint8Array): Promise<void>
}
