import { type Sha256, hashChain, portableSha256 } from './hash.js'

/**
 * Leaves `start` up to and excluding `end`, being one side of a node of the tree: `start` is a multiple of the power
 * of two that reaches over `end - start`. Its hash is MTH(D[start:end]) of RFC 9162 section 2.1.1.
 */
export interface LeafRange {
  readonly start: number
  readonly end: number
}

/** A perfect subtree: the node that covers leaves [index × 2^height, (index + 1) × 2^height). */
export interface Subtree {
  readonly height: number
  readonly index: number
}

/** Roots of the perfect subtrees that cover a range of leaves, left to right. Their heights strictly decrease. */
export type CompactRange = readonly Uint8Array[]

/** Perfect subtrees that cover a range, left to right: at most one of each height. Empty for an empty range. */
export function coverRange({ start, end }: LeafRange): readonly Subtree[] {
  const subtrees: Subtree[] = []
  let covered = start
  while (covered < end) {
    // The largest power of two that still fits. `start` is aligned to all of them (see LeafRange).
    let height = 0
    let leaves = 1
    while (leaves <= (end - covered) / 2) {
      height++
      leaves *= 2
    }
    subtrees.push({ height, index: covered / leaves })
    covered += leaves
  }
  return subtrees
}

/**
 * Hash of the whole range: the smallest subtrees are joined first, so a missing right side moves up unchanged.
 * Undefined for an empty range.
 */
export function hashCompactRange(
  range: CompactRange,
  sha256: Sha256 = portableSha256
): Uint8Array | undefined {
  const right = range.at(-1)
  if (right === undefined || range.length === 1) return right
  const lefts = range.slice(0, -1).reverse()
  return hashChain(right, lefts, 2 ** lefts.length - 1, sha256)
}

/** Where RFC 9162 splits a tree of `treeSize` ≥ 2 leaves: the largest power of two below it. */
export function splitPoint(treeSize: number): number {
  let split = 1
  while (split < treeSize / 2) split *= 2
  return split
}
