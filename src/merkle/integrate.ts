import { LogError } from '../errors.js'
import { coverRange, hashCompactRange } from './compact-range.js'
import { EMPTY_ROOT_HASH, HASH_BYTES, type Sha256, portableSha256 } from './hash.js'
import { hashTileSlots } from './tile-hashes.js'
import { TILE_WIDTH, isTreeSize, levelWidth } from './tiles.js'
import type { ReadTile, Tile, TreeHead } from './tree.js'

/**
 * Extends a tree of `treeSize` leaves. Satisfies the type `Integrate`.
 *
 * Reads at most one partial tile a level. Gives exactly the tiles that are new or wider than before, each as wide as
 * it is after the batch: level by level from the leaves, left to right.
 *
 * @param leafHashes 32 bytes each (see hashLeaf), in the order of their new indexes; may be empty
 * @throws LogError `integrity` when a tile is missing or not exactly as wide as `treeSize` says, when a leaf hash
 *   has another length, or when sizes leave the safe integers
 */
export function integrate(
  treeSize: number,
  readTile: ReadTile,
  leafHashes: readonly Uint8Array[],
  sha256: Sha256 = portableSha256
): { readonly treeHead: TreeHead; readonly tiles: readonly Tile[] } {
  const newSize = treeSize + leafHashes.length
  if (!isTreeSize(treeSize) || !isTreeSize(newSize)) {
    throw new LogError('integrity', `cannot add ${leafHashes.length} leaves to ${treeSize}`)
  }
  for (const leafHash of leafHashes) {
    if (leafHash.length !== HASH_BYTES) {
      throw new LogError('integrity', `leaf hash of ${leafHash.length} bytes, want ${HASH_BYTES}`)
    }
  }

  const tiles: Tile[] = []
  // Hashes of the right-edge tile after the batch, by level: what the new root is made of.
  const edges: Uint8Array[] = []
  let added = leafHashes
  for (let level = 0; levelWidth(level, newSize) > 0; level++) {
    const grown = growLevel(level, levelWidth(level, treeSize), readTile, added, sha256)
    for (const tile of grown.tiles) tiles.push(tile)
    edges.push(grown.edge)
    added = grown.fullTileHashes
  }
  return { treeHead: { treeSize: newSize, rootHash: rootOfEdges(edges, sha256) }, tiles }
}

interface GrownLevel {
  readonly tiles: readonly Tile[]
  /** The partial tile at the end; empty when the last tile is full. */
  readonly edge: Uint8Array
  /** Hashes of the tiles that became full: what the level above gains. */
  readonly fullTileHashes: readonly Uint8Array[]
}

function growLevel(
  level: number,
  widthBefore: number,
  readTile: ReadTile,
  added: readonly Uint8Array[],
  sha256: Sha256
): GrownLevel {
  const firstTile = Math.floor(widthBefore / TILE_WIDTH)
  const before = readEdge(level, firstTile, widthBefore % TILE_WIDTH, readTile)
  const hashes = new Uint8Array(before.length + added.length * HASH_BYTES)
  hashes.set(before)
  added.forEach((hash, i) => hashes.set(hash, before.length + i * HASH_BYTES))

  const tiles: Tile[] = []
  const fullTileHashes: Uint8Array[] = []
  const tileBytes = TILE_WIDTH * HASH_BYTES
  let edge = before
  for (let offset = 0; added.length > 0 && offset < hashes.length; offset += tileBytes) {
    const tileIndex = firstTile + offset / tileBytes
    const tile: Tile = { level, tileIndex, hashes: hashes.slice(offset, offset + tileBytes) }
    tiles.push(tile)
    const full = tile.hashes.length === tileBytes
    edge = full ? new Uint8Array(0) : tile.hashes
    if (full) {
      const slots = { level, tileIndex, firstSlot: 0, slots: TILE_WIDTH }
      fullTileHashes.push(hashTileSlots(tile.hashes, slots, sha256))
    }
  }
  return { tiles, edge, fullTileHashes }
}

/**
 * The partial tile a batch continues. Anything but the exact width means that tiles and tree size contradict each
 * other, and continuing would sign a root that no tile set can prove.
 */
function readEdge(level: number, tileIndex: number, width: number, readTile: ReadTile): Uint8Array {
  if (width === 0) return new Uint8Array(0)
  const tile = readTile(level, tileIndex)
  if (tile.length !== width * HASH_BYTES) {
    throw new LogError(
      'integrity',
      `tile ${level}/${tileIndex} has ${tile.length} bytes, want ${width * HASH_BYTES}`
    )
  }
  return tile
}

/** Root over the right-edge tiles: the levels above come first, as they cover the leaves further left. */
function rootOfEdges(edges: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  const range = edges
    .map((hashes, level) =>
      coverRange({ start: 0, end: hashes.length / HASH_BYTES }).map(({ height, index }) => {
        const slots = 2 ** height
        return hashTileSlots(
          hashes,
          { level, tileIndex: 0, firstSlot: index * slots, slots },
          sha256
        )
      })
    )
    .reverse()
    .flat()
  return hashCompactRange(range, sha256) ?? EMPTY_ROOT_HASH.slice()
}
