/** When something is to be believed, in seconds since the epoch. Closed at both ends; without an end it still is. */
export interface Validity {
  readonly startSeconds: number
  readonly endSeconds?: number
}

/** A log by its key: several trees that sign with one key are one of these. */
export interface TrustedLog {
  /** Where it is or was served: with scheme, no slash at the end. */
  readonly baseUrl: string
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey: Uint8Array
  readonly validity: Validity
}

/** A chain that issues, or has issued, certificates or timestamps. */
export interface TrustedAuthority {
  /** Base URL of a certificate authority, complete URL of a timestamp authority. */
  readonly url: string
  /** DER, the issuing or signing certificate first, the root last. */
  readonly chain: readonly [Uint8Array, ...Uint8Array[]]
  readonly validity: Validity
}

/** Where clients are sent to. */
export interface ServiceUrl {
  /** No slash at the end. */
  readonly url: string
  readonly majorApiVersion: number
  readonly validity: Validity
}

/**
 * What the server knows about itself and clients must know: all trust material is made from one of these. Lists are
 * oldest first; the last one of a list is the one in use, and the others have an end.
 */
export interface TrustState {
  /** Who runs the services: a host name without scheme. */
  readonly operator: string
  readonly rekorLogs: readonly TrustedLog[]
  readonly ctLogs: readonly TrustedLog[]
  readonly certificateAuthorities: readonly TrustedAuthority[]
  readonly timestampAuthorities: readonly TrustedAuthority[]
  /** One list for each kind; empty where there is none. */
  readonly services: {
    readonly rekor: readonly ServiceUrl[]
    readonly fulcio: readonly ServiceUrl[]
    readonly tsa: readonly ServiceUrl[]
    /** Issuers, for discovery. */
    readonly oidc: readonly ServiceUrl[]
  }
}

/** A file that clients fetch or people download. */
export interface TrustFile {
  /** Plain file name: letters, digits, `.`, `_` and `-`. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** What cosign 2 reads of a target to know what the file is for (rekor-v2-and-tiles §4.3). */
export interface SigstoreCustom {
  readonly usage: 'Rekor' | 'CTFE' | 'Fulcio' | 'TSA'
  readonly status: 'Active' | 'Expired'
  readonly uri: string
}

/** A file of the TUF repository. */
export interface TrustTarget extends TrustFile {
  readonly custom?: { readonly sigstore: SigstoreCustom }
}
