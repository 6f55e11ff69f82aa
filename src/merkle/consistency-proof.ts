import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { type LeafRange, splitPoint } from './compact-range.js'
import { HASH_BYTES, type Sha256, hashNode, portableSha256 } from './hash.js'
import type { SubtreeMemory } from './subtree-memory.js'
import { hashLeafRanges } from './tile-hashes.js'
import { isTreeSize } from './tiles.js'
import type { FetchTile, TreeHead } from './tree.js'

/**
 * Ranges of leaves whose hashes make up a consistency proof, in proof order. Pure arithmetic in O(log n).
 *
 * @param firstSize of the older tree, at least 1: nothing can be proved about growth from an empty tree
 * @param secondSize of the newer tree, at least `firstSize`; the proof between equal sizes is empty
 * @throws LogError `invalid_request` when there is no proof between these sizes
 * @see RFC 9162 section 2.1.4.1
 */
export function planConsistencyProof(firstSize: number, secondSize: number): readonly LeafRange[] {
  const problem = sizesProblem(firstSize, secondSize)
  if (problem !== undefined) throw new LogError('invalid_request', problem)
  const siblings: LeafRange[] = []
  let start = 0
  let end = secondSize
  // Narrow [start, end) down to the last complete subtree of the older tree, keeping what is on the other side.
  while (end !== firstSize) {
    const middle = start + splitPoint(end - start)
    if (firstSize <= middle) {
      siblings.push({ start: middle, end })
      end = middle
    } else {
      siblings.push({ start, end: middle })
      start = middle
    }
  }
  // That subtree's own hash is part of the proof, unless it is the whole older tree, which the verifier knows.
  if (start > 0) siblings.push({ start, end })
  return siblings.reverse()
}

/**
 * Hashes that prove the tree at `secondSize` to begin with the leaves of the tree at `firstSize`. Reads O(log n)
 * tiles, each once, and no leaf.
 *
 * @param fetchTile of the tree at `secondSize` or later
 * @param memory of that tree, for those who ask for many proofs
 * @throws LogError `invalid_request` when there is no proof between these sizes, `integrity` when a tile is missing
 *   or too short
 * @see RFC 9162 section 2.1.4.1
 */
export function buildConsistencyProof(
  firstSize: number,
  secondSize: number,
  fetchTile: FetchTile,
  sha256: Sha256 = portableSha256,
  memory?: SubtreeMemory
): Promise<readonly Uint8Array[]> {
  return hashLeafRanges(planConsistencyProof(firstSize, secondSize), fetchTile, sha256, memory)
}

/** The two roots that a consistency proof leads to. */
export interface ConsistentRoots {
  readonly firstRootHash: Uint8Array
  readonly secondRootHash: Uint8Array
}

/**
 * Roots that a consistency proof leads to. Compare both with the ones you hold; on their own they prove nothing.
 *
 * @param first the older tree head. Its root is where the climb starts when its size is a power of two
 * @param secondSize of the newer tree
 * @param proof 32 bytes each
 * @throws LogError `proof_invalid` when number or length of the hashes does not fit the sizes
 * @see RFC 9162 section 2.1.4.2
 */
export function rootsFromConsistencyProof(
  first: TreeHead,
  secondSize: number,
  proof: readonly Uint8Array[],
  sha256: Sha256 = portableSha256
): ConsistentRoots {
  const firstSize = first.treeSize
  const problem = sizesProblem(firstSize, secondSize)
  if (problem !== undefined) throw new LogError('proof_invalid', problem)
  const plan = planConsistencyProof(firstSize, secondSize)
  if (proof.length !== plan.length) {
    throw new LogError(
      'proof_invalid',
      `consistency proof from size ${firstSize} to ${secondSize} has ${proof.length} hashes, want ${plan.length}`
    )
  }
  if ([first.rootHash, ...proof].some((hash) => hash.length !== HASH_BYTES)) {
    throw new LogError(
      'proof_invalid',
      `consistency proof has hashes of other than ${HASH_BYTES} bytes`
    )
  }
  if (firstSize === secondSize) {
    return { firstRootHash: first.rootHash, secondRootHash: first.rootHash }
  }

  // `node` is the position of the older tree's last node in its row, `last` that of the newer tree's.
  let node = firstSize - 1
  let last = secondSize - 1
  // Up to the last complete subtree of the older tree, where the two trees still agree.
  while (node % 2 === 1) {
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  // The older tree is that one subtree when its size is a power of two, and then the proof leaves it out.
  const hashes = node === 0 ? [first.rootHash, ...proof] : proof
  let firstRootHash = hashes[0] as Uint8Array // a proof between different sizes is never empty
  let secondRootHash = firstRootHash
  for (let used = 1; last > 0;) {
    if (node % 2 === 1) {
      const left = hashes[used++] as Uint8Array // as many as planned: counted above
      firstRootHash = hashNode(left, firstRootHash, sha256)
      secondRootHash = hashNode(left, secondRootHash, sha256)
    } else if (node < last) {
      // On the right of the older tree: only the newer one has it.
      secondRootHash = hashNode(secondRootHash, hashes[used++] as Uint8Array, sha256) // likewise
    } // else neither has a sibling here: the node moves up unchanged
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return { firstRootHash, secondRootHash }
}

/**
 * Checks that the newer tree begins with all leaves of the older one, in order. Trust in the tree heads themselves
 * comes from elsewhere. An older tree of size 0 is refused: consistent with anything, it would prove nothing.
 *
 * @throws LogError `proof_invalid`
 * @see RFC 9162 section 2.1.4.2, and for sizes 0 and equal sizes rekor: pkg/verify/verify.go
 */
export function verifyConsistency(
  first: TreeHead,
  second: TreeHead,
  proof: readonly Uint8Array[],
  sha256: Sha256 = portableSha256
): void {
  const got = rootsFromConsistencyProof(first, second.treeSize, proof, sha256)
  assertRoot(got.firstRootHash, first)
  assertRoot(got.secondRootHash, second)
}

function assertRoot(got: Uint8Array, { treeSize, rootHash }: TreeHead): void {
  if (!equalBytes(got, rootHash)) {
    throw new LogError(
      'proof_invalid',
      `consistency proof leads to root ${encodeHex(got)} at size ${treeSize}, want ${encodeHex(rootHash)}`
    )
  }
}

/** Why there can be no proof between these sizes, if so. */
function sizesProblem(firstSize: number, secondSize: number): string | undefined {
  if (!isTreeSize(firstSize) || !isTreeSize(secondSize)) {
    return `no tree sizes: ${firstSize} and ${secondSize}`
  }
  if (firstSize === 0) return 'consistency cannot be proved from an empty tree'
  if (firstSize > secondSize) {
    return `first size ${firstSize} is larger than second size ${secondSize}`
  }
  return undefined
}
