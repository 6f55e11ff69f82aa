import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

/** 32 bytes of SHA-256 of `message`. */
export type Sha256 = (message: Uint8Array) => Uint8Array

/**
 * What every function here hashes with unless it is handed something else. Pure JavaScript, so the browser runs the
 * same code; a server passes `node:crypto`'s function as the last argument, which takes less than half the time.
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
  const message = new Uint8Array(1 + left.length + right.length)
  message[0] = NODE_PREFIX
  message.set(left, 1)
  message.set(right, 1 + left.length)
  return sha256(message)
}
