import type { Signer } from '../keys/signer.js'

/** The four top-level roles (TUF specification section 2.1). */
export const TUF_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const
export type TufRole = (typeof TUF_ROLES)[number]

/** How long each role's metadata is good for when it is signed. */
export type TufLifetimes = Readonly<Record<TufRole, { readonly seconds: number }>>

/** Which keys a role has, and how many of them must sign. */
export interface RoleKeys {
  /** SubjectPublicKeyInfo DER, ECDSA P-256. */
  readonly publicKeys: readonly Uint8Array[]
  readonly threshold: number
}

/** Signers at hand, by role: all keys that are online. A role whose keys are elsewhere has none. */
export type TufSigners = Readonly<Record<TufRole, readonly Signer[]>>

/** A file to publish. */
export interface TufTarget {
  /** Plain file name. */
  readonly name: string
  readonly bytes: Uint8Array
  /** Goes into the metadata as it is. */
  readonly custom?: Readonly<Record<string, unknown>>
}

/**
 * A whole repository as it is published: an immutable value. Metadata are kept as the exact texts that are served.
 * Beside the newest targets and snapshot a few older ones are kept, with their files, for clients that are half-way
 * through a refresh.
 */
export interface TufRepository {
  /** Every root there ever was; version n at n - 1. */
  readonly roots: readonly string[]
  /** Newest first. */
  readonly targets: readonly MetadataText[]
  readonly snapshots: readonly MetadataText[]
  readonly timestamp: MetadataText
  /** Content of every file that any of `targets` names, by `<sha256 hex>.<name>`. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

export interface MetadataText {
  readonly version: number
  readonly text: string
}

/** When something of the repository expires. */
export interface RoleExpiry {
  readonly role: TufRole
  readonly version: number
  readonly expiresSeconds: number
}
