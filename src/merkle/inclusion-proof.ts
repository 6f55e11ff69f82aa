import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { type LeafRange, splitPoint } from './compact-range.js'
import { HASH_BYTES, type Sha256, hashChain, portableSha256 } from './hash.js'
import type { SubtreeMemory } from './subtree-memory.js'
import { hashLeafRanges } from './tile-hashes.js'
import { isTreeSize } from './tiles.js'
import type { FetchTile, TreeHead } from './tree.js'

/**
 * Ranges of leaves whose hashes make up an inclusion proof, nearest the leaf first. Pure arithmetic in O(log n).
 *
 * @param leafIndex 0-based, below `treeSize`
 * @throws LogError `invalid_request` when the tree has no such leaf
 * @see RFC 9162 section 2.1.3.1
 */
export function planInclusionProof(leafIndex: number, treeSize: number): readonly LeafRange[] {
  if (!isLeafOf(leafIndex, treeSize)) {
    throw new LogError('invalid_request', outsideTree(leafIndex, treeSize))
  }
  const siblings: LeafRange[] = []
  let start = 0
  let end = treeSize
  while (end - start > 1) {
    const middle = start + splitPoint(end - start)
    if (leafIndex < middle) {
      siblings.push({ start: middle, end })
      end = middle
    } else {
      siblings.push({ start, end: middle })
      start = middle
    }
  }
  return siblings.reverse()
}

/**
 * Sibling hashes that prove a leaf to be in the tree as it was at `treeSize`, nearest the leaf first. Reads O(log n)
 * tiles, each once, and no leaf.
 *
 * @param fetchTile of the tree at `treeSize` or later
 * @param memory of that tree, for those who ask for many proofs
 * @throws LogError `invalid_request` when the tree has no such leaf, `integrity` when a tile is missing or too short
 * @see RFC 9162 section 2.1.3.1
 */
export function buildInclusionProof(
  leafIndex: number,
  treeSize: number,
  fetchTile: FetchTile,
  sha256: Sha256 = portableSha256,
  memory?: SubtreeMemory
): Promise<readonly Uint8Array[]> {
  return hashLeafRanges(planInclusionProof(leafIndex, treeSize), fetchTile, sha256, memory)
}

/**
 * Root hash that an inclusion proof leads to. Compare it with a root you trust; on its own it proves nothing.
 *
 * @param leafHash 32 bytes, already prefixed and hashed (see hashLeaf)
 * @param leafIndex 0-based, below `treeSize`
 * @param treeSize in leaves
 * @param proof sibling hashes of 32 bytes each, nearest the leaf first
 * @throws LogError `proof_invalid` when number or length of the hashes does not fit (leafIndex, treeSize)
 * @see RFC 9162 section 2.1.3.2
 */
export function rootFromInclusionProof(
  leafHash: Uint8Array,
  leafIndex: number,
  treeSize: number,
  proof: readonly Uint8Array[],
  sha256: Sha256 = portableSha256
): Uint8Array {
  if (!isLeafOf(leafIndex, treeSize)) {
    throw new LogError('proof_invalid', outsideTree(leafIndex, treeSize))
  }
  const { lefts, length: want } = wayToRoot(leafIndex, treeSize)
  if (proof.length !== want) {
    throw new LogError('proof_invalid', `inclusion proof has ${proof.length} hashes, want ${want}`)
  }
  if (leafHash.length !== HASH_BYTES || proof.some((hash) => hash.length !== HASH_BYTES)) {
    throw new LogError(
      'proof_invalid',
      `inclusion proof has hashes of other than ${HASH_BYTES} bytes`
    )
  }
  return hashChain(leafHash, proof, lefts, sha256)
}

/** How many siblings a leaf has on its way to the root, and which of them (bit by bit) are on the left. */
function wayToRoot(
  leafIndex: number,
  treeSize: number
): { readonly length: number; readonly lefts: number } {
  let length = 0
  let lefts = 0
  // `node` is our position in this row of nodes, `last` the row's last position.
  for (let node = leafIndex, last = treeSize - 1; last > 0;) {
    if (node % 2 === 1) {
      lefts += 2 ** length
      length++
    } else if (node < last) {
      length++
    } // else there is no sibling: the last node of an odd row moves up unchanged
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return { length, lefts }
}

/**
 * Checks that the leaf is in the tree. Says nothing about whether the tree head is one to trust. Take both its parts
 * from one signed checkpoint: a root does not determine its size, and some proofs fit neighbouring sizes alike.
 *
 * @param leafHash 32 bytes (see hashLeaf)
 * @param leafIndex 0-based position within this tree
 * @param proof nearest the leaf first
 * @throws LogError `proof_invalid`
 * @see RFC 9162 section 2.1.3.2
 */
export function verifyInclusion(
  leafHash: Uint8Array,
  leafIndex: number,
  treeHead: TreeHead,
  proof: readonly Uint8Array[],
  sha256: Sha256 = portableSha256
): void {
  const got = rootFromInclusionProof(leafHash, leafIndex, treeHead.treeSize, proof, sha256)
  if (!equalBytes(got, treeHead.rootHash)) {
    throw new LogError(
      'proof_invalid',
      `inclusion proof leads to root ${encodeHex(got)}, want ${encodeHex(treeHead.rootHash)}`
    )
  }
}

function isLeafOf(leafIndex: number, treeSize: number): boolean {
  return isTreeSize(leafIndex) && isTreeSize(treeSize) && leafIndex < treeSize
}

function outsideTree(leafIndex: number, treeSize: number): string {
  return `leaf index ${leafIndex} outside tree of size ${treeSize}`
}
