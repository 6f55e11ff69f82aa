import { type CompactRange, coverRange, hashCompactRange } from '../merkle/compact-range.js'
import { EMPTY_ROOT_HASH, hashNode } from '../merkle/hash.js'
import { hashLeafRanges } from '../merkle/tile-hashes.js'
import type { FetchTile } from '../merkle/tree.js'
import { sha256 } from '../store/sha256.js'

/**
 * The right edge of a growing tree in memory: roots of the perfect subtrees that cover all leaves so far. Enough to
 * add leaves and to know the root, without any storage. It follows another path than `integrate`, which works on
 * tiles, so that each can be held against the other.
 */
export class RightEdge {
  #treeSize: number
  readonly #range: Uint8Array[]

  /** @param range compact range of the leaves [0, treeSize) */
  constructor(treeSize = 0, range: CompactRange = []) {
    this.#treeSize = treeSize
    this.#range = [...range]
  }

  get treeSize(): number {
    return this.#treeSize
  }

  /** Compact range of all leaves so far. */
  get range(): CompactRange {
    return [...this.#range]
  }

  clone(): RightEdge {
    return new RightEdge(this.#treeSize, this.#range)
  }

  /**
   * Adds a leaf.
   *
   * @param onNode is told each perfect subtree that the leaf completes, from the leaf itself (height 0) up
   */
  push(leafHash: Uint8Array, onNode?: (height: number, hash: Uint8Array) => void): void {
    let hash = leafHash
    onNode?.(0, hash)
    // One subtree for each 1 bit of the size: adding a leaf joins subtrees like a binary carry.
    let height = 0
    for (let rest = this.#treeSize; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      hash = hashNode(this.#range.pop() as Uint8Array, hash, sha256) // one for each 1 bit
      height++
      onNode?.(height, hash)
    }
    this.#range.push(hash)
    this.#treeSize++
  }

  rootHash(): Uint8Array {
    return hashCompactRange(this.#range, sha256) ?? EMPTY_ROOT_HASH
  }
}

/**
 * Right edge of a stored tree as it was at `treeSize`, from at most one tile a level.
 * @throws LogError `integrity` when a tile is missing or too short
 */
export async function loadRightEdge(treeSize: number, fetchTile: FetchTile): Promise<RightEdge> {
  const subtrees = coverRange({ start: 0, end: treeSize }).map(({ height, index }) => {
    const leaves = 2 ** height
    return { start: index * leaves, end: (index + 1) * leaves }
  })
  return new RightEdge(treeSize, await hashLeafRanges(subtrees, fetchTile, sha256))
}
