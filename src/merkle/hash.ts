import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

/** A hash function, and where calling it costs more than hashing does, pieces of a tree in one call. */
export interface Sha256 {
  /** 32 bytes of SHA-256 of `message`. */
  (message: Uint8Array): Uint8Array
  readonly tree?: TreeHashes | undefined
}

/** The same bytes as the functions of this module compute node by node. Hashes are 32 bytes long. */
export interface TreeHashes {
  /** See hashLeaf. */
  leaf(leafValue: Uint8Array): Uint8Array
  /** See hashNode. */
  node(left: Uint8Array, right: Uint8Array): Uint8Array
  /** Root over `count` hashes side by side, from number `first` on: a power of two, 256 at most. */
  subtree(hashes: Uint8Array, first: number, count: number): Uint8Array
  /** See hashChain. */
  chain(start: Uint8Array, siblings: readonly Uint8Array[], lefts: number): Uint8Array
}

/**
 * What every function here hashes with unless it is handed something else. Pure JavaScript, so the browser runs the
 * same code; a server passes a native function as the last argument, which takes a tenth of the time or less.
 */
export const portableSha256: Sha256 = nobleSha256

/** Bytes of a leaf, node or root hash. */
export const HASH_BYTES = 32

// Two prefixes, so that nobody can pass a node off as a leaf (RFC 9162 section 2.1.1).
const LEAF_PREFIX = 0x00
const NODE_PREFIX = 0x01

/** Root hash of the tree without leaves: SHA-256 of nothing. Shared: do not write to it. */
export const EMPTY_ROOT_HASH: Uint8Array = nobleSha256(new Uint8Array(0))

/** SHA-256(0x00 || leafValue). @see RFC 9162 section 2.1.1 */
export function hashLeaf(leafValue: Uint8Array, sha256: Sha256 = portableSha256): Uint8Array {
  const { tree } = sha256
  if (tree !== undefined) return tree.leaf(leafValue)
  const message = new Uint8Array(1 + leafValue.length)
  message[0] = LEAF_PREFIX
  message.set(leafValue, 1)
  return sha256(message)
}

/**
 * SHA-256(0x01 || left || right). Both must be 32 bytes; whoever takes hashes from strangers checks that first.
 * @see RFC 9162 section 2.1.1
 */
export function hashNode(
  left: Uint8Array,
  right: Uint8Array,
  sha256: Sha256 = portableSha256
): Uint8Array {
  const { tree } = sha256
  if (tree !== undefined) return tree.node(left, right)
  const message = new Uint8Array(1 + left.length + right.length)
  message[0] = NODE_PREFIX
  message.set(left, 1)
  message.set(right, 1 + left.length)
  return sha256(message)
}

/**
 * `start` joined with one sibling after the other, as on the way from a leaf to the root.
 *
 * @param lefts bit i says that sibling i is on the left. A number, since no tree here is higher than 53
 */
export function hashChain(
  start: Uint8Array,
  siblings: readonly Uint8Array[],
  lefts: number,
  sha256: Sha256 = portableSha256
): Uint8Array {
  const { tree } = sha256
  if (tree !== undefined && siblings.length > 1) return tree.chain(start, siblings, lefts)
  let hash = start
  let rest = lefts
  for (const sibling of siblings) {
    const isLeft = rest % 2 === 1
    hash = isLeft ? hashNode(sibling, hash, sha256) : hashNode(hash, sibling, sha256)
    rest = Math.floor(rest / 2)
  }
  return hash
}
