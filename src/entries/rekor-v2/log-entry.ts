import { encodeBase64 } from '../../encoding/base64.js'
import { BODY_VERSION, type LoggedEntry } from './entry-body.js'

/** An entry in the log, with what proves it. */
export interface EntryInLog {
  /** 32 bytes (see logIdOfKey). */
  readonly logId: Uint8Array
  readonly kind: LoggedEntry['kind']
  readonly leafIndex: number
  /** The canonical body. */
  readonly leafValue: Uint8Array
  /** Of the checkpoint; greater than `leafIndex`. */
  readonly treeSize: number
  readonly rootHash: Uint8Array
  /** Inclusion proof, nearest the leaf first. */
  readonly hashes: readonly Uint8Array[]
  /** The whole signed note, for exactly this size and root. */
  readonly checkpoint: string
}

/**
 * `dev.sigstore.rekor.v1.TransparencyLogEntry` in JSON as protojson writes it with empty fields: 64-bit integers as text, bytes
 * in base64. Clients keep it as it is in their bundles.
 */
export interface TransparencyLogEntry {
  readonly logIndex: string
  readonly logId: { readonly keyId: string }
  readonly kindVersion: { readonly kind: string; readonly version: string }
  /** A Rekor v2 log does not tell the time. */
  readonly integratedTime: '0'
  readonly inclusionPromise: null
  readonly inclusionProof: {
    readonly logIndex: string
    readonly rootHash: string
    readonly treeSize: string
    readonly hashes: readonly string[]
    readonly checkpoint: { readonly envelope: string }
  }
  readonly canonicalizedBody: string
}

/** Answer to a request that was logged. @see rekor-v2-and-tiles §1.8 */
export function renderTransparencyLogEntry(entry: EntryInLog): TransparencyLogEntry {
  const logIndex = String(entry.leafIndex)
  return {
    logIndex,
    logId: { keyId: encodeBase64(entry.logId) },
    kindVersion: { kind: entry.kind, version: BODY_VERSION },
    integratedTime: '0',
    inclusionPromise: null,
    inclusionProof: {
      logIndex,
      rootHash: encodeBase64(entry.rootHash),
      treeSize: String(entry.treeSize),
      hashes: entry.hashes.map(encodeBase64),
      checkpoint: { envelope: entry.checkpoint }
    },
    canonicalizedBody: encodeBase64(entry.leafValue)
  }
}
