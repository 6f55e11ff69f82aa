import type Sqlite from 'better-sqlite3'
import type { TreeRow } from './tree-row.js'

export interface LeafRow {
  readonly leaf_id: number
  readonly leaf_hash: Uint8Array
  readonly integrated_time: number
  readonly leaf_value: Uint8Array
  readonly promise: Uint8Array | null
}

export interface CheckpointRow {
  readonly tree_size: number
  readonly root_hash: Uint8Array
  readonly note: string
}

export interface LeafPlaceRow {
  readonly leaf_id: number
  readonly integrated_time: number
}

export interface SideDataRow {
  readonly leaf_id: number
  readonly extra_data: Uint8Array | null
  readonly attestation: Uint8Array | null
}

export type Statements = ReturnType<typeof prepareStatements>

/** Every statement of the log's read and write paths, compiled once per connection. */
export function prepareStatements(connection: Sqlite.Database) {
  const leafColumns = 'leaf_id, leaf_hash, integrated_time, leaf_value, promise'
  return {
    // tree
    treesOfLog: connection.prepare<[log: string], TreeRow>(
      'select * from tree where log = ? order by position'
    ),
    treeByKey: connection.prepare<[treeKey: number], TreeRow>(
      'select * from tree where tree_key = ?'
    ),
    treeById: connection.prepare<[treeId: string], TreeRow>('select * from tree where tree_id = ?'),
    insertTree: connection.prepare<
      [
        treeId: string,
        log: string,
        position: number,
        leafOffset: number,
        origin: string,
        publicKey: Uint8Array,
        keyName: string,
        createdTime: number,
        rootHash: Uint8Array
      ],
      TreeRow
    >(
      `insert into tree (tree_id, log, position, leaf_offset, origin, public_key, key_name, created_time, state,
                         tree_size, root_hash)
       values (?, ?, ?, ?, ?, ?, ?, ?, 'active', 0, ?) returning *`
    ),
    freezeTree: connection.prepare<[treeKey: number]>(
      `update tree set state = 'frozen' where tree_key = ?`
    ),
    updateHead: connection.prepare<[treeSize: number, rootHash: Uint8Array, treeKey: number]>(
      'update tree set tree_size = ?, root_hash = ? where tree_key = ?'
    ),

    // leaf
    findLeaf: connection.prepare<[leafHash: Uint8Array, treeKey: number], LeafPlaceRow>(
      'select leaf_id, integrated_time from leaf where leaf_hash = ? and tree_key = ?'
    ),
    findLeafId: connection
      .prepare<[leafHash: Uint8Array, treeKey: number], number>(
        'select leaf_id from leaf where leaf_hash = ? and tree_key = ?'
      )
      .pluck(),
    leaf: connection.prepare<[leafId: number], LeafRow>(
      `select ${leafColumns} from leaf left join inclusion_promise using (leaf_id) where leaf_id = ?`
    ),
    leaves: connection.prepare<[start: number, end: number], LeafRow>(
      `select ${leafColumns} from leaf left join inclusion_promise using (leaf_id)
       where leaf_id >= ? and leaf_id < ? order by leaf_id`
    ),
    insertLeaf: connection.prepare<
      [
        leafId: number,
        leafHash: Uint8Array,
        integratedTime: number,
        searchDigest: Uint8Array,
        attestationId: number | null,
        leafValue: Uint8Array
      ]
    >(
      `insert into leaf (leaf_id, leaf_hash, integrated_time, search_digest, attestation_id, leaf_value)
       values (?, ?, ?, ?, ?, ?)`
    ),
    insertPromise: connection.prepare<[leafId: number, promise: Uint8Array]>(
      'insert into inclusion_promise (leaf_id, promise) values (?, ?) on conflict do nothing'
    ),

    // what is kept with a leaf
    findSubmission: connection.prepare<[submissionHash: Uint8Array, treeKey: number], LeafPlaceRow>(
      `select leaf_id, integrated_time from submission join leaf using (leaf_id)
       where submission_hash = ? and submission.tree_key = ?`
    ),
    insertSubmission: connection.prepare<
      [submissionHash: Uint8Array, leafId: number, treeKey: number]
    >('insert into submission (submission_hash, leaf_id, tree_key) values (?, ?, ?)'),
    insertExtraData: connection.prepare<[leafId: number, value: Uint8Array]>(
      'insert into extra_data (leaf_id, value) values (?, ?)'
    ),
    sideData: connection.prepare<[start: number, end: number], SideDataRow>(
      `select leaf_id, extra_data.value as extra_data, attestation.value as attestation
       from leaf left join extra_data using (leaf_id) left join attestation using (attestation_id)
       where leaf_id >= ? and leaf_id < ? order by leaf_id`
    ),

    // search index
    insertSearchKey: connection.prepare<[keyHash: Uint8Array, leafId: number]>(
      'insert into search_key (key_hash, leaf_id) values (?, ?)'
    ),
    search: connection.prepare<
      [keyHash: Uint8Array, log: string, limit: number],
      { tree_id: string; leaf_id: number; leaf_hash: Uint8Array }
    >(
      // leaf_id grows with the order in which trees were created, so its order is the order of integration.
      `select tree_id, leaf_id, leaf_hash
       from search_key join leaf using (leaf_id) join tree using (tree_key)
       where key_hash = ? and log = ? order by leaf_id limit ?`
    ),

    // attestation
    attestationId: connection
      .prepare<[key: string], number>(
        'select attestation_id from attestation where attestation_key = ?'
      )
      .pluck(),
    attestation: connection
      .prepare<[key: string], Uint8Array>('select value from attestation where attestation_key = ?')
      .pluck(),
    insertAttestation: connection
      .prepare<[key: string, value: Uint8Array], number>(
        'insert into attestation (attestation_key, value) values (?, ?) returning attestation_id'
      )
      .pluck(),

    // tile
    tile: connection
      .prepare<[tileId: number], Uint8Array>('select hashes from tile where tile_id = ?')
      .pluck(),
    putTile: connection.prepare<[tileId: number, hashes: Uint8Array]>(
      `insert into tile (tile_id, hashes) values (?, ?)
       on conflict (tile_id) do update set hashes = excluded.hashes`
    ),

    // checkpoint
    checkpoint: connection.prepare<[treeKey: number], CheckpointRow>(
      `select tree_size, root_hash, note from checkpoint where tree_key = ?
       order by tree_size desc limit 1`
    ),
    checkpointAt: connection.prepare<[treeKey: number, treeSize: number], CheckpointRow>(
      'select tree_size, root_hash, note from checkpoint where tree_key = ? and tree_size = ?'
    ),
    checkpoints: connection.prepare<
      [treeKey: number, afterTreeSize: number, limit: number],
      CheckpointRow
    >(
      `select tree_size, root_hash, note from checkpoint where tree_key = ? and tree_size > ?
       order by tree_size limit ?`
    ),
    insertCheckpoint: connection.prepare<
      [treeKey: number, treeSize: number, rootHash: Uint8Array, note: string]
    >('insert into checkpoint (tree_key, tree_size, root_hash, note) values (?, ?, ?, ?)'),

    // register
    readCell: connection
      .prepare<[key: string], Uint8Array>('select value from register where register_key = ?')
      .pluck(),
    insertCell: connection.prepare<[key: string, value: Uint8Array]>(
      'insert into register (register_key, value) values (?, ?) on conflict do nothing'
    ),
    updateCell: connection.prepare<[value: Uint8Array, key: string, expected: Uint8Array]>(
      'update register set value = ? where register_key = ? and value = ?'
    )
  }
}
