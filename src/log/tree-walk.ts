import { equalBytes } from '../encoding/bytes.js'
import { isLogError } from '../errors.js'
import type { CompactRange } from '../merkle/compact-range.js'
import { HASH_BYTES } from '../merkle/hash.js'
import { TILE_WIDTH } from '../merkle/tiles.js'
import type { LogStore } from '../store/log-store.js'
import type { GrowingTile } from './check-tiles.js'
import { loadRightEdge } from './right-edge.js'

/** How far a check of the leaves of a tree has come, and all that the check of the next leaf needs to know. Plain data. */
export interface TreeWalk {
  /** Leaves so far. */
  readonly treeSize: number
  readonly range: CompactRange
  /** By level. */
  readonly tiles: readonly Readonly<GrowingTile>[]
  /** Of the last leaf. */
  readonly lastTimeSeconds: number
}

export const START_OF_TREE: TreeWalk = {
  treeSize: 0,
  range: [],
  tiles: [],
  lastTimeSeconds: Number.NEGATIVE_INFINITY
}

/**
 * Where a check of all leaves before would have come to, if what is stored is good: so that a range of leaves can be checked
 * before those in front of it are. It is a guess: it has to be compared (isSameWalk) with what those lead to.
 *
 * @param treeSize a multiple of TILE_WIDTH, above 0
 * @returns undefined when what is stored leads nowhere
 */
export async function guessWalk(store: LogStore, treeSize: number): Promise<TreeWalk | undefined> {
  try {
    const fetchTile = (level: number, tileIndex: number) => store.tile(level, tileIndex)
    const { range } = await loadRightEdge(treeSize, fetchTile)
    const last = await store.leaf(treeSize - 1)
    const tiles: GrowingTile[] = []
    let hashes = treeSize
    for (let level = 0; hashes > 0; level++) {
      tiles.push(await growingTile(store, level, hashes))
      hashes = Math.floor(hashes / TILE_WIDTH)
    }
    if (last === undefined) return undefined
    const copies = range.map((hash) => hash.slice()) // of their own buffers, for other threads
    return { treeSize, range: copies, tiles, lastTimeSeconds: last.integratedTimeSeconds }
  } catch (err) {
    if (isLogError(err)) return undefined // whoever comes to it in order finds it, and says it well
    throw err
  }
}

/** @param hashes on this level, at least 1 */
async function growingTile(store: LogStore, level: number, hashes: number): Promise<GrowingTile> {
  const tileIndex = Math.ceil(hashes / TILE_WIDTH) - 1
  const width = hashes - tileIndex * TILE_WIDTH
  const grown = new Uint8Array(TILE_WIDTH * HASH_BYTES)
  if (width < TILE_WIDTH) {
    const stored = (await store.tile(level, tileIndex)) ?? new Uint8Array(0)
    grown.set(stored.subarray(0, width * HASH_BYTES))
  }
  return { tileIndex, width, hashes: grown }
}

/** Whether the check of the next leaves goes on in the same way from both. */
export function isSameWalk(a: TreeWalk, b: TreeWalk): boolean {
  return (
    a.treeSize === b.treeSize &&
    a.lastTimeSeconds === b.lastTimeSeconds &&
    a.range.length === b.range.length &&
    a.range.every((hash, i) => equalBytes(hash, b.range[i] as Uint8Array)) && // as long
    a.tiles.length === b.tiles.length &&
    a.tiles.every((tile, level) => isSameTile(tile, b.tiles[level] as GrowingTile)) // as many
  )
}

/** A full tile was compared and is gone with the next hash: what is in it no longer matters. */
function isSameTile(a: Readonly<GrowingTile>, b: Readonly<GrowingTile>): boolean {
  if (a.tileIndex !== b.tileIndex || a.width !== b.width) return false
  if (a.width === TILE_WIDTH) return true
  const bytes = a.width * HASH_BYTES
  return equalBytes(a.hashes.subarray(0, bytes), b.hashes.subarray(0, bytes))
}
