import { encodeBase64 } from '../encoding/base64.js'
import { encodeHex, encodeHexEach } from '../encoding/hex.js'
import type { Checkpoint, StoredLeaf, TreeRecord } from '../store/log-store.js'
import { formatEntryId } from './entry-id.js'

/** The value of the single member of a LogEntry, as it goes over the wire (rekor-v1 §2.1). */
export interface LogEntryValue {
  readonly attestation?: { readonly data: string }
  readonly body: string
  readonly integratedTime: number
  /** Hex. */
  readonly logID: string
  /** Over all trees of the log. */
  readonly logIndex: number
  readonly verification: {
    readonly inclusionProof: {
      readonly checkpoint: string
      readonly hashes: readonly string[]
      /** In its tree. */
      readonly logIndex: number
      readonly rootHash: string
      readonly treeSize: number
    }
    readonly signedEntryTimestamp: string
  }
}

export interface LoggedEntry {
  /** 80 hex digits: what Rekor calls the entry everywhere. */
  readonly entryId: string
  readonly entry: LogEntryValue
}

/** Everything an entry is rendered from. */
export interface EntryParts {
  readonly record: Pick<TreeRecord, 'treeId' | 'offset'>
  /** 32 bytes. */
  readonly logId: Uint8Array
  readonly leaf: Required<StoredLeaf>
  readonly checkpoint: Checkpoint
  /** In the tree of `checkpoint`. */
  readonly inclusionProof: readonly Uint8Array[]
  readonly attestation?: Uint8Array | undefined
}

/** The entry as clients get it. Pure; whether the proof holds is for the caller to know. */
export function renderLogEntry(parts: EntryParts): LoggedEntry {
  const { record, leaf, checkpoint, attestation } = parts
  const entry: LogEntryValue = {
    ...(attestation === undefined ? {} : { attestation: { data: encodeBase64(attestation) } }),
    body: encodeBase64(leaf.leafValue),
    integratedTime: leaf.integratedTimeSeconds,
    logID: encodeHex(parts.logId),
    logIndex: record.offset + leaf.leafIndex,
    verification: {
      inclusionProof: {
        checkpoint: checkpoint.note,
        hashes: encodeHexEach(parts.inclusionProof),
        logIndex: leaf.leafIndex,
        rootHash: encodeHex(checkpoint.treeHead.rootHash),
        treeSize: checkpoint.treeHead.treeSize
      },
      signedEntryTimestamp: encodeBase64(leaf.inclusionPromise)
    }
  }
  return { entryId: formatEntryId(record.treeId, leaf.leafHash), entry }
}
