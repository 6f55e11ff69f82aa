import type Sqlite from 'better-sqlite3'
import { equalBytes } from '../../encoding/bytes.js'
import { encodeHex } from '../../encoding/hex.js'
import { LogError } from '../../errors.js'
import { rootHashAtSize } from '../../merkle/tile-hashes.js'
import type { Integrate, TreeHead } from '../../merkle/tree.js'
import type {
  Appended,
  Attestation,
  Checkpoint,
  InclusionPromise,
  LogStore,
  PendingLeaf,
  SideData,
  StoredLeaf
} from '../log-store.js'
import { digestSearchKeys, hashSearchKey } from '../search-key.js'
import { sha256 } from '../sha256.js'
import { toBytes } from './bytes.js'
import { translateErrors } from './errors.js'
import { firstIdOf, leafIdOf, leafIndexOf, tileIdOf } from './row-id.js'
import type { CheckpointRow, LeafRow, SideDataRow, Statements } from './statements.js'
import { type TreeRow, recordOfRow } from './tree-row.js'

/** The store of one tree. The driver is synchronous: when a call returns its promise, its effect is on disk. */
export function createLogStore(
  connection: Sqlite.Database,
  statements: Statements,
  treeKey: number,
  treeId: string
): LogStore {
  const append = connection.transaction(
    (batch: readonly PendingLeaf[], integrate: Integrate): readonly Appended[] => {
      const tree = readTree()
      if (tree.state === 'frozen') {
        throw new LogError('log_frozen', `tree ${treeId} takes no more entries`)
      }
      const { appended, fresh } = placeLeaves(batch, tree.tree_size)
      // Without new leaves nothing is written, so that repeating an entry costs no commit. An empty batch is a probe
      // and does commit: it writes the head that is there.
      if (fresh.length === 0 && batch.length > 0) return appended
      const head =
        fresh.length === 0
          ? headOf(tree)
          : addLeaves(
              tree,
              fresh.map(({ leaf }) => leaf),
              integrate
            )
      statements.updateHead.run(head.treeSize, head.rootHash, treeKey)
      return appended
    }
  ).immediate

  /** Gives each leaf its index: the one it has, or the next free one. */
  function placeLeaves(
    batch: readonly PendingLeaf[],
    treeSize: number
  ): { readonly appended: readonly Appended[]; readonly fresh: readonly FreshLeaf[] } {
    const fresh: FreshLeaf[] = []
    const byLeafHash = new Map<string, FreshLeaf>()
    const bySubmission = new Map<string, FreshLeaf>()
    const appended = batch.map((leaf): Appended => {
      const leafHash = encodeHex(leaf.leafHash)
      const submission =
        leaf.submissionHash === undefined ? undefined : encodeHex(leaf.submissionHash)
      // The leaf hash tells in any case: two submissions may come to one value, which must not be in the tree twice.
      const earlier =
        (submission === undefined ? undefined : bySubmission.get(submission)) ??
        byLeafHash.get(leafHash)
      if (earlier !== undefined) {
        return {
          leafIndex: earlier.leafIndex,
          integratedTimeSeconds: earlier.leaf.integratedTimeSeconds,
          duplicate: true
        }
      }
      const stored =
        (leaf.submissionHash === undefined
          ? undefined
          : statements.findSubmission.get(leaf.submissionHash, treeKey)) ??
        statements.findLeaf.get(leaf.leafHash, treeKey)
      if (stored !== undefined) {
        return {
          leafIndex: leafIndexOf(stored.leaf_id),
          integratedTimeSeconds: stored.integrated_time,
          duplicate: true
        }
      }
      const added = { leaf, leafIndex: treeSize + fresh.length }
      fresh.push(added)
      byLeafHash.set(leafHash, added)
      if (submission !== undefined) bySubmission.set(submission, added)
      return {
        leafIndex: added.leafIndex,
        integratedTimeSeconds: leaf.integratedTimeSeconds,
        duplicate: false
      }
    })
    return { appended, fresh }
  }

  function addLeaves(
    tree: TreeRow,
    leaves: readonly PendingLeaf[],
    integrate: Integrate
  ): TreeHead {
    const { treeHead, tiles } = integrate(
      tree.tree_size,
      (level, tileIndex) => {
        const tile = statements.tile.get(tileIdOf(treeKey, level, tileIndex))
        if (tile !== undefined) return toBytes(tile)
        throw new LogError('integrity', `tile ${level}/${tileIndex} of tree ${treeId} is missing`)
      },
      leaves.map((leaf) => leaf.leafHash)
    )
    if (treeHead.treeSize !== tree.tree_size + leaves.length) {
      throw new LogError(
        'internal',
        `integrating ${leaves.length} leaves into ${tree.tree_size} gave ${treeHead.treeSize}`
      )
    }
    leaves.forEach((leaf, i) => insertLeaf(leafIdOf(treeKey, tree.tree_size + i), leaf))
    for (const { level, tileIndex, hashes } of tiles) {
      statements.putTile.run(tileIdOf(treeKey, level, tileIndex), hashes)
    }
    return treeHead
  }

  function insertLeaf(leafId: number, leaf: PendingLeaf): void {
    const keyHashes = [...new Set(leaf.searchKeys)].map(hashSearchKey)
    statements.insertLeaf.run(
      leafId,
      leaf.leafHash,
      leaf.integratedTimeSeconds,
      digestSearchKeys(keyHashes),
      leaf.attestation === undefined ? null : keepAttestation(leaf.attestation),
      leaf.leafValue
    )
    for (const keyHash of keyHashes) statements.insertSearchKey.run(keyHash, leafId)
    const { submissionHash, extraData } = leaf
    if (submissionHash !== undefined) {
      statements.insertSubmission.run(submissionHash, leafId, treeKey)
    }
    if (extraData !== undefined) statements.insertExtraData.run(leafId, extraData)
  }

  /** @returns id of the row; content-addressed, so what is there already is the same */
  function keepAttestation({ key, value }: Attestation): number {
    const want = `sha256:${encodeHex(sha256(value))}`
    if (key !== want) {
      throw new LogError('internal', `attestation has the key ${key}, but its hash is ${want}`)
    }
    const id = statements.attestationId.get(key) ?? statements.insertAttestation.get(key, value)
    return id as number // an insert that returns without an error returns its row
  }

  const publish = connection.transaction(
    (
      expected: Checkpoint | undefined,
      next: Checkpoint,
      promises: readonly InclusionPromise[]
    ): Checkpoint => {
      if (expected !== undefined) assertPublished(expected.treeHead)
      for (const { leafIndex, promise } of promises) {
        statements.insertPromise.run(leafIdOf(treeKey, leafIndex), promise)
      }
      assertSameTree('the committed tree', headOf(readTree()), next.treeHead)
      const row = statements.checkpoint.get(treeKey)
      if (row !== undefined) {
        const published = checkpointOfRow(row)
        assertSameRoot('the published checkpoint', published.treeHead, next.treeHead)
        if (published.treeHead.treeSize >= next.treeHead.treeSize) return published
      }
      const { treeSize, rootHash } = next.treeHead
      statements.insertCheckpoint.run(treeKey, treeSize, rootHash, next.note)
      return next
    }
  ).immediate

  /** A checkpoint that somebody was given and that is not here: this database is older than what it signed. */
  function assertPublished({ treeSize, rootHash }: TreeHead): void {
    const row = statements.checkpointAt.get(treeKey, treeSize)
    if (row === undefined || !equalBytes(row.root_hash, rootHash)) {
      throw new LogError(
        'integrity',
        `tree ${treeId} was published at size ${treeSize} with root ${encodeHex(rootHash)}, which is not stored`,
        { details: { what: 'checkpoint', treeId, index: treeSize } }
      )
    }
  }

  function assertSameTree(what: string, committed: TreeHead, next: TreeHead): void {
    if (next.treeSize > committed.treeSize) {
      throw new LogError(
        'integrity',
        `cannot publish tree ${treeId} at size ${next.treeSize}: ${what} has ${committed.treeSize} leaves`
      )
    }
    assertSameRoot(what, committed, next)
  }

  function assertSameRoot(what: string, got: TreeHead, next: TreeHead): void {
    if (got.treeSize === next.treeSize && !equalBytes(got.rootHash, next.rootHash)) {
      throw new LogError(
        'integrity',
        `tree ${treeId} has two roots at size ${next.treeSize}: ${what} has ` +
          `${encodeHex(got.rootHash)}, about to be published is ${encodeHex(next.rootHash)}`
      )
    }
  }

  function readTree(): TreeRow {
    const row = statements.treeByKey.get(treeKey)
    if (row === undefined) throw new LogError('integrity', `tree ${treeId} is gone`)
    return row
  }

  function readTile(level: number, tileIndex: number): Uint8Array | undefined {
    const tile = statements.tile.get(tileIdOf(treeKey, level, tileIndex))
    return tile === undefined ? undefined : toBytes(tile)
  }

  function run<T>(what: string, action: () => T): T {
    return translateErrors(`tree ${treeId}: cannot ${what}`, action)
  }

  return {
    treeId,
    record: async () => run('read the tree', () => recordOfRow(readTree())),
    append: async (batch, integrate) => run('append', () => append(batch, integrate)),
    publish: async (expected, next, promises) => {
      const head = run('read the head', () => headOf(readTree()))
      if (next.treeHead.treeSize < head.treeSize) {
        // Tiles only ever grow, so what holds now holds inside the transaction below.
        const rootHash = await rootHashAtSize(
          next.treeHead.treeSize,
          async (level, tileIndex) => run('read a tile', () => readTile(level, tileIndex)),
          sha256
        )
        const then = { treeSize: next.treeHead.treeSize, rootHash }
        assertSameRoot('the committed tree', then, next.treeHead)
      }
      return run('publish', () => publish(expected, next, promises))
    },
    treeHead: async () => run('read the head', () => headOf(readTree())),
    checkpoint: async () =>
      run('read the checkpoint', () => {
        const row = statements.checkpoint.get(treeKey)
        return row === undefined ? undefined : checkpointOfRow(row)
      }),
    checkpoints: async (afterTreeSize, limit) =>
      run('read checkpoints', () =>
        statements.checkpoints.all(treeKey, afterTreeSize, limit).map(checkpointOfRow)
      ),
    tile: async (level, tileIndex) => run('read a tile', () => readTile(level, tileIndex)),
    leaf: async (leafIndex) =>
      run('read a leaf', () => {
        const row = statements.leaf.get(leafIdOf(treeKey, leafIndex))
        return row === undefined ? undefined : leafOfRow(row)
      }),
    leaves: async (start, end) =>
      run('read leaves', () =>
        statements.leaves.all(leafIdOf(treeKey, start), firstIdOf(treeKey) + end).map(leafOfRow)
      ),
    findLeaf: async (leafHash) =>
      run('find a leaf', () => {
        const leafId = statements.findLeafId.get(leafHash, treeKey)
        return leafId === undefined ? undefined : leafIndexOf(leafId)
      }),
    findSubmission: async (submissionHash) =>
      run('find a submission', () => {
        const row = statements.findSubmission.get(submissionHash, treeKey)
        return row === undefined ? undefined : leafIndexOf(row.leaf_id)
      }),
    sideData: async (start, end) =>
      run('read side data', () =>
        statements.sideData
          .all(leafIdOf(treeKey, start), firstIdOf(treeKey) + end)
          .map(sideDataOfRow)
      )
  }
}

/** A leaf of a batch that gets a new index. */
interface FreshLeaf {
  readonly leaf: PendingLeaf
  readonly leafIndex: number
}

function headOf(tree: TreeRow): TreeHead {
  return { treeSize: tree.tree_size, rootHash: toBytes(tree.root_hash) }
}

function checkpointOfRow(row: CheckpointRow): Checkpoint {
  return {
    treeHead: { treeSize: row.tree_size, rootHash: toBytes(row.root_hash) },
    note: row.note
  }
}

function sideDataOfRow(row: SideDataRow): SideData {
  return {
    leafIndex: leafIndexOf(row.leaf_id),
    ...(row.extra_data === null ? {} : { extraData: toBytes(row.extra_data) }),
    ...(row.attestation === null ? {} : { attestation: toBytes(row.attestation) })
  }
}

function leafOfRow(row: LeafRow): StoredLeaf {
  return {
    leafIndex: leafIndexOf(row.leaf_id),
    leafHash: toBytes(row.leaf_hash),
    leafValue: toBytes(row.leaf_value),
    integratedTimeSeconds: row.integrated_time,
    ...(row.promise === null ? {} : { inclusionPromise: toBytes(row.promise) })
  }
}
