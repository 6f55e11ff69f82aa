import { integrate } from '../../src/merkle/integrate.js'
import type { FetchTile, ReadTile, Tile, TreeHead } from '../../src/merkle/tree.js'
import { at, referenceLeafHash, referenceTree, sha256 } from './rfc6962.js'
import type { ReferenceTree } from './rfc6962.js'

/** Leaf hashes of the test tree: leaf i is the ASCII decimal of i. */
export function decimalLeafHashes(count: number): Uint8Array[] {
  const encoder = new TextEncoder()
  return Array.from({ length: count }, (_, i) => referenceLeafHash(encoder.encode(String(i))))
}

/** A tree kept as tiles in memory, which counts what is read. */
export interface TileTree {
  readonly head: TreeHead
  readonly tiles: ReadonlyMap<string, Uint8Array>
  /** Coordinates read since the last `forget`, as `level/tileIndex`. */
  readonly reads: string[]
  readonly readTile: ReadTile
  readonly fetchTile: FetchTile
  /** @returns the tiles that `integrate` said have changed */
  add(leafHashes: readonly Uint8Array[]): readonly Tile[]
}

export function tileTree(): TileTree {
  const tiles = new Map<string, Uint8Array>()
  const reads: string[] = []
  let head: TreeHead = { treeSize: 0, rootHash: sha256() }
  const readTile: ReadTile = (level, tileIndex) => {
    reads.push(`${level}/${tileIndex}`)
    const tile = tiles.get(`${level}/${tileIndex}`)
    if (tile === undefined) throw new Error(`tile ${level}/${tileIndex} read but never written`)
    return tile
  }
  return {
    get head() {
      return head
    },
    tiles,
    reads,
    readTile,
    fetchTile: async (level, tileIndex) => {
      reads.push(`${level}/${tileIndex}`)
      return tiles.get(`${level}/${tileIndex}`)
    },
    add(leafHashes) {
      const result = integrate(head.treeSize, readTile, leafHashes, sha256)
      for (const { level, tileIndex, hashes } of result.tiles) {
        tiles.set(`${level}/${tileIndex}`, hashes)
      }
      head = result.treeHead
      return result.tiles
    }
  }
}

/** Sizes at which trees and tiles change shape, and one that is none of these. */
export const SIZES = [
  0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 767, 1000, 65535, 65536, 65537, 70000
] as const

export const LARGEST_SIZE = 70000

/** The largest test tree as tiles, and the same by the book. */
export function largestTree(): {
  readonly leafHashes: readonly Uint8Array[]
  readonly tree: TileTree
  readonly reference: ReferenceTree
} {
  const leafHashes = decimalLeafHashes(LARGEST_SIZE)
  const tree = tileTree()
  tree.add(leafHashes)
  tree.reads.length = 0
  return { leafHashes, tree, reference: referenceTree(leafHashes) }
}

/** Most tiles a proof may read: at each tile level the one it passes through and the one at the right edge. */
export function readBound(treeSize: number): number {
  let levels = 0
  for (let width = treeSize; width > 0; width = Math.floor(width / 256)) levels++
  return 2 * levels
}

/** Every way to damage a list of hashes that we try: a name and the damaged list. */
export function damagedProofs(
  proof: readonly Uint8Array[]
): readonly (readonly [string, readonly Uint8Array[]])[] {
  const damaged: (readonly [string, readonly Uint8Array[]])[] = [
    ['a hash too many at the end', [...proof, sha256()]],
    ['a hash too many at the start', [sha256(), ...proof]]
  ]
  proof.forEach((hash, i) => {
    const flipped = hash.slice()
    flipped[i % 32] = (flipped[i % 32] ?? 0) ^ (1 << (i % 8))
    damaged.push([`bit flipped in hash ${i}`, proof.with(i, flipped)])
    damaged.push([`hash ${i} missing`, proof.toSpliced(i, 1)])
    damaged.push([`hash ${i} twice`, proof.toSpliced(i, 0, hash)])
    damaged.push([`hash ${i} short`, proof.with(i, hash.slice(0, 31))])
    damaged.push([`hash ${i} long`, proof.with(i, Uint8Array.of(...hash, 0))])
    damaged.push([`hash ${i} empty`, proof.with(i, new Uint8Array(0))])
    if (i > 0) damaged.push([`hashes ${i - 1} and ${i} swapped`, swap(proof, i - 1, i)])
  })
  return damaged
}

function swap(proof: readonly Uint8Array[], i: number, j: number): readonly Uint8Array[] {
  return proof.with(i, at(proof, j)).with(j, at(proof, i))
}
