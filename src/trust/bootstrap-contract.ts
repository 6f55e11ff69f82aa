/** A file to download. */
export interface BootstrapFile {
  /** Plain file name: letters, digits, `.`, `_` and `-`. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly mediaType: string
  /** What it is, in a few words. */
  readonly about: string
  /** Hex. */
  readonly sha256: string
}

/** When metadata of a TUF role expires. */
export interface BootstrapExpiry {
  readonly role: 'root' | 'targets' | 'snapshot' | 'timestamp'
  readonly version: number
  readonly expiresSeconds: number
}

/** How one client is told to believe this server. */
export interface ClientGuide {
  /** For links: small letters, digits and `-`. */
  readonly id: string
  /** Name and version. */
  readonly title: string
  /** What has to be known beside the lines. Empty when nothing. */
  readonly note: string
  /** For a shell, ready to paste; a newline at the end. */
  readonly lines: string
  /** Names of files that were written for this client alone, to be read before they are used. */
  readonly documents: readonly string[]
}

/** Everything of the first visit: for the page, for programs and for the archive. An immutable value. */
export interface BootstrapContent {
  /** No slash at the end. */
  readonly publicUrl: string
  readonly operator: string
  /** Whose ID tokens become certificates; empty where none are issued. */
  readonly issuers: readonly string[]
  readonly tuf: {
    readonly mirrorUrl: string
    /** Hex, of the `root.json` among the files. */
    readonly rootSha256: string
    readonly expiries: readonly BootstrapExpiry[]
    /** The repository as it is mirrored: paths below its address, such as `targets/<hash>.<name>`. */
    readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[]
  }
  readonly files: readonly BootstrapFile[]
  readonly clients: readonly ClientGuide[]
}
