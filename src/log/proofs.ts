import { LogError } from '../errors.js'
import { buildConsistencyProof } from '../merkle/consistency-proof.js'
import { buildInclusionProof } from '../merkle/inclusion-proof.js'
import { createSubtreeMemory } from '../merkle/subtree-memory.js'
import { rootHashAtSize } from '../merkle/tile-hashes.js'
import type { FetchTile, TreeHead } from '../merkle/tree.js'
import type { LogStore } from '../store/log-store.js'
import { sha256 } from '../store/sha256.js'

/** Proves things about one tree, many times: what it computed for one proof it remembers for the next. */
export interface Prover {
  /**
   * Sibling hashes that prove a leaf to be in the tree at `treeSize`, nearest the leaf first. Reads a handful of tiles
   * and no leaf, whatever the size.
   *
   * @param treeSize any size the tree ever had, also long ago
   * @throws LogError `invalid_request` when that tree has no such leaf, or there is no such tree yet
   */
  inclusion(leafIndex: number, treeSize: number): Promise<readonly Uint8Array[]>
  /**
   * Hashes that prove the tree at `secondSize` to begin with the tree at `firstSize`.
   *
   * @throws LogError `invalid_request` when there is no proof between these sizes (see planConsistencyProof), or there
   *   is no such tree yet
   */
  consistency(firstSize: number, secondSize: number): Promise<readonly Uint8Array[]>
}

/** 20 MB at most, and more than all right edges and the tops of the largest trees. */
const REMEMBERED_HASHES = 65_536

export function createProver(store: LogStore): Prover {
  const memory = createSubtreeMemory(REMEMBERED_HASHES)
  const reading = new Map<string, Promise<Uint8Array | undefined>>()
  let reached = 0

  /** Proofs of one batch are computed together and want the same tiles. */
  const fetchTile: FetchTile = (level, tileIndex) => {
    const key = `${level}/${tileIndex}`
    const known = reading.get(key)
    if (known !== undefined) return known
    const tile = store.tile(level, tileIndex).finally(() => reading.delete(key))
    reading.set(key, tile)
    return tile
  }

  /** A tree never shrinks, so it need not be asked again for sizes it had. */
  async function assertSize(treeSize: number): Promise<void> {
    if (treeSize <= reached) return
    await assertReached(store, treeSize)
    reached = treeSize
  }

  return {
    async inclusion(leafIndex, treeSize) {
      await assertSize(treeSize)
      return buildInclusionProof(leafIndex, treeSize, fetchTile, sha256, memory)
    },
    async consistency(firstSize, secondSize) {
      await assertSize(secondSize)
      return buildConsistencyProof(firstSize, secondSize, fetchTile, sha256, memory)
    }
  }
}

/**
 * The head the tree had at `treeSize`.
 * @throws LogError `invalid_request` when it never was that large
 */
export async function treeHeadAtSize(store: LogStore, treeSize: number): Promise<TreeHead> {
  await assertReached(store, treeSize)
  return { treeSize, rootHash: await rootHashAtSize(treeSize, tilesOf(store), sha256) }
}

/** Asking beyond the head is the caller's mistake; without this it would look like a missing tile. */
async function assertReached(store: LogStore, treeSize: number): Promise<void> {
  const head = await store.treeHead()
  if (!(treeSize <= head.treeSize)) {
    throw new LogError(
      'invalid_request',
      `tree ${store.treeId} has ${head.treeSize} leaves, not ${treeSize}`
    )
  }
}

function tilesOf(store: LogStore): FetchTile {
  return (level, tileIndex) => store.tile(level, tileIndex)
}
