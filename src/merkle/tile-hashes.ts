import { LogError } from '../errors.js'
import { type LeafRange, type Subtree, coverRange, hashCompactRange } from './compact-range.js'
import { EMPTY_ROOT_HASH, HASH_BYTES, type Sha256, hashNode, portableSha256 } from './hash.js'
import type { SubtreeMemory } from './subtree-memory.js'
import { TILE_WIDTH, type TileSlots, isTreeSize, locateSubtree, tileKey } from './tiles.js'
import type { FetchTile } from './tree.js'

/**
 * Root hash of the tree as it was when it had `treeSize` leaves, from at most one tile a level.
 *
 * @param treeSize not above the size the tiles are of
 * @throws LogError `integrity` when a tile is missing or too short, `invalid_request` for an impossible size
 */
export async function rootHashAtSize(
  treeSize: number,
  fetchTile: FetchTile,
  sha256: Sha256 = portableSha256
): Promise<Uint8Array> {
  if (!isTreeSize(treeSize)) throw new LogError('invalid_request', `no tree size: ${treeSize}`)
  if (treeSize === 0) return EMPTY_ROOT_HASH.slice()
  const hashes = await hashLeafRanges([{ start: 0, end: treeSize }], fetchTile, sha256)
  return hashes[0] as Uint8Array // one range in, one hash out
}

/**
 * Hashes of the given ranges of leaves, in order. Reads each tile once, all of them at the same time, and none for what is
 * remembered.
 *
 * @param ranges none empty, all within the tree the tiles are of
 * @param memory of that tree; without it everything is computed
 * @throws LogError `integrity` when a tile is missing or too short
 */
export async function hashLeafRanges(
  ranges: readonly LeafRange[],
  fetchTile: FetchTile,
  sha256: Sha256 = portableSha256,
  memory?: SubtreeMemory
): Promise<readonly Uint8Array[]> {
  const covers = ranges.map(coverRange)
  const unknown: Subtree[] = []
  const hashes: (Uint8Array | undefined)[] = []
  for (const cover of covers) {
    for (const subtree of cover) {
      const known = memory?.get(subtree)
      hashes.push(known)
      if (known === undefined) unknown.push(subtree)
    }
  }
  const tiles = unknown.length === 0 ? NO_TILES : await fetchTiles(unknown, fetchTile)
  let at = 0
  return covers.map((cover) => {
    const range: Uint8Array[] = []
    // Proofs of one batch are computed together: another one may have computed it while the tiles were read.
    for (const subtree of cover) {
      range.push(
        hashes[at++] ?? memory?.get(subtree) ?? hashSubtree(subtree, tiles, sha256, memory)
      )
    }
    return hashCompactRange(range, sha256) as Uint8Array // no range is empty
  })
}

function hashSubtree(
  subtree: Subtree,
  tiles: ReadonlyMap<string, Uint8Array | undefined>,
  sha256: Sha256,
  memory: SubtreeMemory | undefined
): Uint8Array {
  const slots = locateSubtree(subtree)
  const tile = tiles.get(tileKey(slots))
  const hash = hashTileSlots(tile, slots, sha256)
  if (memory !== undefined && tile !== undefined) {
    // Whoever asks for one hash of a tile as it is asks for its neighbours next.
    if (slots.slots === 1) rememberTile(tile, slots, subtree, memory)
    else memory.set(subtree, hash)
  }
  return hash
}

const NO_TILES: ReadonlyMap<string, Uint8Array | undefined> = new Map()

/** From the right, where a tile grows: what is left of a remembered hash was remembered with it. */
function rememberTile(
  tile: Uint8Array,
  { tileIndex }: TileSlots,
  { height, index: asked }: Subtree,
  memory: SubtreeMemory
): void {
  const first = tileIndex * TILE_WIDTH
  const hashAt = (slot: number) => tile.subarray(slot * HASH_BYTES, (slot + 1) * HASH_BYTES)
  memory.set({ height, index: asked }, hashAt(asked - first))
  for (let slot = tile.length / HASH_BYTES - 1; slot >= 0; slot--) {
    const subtree = { height, index: first + slot }
    if (subtree.index === asked) continue
    if (memory.get(subtree) !== undefined) return
    memory.set(subtree, hashAt(slot))
  }
}

/** Tiles that hold these subtrees, each once. @returns bytes by `tileKey` */
async function fetchTiles(
  subtrees: readonly Subtree[],
  fetchTile: FetchTile
): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
  const needed = new Map<string, TileSlots>()
  for (const subtree of subtrees) {
    const slots = locateSubtree(subtree)
    needed.set(tileKey(slots), slots)
  }
  return new Map(
    await Promise.all(
      [...needed].map(
        async ([key, { level, tileIndex }]) => [key, await fetchTile(level, tileIndex)] as const
      )
    )
  )
}

/**
 * Root of the perfect subtree over `slots` neighbouring hashes of a tile.
 *
 * @param tile the tile's hashes, at least up to the last slot
 * @throws LogError `integrity` when the tile is missing, too short, or no multiple of a hash
 */
export function hashTileSlots(
  tile: Uint8Array | undefined,
  { level, tileIndex, firstSlot, slots }: TileSlots,
  sha256: Sha256 = portableSha256
): Uint8Array {
  if (tile === undefined) throw new LogError('integrity', `tile ${level}/${tileIndex} is missing`)
  const want = (firstSlot + slots) * HASH_BYTES
  if (tile.length < want || tile.length % HASH_BYTES !== 0) {
    throw new LogError(
      'integrity',
      `tile ${level}/${tileIndex} has ${tile.length} bytes, want at least ${want} and a multiple of ${HASH_BYTES}`
    )
  }
  if (slots === 1) return tile.slice(firstSlot * HASH_BYTES, want)
  if (sha256.tree !== undefined) return sha256.tree.subtree(tile, firstSlot, slots)
  // Level by level, halving the row: no recursion, no bookkeeping.
  let row: Uint8Array[] = []
  for (let slot = firstSlot; slot < firstSlot + slots; slot++) {
    row.push(tile.slice(slot * HASH_BYTES, (slot + 1) * HASH_BYTES))
  }
  while (row.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i < row.length; i += 2) {
      above.push(hashNode(row[i] as Uint8Array, row[i + 1] as Uint8Array, sha256)) // a power of two long
    }
    row = above
  }
  return row[0] as Uint8Array // slots > 1
}
