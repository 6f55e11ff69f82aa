import type { TreeRecord, TreeState } from '../log-store.js'
import { toBytes } from './bytes.js'

/** A row of `tree`, as the driver gives it. */
export interface TreeRow {
  readonly tree_key: number
  readonly tree_id: string
  readonly log: 'rekor' | 'ct' // held by a check constraint
  readonly position: number
  readonly leaf_offset: number
  readonly origin: string
  readonly public_key: Uint8Array
  readonly key_name: string
  readonly created_time: number
  readonly state: TreeState // held by a check constraint
  readonly tree_size: number
  readonly root_hash: Uint8Array
}

export function recordOfRow(row: TreeRow): TreeRecord {
  return {
    treeId: row.tree_id,
    log: row.log,
    position: row.position,
    offset: row.leaf_offset,
    origin: row.origin,
    publicKey: toBytes(row.public_key),
    keyName: row.key_name,
    state: row.state,
    createdTimeSeconds: row.created_time
  }
}
