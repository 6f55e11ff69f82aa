import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { type LogError, isLogError } from '../errors.js'
import { HASH_BYTES, hashLeaf } from '../merkle/hash.js'
import { TILE_WIDTH } from '../merkle/tiles.js'
import type { TreeHead } from '../merkle/tree.js'
import type { Database, LogStore, TreeRecord } from '../store/log-store.js'
import { sha256 } from '../store/sha256.js'
import type { AuditedLeaf } from '../store/store-audit.js'
import { CheckpointChecker } from './check-checkpoints.js'
import { checkDerived, checkPromises, type KeyLookUp } from './check-derived.js'
import { badThing } from './check-error.js'
import { TileChecker } from './check-tiles.js'
import type { LeafChecks } from './leaf-checks.js'
import type { LeafDigests } from './leaf-digests.js'
import { RightEdge } from './right-edge.js'
import type { TreeWalk } from './tree-walk.js'

/** Leaves of a tree that are checked in one go. */
export interface LeafRange {
  readonly tree: TreeRecord
  /** Committed. */
  readonly head: TreeHead
  /** Undefined when nothing was ever published. */
  readonly publishedSize: number | undefined
  /** From here. */
  readonly walk: TreeWalk
  /** Up to here; to the last leaf there is without. */
  readonly end: number | undefined
  readonly lookUp: KeyLookUp
}

/** What a range was found to hold. */
export interface CheckedRange {
  /** Where the next one goes on. */
  readonly walk: TreeWalk
  readonly checkpoints: number
  readonly promises: number
  readonly submissions: number
  readonly extraData: number
}

/**
 * Recomputes leaf hashes and nodes of a range from the bytes of its leaves, in one pass, and compares everything that is stored
 * about it: hashes, times, tiles that become full, every checkpoint at its size, promises, and what is kept with leaves.
 *
 * @param digests gets what the index tables must hold about each leaf
 * @param onLeaves is told how many leaves more are done
 * @throws LogError `integrity` about the first bad thing
 */
export async function checkLeaves(
  database: Database,
  { tree, head, publishedSize, walk, end, lookUp }: LeafRange,
  checks: LeafChecks,
  digests: LeafDigests,
  onLeaves: (more: number) => void
): Promise<CheckedRange> {
  const { treeId } = tree
  const store = database.logStore(treeId)
  const start = walk.treeSize
  const edge = new RightEdge(start, walk.range)
  const tiles = new TileChecker(store, walk.tiles)
  const addNode = (height: number, hash: Uint8Array): void => tiles.addNode(height, hash)
  const checkpoints = new CheckpointChecker(
    store,
    tree,
    (checkpoint) => checks.verifyCheckpoint(tree, checkpoint),
    start === 0 ? -1 : start // the one at its own size is of the range before
  )
  let lastTime = walk.lastTimeSeconds
  let promises = 0
  let submissions = 0
  let extraData = 0

  await checkpoints.compareAt(edge) // an empty tree may have been published
  for await (const page of database.audit.leaves(treeId, { start, end })) {
    // Everything that is cheap in order of leaves; then signatures, of all leaves before the first finding.
    const good: AuditedLeaf[] = []
    let finding: LogError | undefined
    try {
      for (const leaf of page) {
        checkLeaf(treeId, leaf, edge.treeSize, head, lastTime)
        if (!equalBytes(hashLeaf(leaf.leafValue, sha256), leaf.leafHash)) {
          throw await wrongHash(store, leaf)
        }
        checkPromiseIsThere(treeId, leaf, publishedSize ?? 0)
        lastTime = leaf.integratedTimeSeconds
        good.push(leaf)
        edge.push(leaf.leafHash, addNode)
        digests.xor(leaf.leafIndex, leaf.leafHash)
        if (edge.treeSize % TILE_WIDTH === 0) await tiles.compareFull()
        if (checkpoints.nextSize === edge.treeSize) await checkpoints.compareAt(edge)
      }
    } catch (err) {
      if (!isLogError(err)) throw err
      finding = err
    }
    promises += await checkPromises(tree, good, checks)
    submissions += await checkDerived(database, tree, good, checks, digests, lookUp)
    extraData += good.filter((leaf) => leaf.extraData !== undefined).length
    if (finding !== undefined) throw finding
    onLeaves(page.length)
  }
  return {
    walk: {
      treeSize: edge.treeSize,
      // Copies: what goes to another thread takes the whole buffer along that it is a view of.
      range: edge.range.map((hash) => hash.slice()),
      tiles: tiles.levels.map((tile) => ({ ...tile, hashes: tile.hashes.slice() })),
      lastTimeSeconds: lastTime
    },
    checkpoints: checkpoints.count,
    promises,
    submissions,
    extraData
  }
}

