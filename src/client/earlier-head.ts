import { hashNode } from '../merkle/hash.js'
import { planInclusionProof } from '../merkle/inclusion-proof.js'
import type { TreeHead } from '../merkle/tree.js'
import type { InclusionProofAnswer } from './answers.js'

/**
 * Head of the tree when it had as many leaves as come before a leaf. The siblings on the left of its path are the
 * perfect subtrees that made up that tree, so a proof that was verified gives the earlier root with the same force.
 *
 * @param proof verified against a head the caller trusts; its leaf is not the first
 */
export function headBefore({ leafIndex, treeSize, hashes }: InclusionProofAnswer): TreeHead {
  const left = planInclusionProof(leafIndex, treeSize).flatMap(({ end }, i) =>
    end <= leafIndex ? hashes.slice(i, i + 1) : []
  )
  // Nearest the leaf first: the smallest subtree is the rightmost one.
  return {
    treeSize: leafIndex,
    rootHash: left.reduce((right, sibling) => hashNode(sibling, right))
  }
}
