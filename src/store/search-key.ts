import { encodeUtf8 } from '../encoding/text.js'
import { sha256 } from './sha256.js'

/** Longest search key that is looked at, in UTF-16 units; of longer ones the beginning, as Rekor does (rekor-v1 §9). */
export const MAX_SEARCH_KEY_LENGTH = 512

/** Bytes of a search key's hash in the index. */
export const SEARCH_KEY_HASH_BYTES = 16

/** Bytes of the digest over all search keys of a leaf. */
export const SEARCH_DIGEST_BYTES = 8

/** What stands for a search key in the index: the first 16 bytes of its SHA-256. */
export function hashSearchKey(searchKey: string): Uint8Array {
  return sha256(encodeUtf8(searchKey.slice(0, MAX_SEARCH_KEY_LENGTH))).slice(
    0,
    SEARCH_KEY_HASH_BYTES
  )
}

/**
 * Digest of the set of index rows of one leaf, in whatever order they come: XOR of the 8-byte halves of their key
 * hashes. Kept with the leaf, so that a lost, added or damaged row shows. It finds damage, not somebody who rewrites
 * both places; against that the keys are derived again from the leaf (see check-log).
 *
 * @param keyHashes 16 bytes each, no two the same
 */
export function digestSearchKeys(keyHashes: readonly Uint8Array[]): Uint8Array {
  const digest = new Uint8Array(SEARCH_DIGEST_BYTES)
  for (const keyHash of keyHashes) {
    for (let i = 0; i < keyHash.length; i++) {
      const at = i % SEARCH_DIGEST_BYTES
      digest[at] = (digest[at] ?? 0) ^ (keyHash[i] ?? 0)
    }
  }
  return digest
}