function checkLeaf(
  treeId: string,
  { leafIndex, leafHash, integratedTimeSeconds, attestation }: AuditedLeaf,
  expectedIndex: number,
  { treeSize }: TreeHead,
  lastTime: number
): void {
  const place = { treeId, index: expectedIndex }
  if (leafIndex !== expectedIndex) {
    const problem = `leaf ${expectedIndex} of tree ${treeId} is missing, next is ${leafIndex}`
    throw badThing('leaf', place, problem)
  }
  if (leafIndex >= treeSize) {
    const problem = `leaf ${leafIndex} lies beyond the head of tree ${treeId} at size ${treeSize}`
    throw badThing('leaf', place, problem)
  }
  if (leafHash.length !== HASH_BYTES) {
    throw badThing(
      'leaf',
      place,
      `leaf hash ${leafIndex} of tree ${treeId} is not ${HASH_BYTES} bytes`
    )
  }
  if (!(integratedTimeSeconds >= lastTime)) {
    const problem =
      `leaf ${leafIndex} of tree ${treeId} has the time ${integratedTimeSeconds}, ` +
      `before the one in front of it (${lastTime})`
    throw badThing('leaf', place, problem)
  }
  if (attestation === 'missing') {
    const problem = `the attestation of leaf ${leafIndex} of tree ${treeId} is missing`
    throw badThing('attestation', place, problem)
  }
}

/** What is wrong where bytes do not hash to what is stored: the tile says which of the two was changed. */
async function wrongHash(store: LogStore, leaf: AuditedLeaf): Promise<LogError> {
  const computed = hashLeaf(leaf.leafValue, sha256)
  const tile = await store.tile(0, Math.floor(leaf.leafIndex / TILE_WIDTH))
  const offset = (leaf.leafIndex % TILE_WIDTH) * HASH_BYTES
  const inTile = tile?.subarray(offset, offset + HASH_BYTES) ?? new Uint8Array(0)
  const changed = equalBytes(inTile, computed)
    ? 'its leaf hash was changed'
    : equalBytes(inTile, leaf.leafHash)
      ? 'its bytes were changed'
      : 'the tile agrees with neither'
  return badThing(
    'leaf',
    { treeId: store.treeId, index: leaf.leafIndex },
    `leaf ${leaf.leafIndex} of tree ${store.treeId} hashes to ${encodeHex(computed)}, stored is ` +
      `${encodeHex(leaf.leafHash)}: ${changed}`
  )
}

/** Promises and the checkpoint that first commits to their leaves are stored together. */
function checkPromiseIsThere(treeId: string, leaf: AuditedLeaf, publishedSize: number): void {
  const published = leaf.leafIndex < publishedSize
  if (published === (leaf.inclusionPromise !== undefined)) return
  throw badThing(
    'promise',
    { treeId, index: leaf.leafIndex },
    published
      ? `leaf ${leaf.leafIndex} of tree ${treeId} is published without an inclusion promise`
      : `leaf ${leaf.leafIndex} of tree ${treeId} has an inclusion promise but is not published`
  )
}
