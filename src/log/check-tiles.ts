import { equalBytes } from '../encoding/bytes.js'
import { HASH_BYTES } from '../merkle/hash.js'
import { TILE_HEIGHT, TILE_WIDTH, tilesOfTree } from '../merkle/tiles.js'
import type { LogStore } from '../store/log-store.js'
import type { StoreAudit } from '../store/store-audit.js'
import { badThing } from './check-error.js'

/** The tile of one level that is being filled. */
export interface GrowingTile {
  tileIndex: number
  /** A full tile stays until the first hash of the next one. */
  width: number
  /** As long as a full tile. */
  readonly hashes: Uint8Array
}

/**
 * Builds the tiles anew from the nodes of the tree as it grows leaf by leaf, and holds each against the stored one.
 * Keeps one tile a level.
 */
export class TileChecker {
  readonly #store: LogStore
  readonly #levels: GrowingTile[]

  /** @param levels as another checker left them at the same size; none for an empty tree */
  constructor(store: LogStore, levels: readonly Readonly<GrowingTile>[] = []) {
    this.#store = store
    this.#levels = levels.map((tile) => ({ ...tile, hashes: tile.hashes.slice() }))
  }

  /** What the next leaves go on with. */
  get levels(): readonly Readonly<GrowingTile>[] {
    return this.#levels
  }

  /** Takes a perfect subtree as soon as it is complete, lower ones first (see RightEdge.push). */
  addNode(height: number, hash: Uint8Array): void {
    if (height % TILE_HEIGHT !== 0) return
    const level = height / TILE_HEIGHT
    let tile = this.#levels[level]
    if (tile === undefined || tile.width === TILE_WIDTH) {
      const tileIndex = tile === undefined ? 0 : tile.tileIndex + 1
      tile = { tileIndex, width: 0, hashes: new Uint8Array(TILE_WIDTH * HASH_BYTES) }
      this.#levels[level] = tile
    }
    tile.hashes.set(hash, tile.width * HASH_BYTES)
    tile.width++
  }

  /** Compares the tiles that just became full. To be called after each leaf that ends a tile of leaves. */
  async compareFull(): Promise<void> {
    for (let level = 0; level < this.#levels.length; level++) {
      if (this.#levels[level]?.width !== TILE_WIDTH) return // only below full tiles a tile can become full
      await this.#compare(level)
    }
  }

  /** Compares what is left at the right edge. */
  async compareRest(): Promise<void> {
    for (let level = 0; level < this.#levels.length; level++) {
      if (this.#levels[level]?.width !== TILE_WIDTH) await this.#compare(level)
    }
  }

  async #compare(level: number): Promise<void> {
    const growing = this.#levels[level]
    if (growing === undefined) return
    const { tileIndex, width, hashes } = growing
    const { treeId } = this.#store
    const stored = await this.#store.tile(level, tileIndex)
    const got = width * HASH_BYTES
    const name = `tile ${level}/${tileIndex} of tree ${treeId}`
    if (stored === undefined) {
      throw badThing('tile', { treeId, level, index: tileIndex }, `${name} is missing`)
    }
    if (stored.length !== got) {
      const problem = `${name} is ${stored.length / HASH_BYTES} hashes wide, want ${width}`
      throw badThing('tile', { treeId, level, index: tileIndex }, problem)
    }
    for (let slot = 0; slot < width; slot++) {
      const from = slot * HASH_BYTES
      const to = from + HASH_BYTES
      if (!equalBytes(stored.subarray(from, to), hashes.subarray(from, to))) {
        const problem = `${name} is not what the entries give: its hash ${slot} differs`
        throw badThing('tile', { treeId, level, index: tileIndex }, problem)
      }
    }
  }
}

/**
 * Checks that a tree has the tiles its size calls for and no others. What is in them, TileChecker compares.
 * @returns how many
 */
export async function checkTileList(
  audit: StoreAudit,
  treeId: string,
  treeSize: number
): Promise<number> {
  const wanted = tilesOfTree(treeSize)
  let count = 0
  for await (const page of audit.tiles(treeId)) {
    for (const { level, tileIndex, hashes } of page) {
      const want = wanted.next().value
      const width = hashes.length / HASH_BYTES
      if (want?.level !== level || want.tileIndex !== tileIndex || want.width !== width) {
        throw badThing(
          'tile',
          { treeId, level, index: tileIndex },
          `tile ${level}/${tileIndex} of width ${width} does not belong to tree ${treeId} of size ${treeSize}, or ` +
            'one before it is missing'
        )
      }
      count++
    }
  }
  const missing = wanted.next().value
  if (missing !== undefined) {
    const { level, tileIndex } = missing
    throw badThing(
      'tile',
      { treeId, level, index: tileIndex },
      `tile ${level}/${tileIndex} of tree ${treeId} is missing`
    )
  }
  return count
}
