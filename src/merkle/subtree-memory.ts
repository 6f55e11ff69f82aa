import type { Subtree } from './compact-range.js'
import { HASH_BYTES } from './hash.js'

/**
 * Remembers hashes of perfect subtrees. They never change once their leaves are in the tree, so that whoever asks for
 * many proofs of one tree needs to compute each of them once.
 */
export interface SubtreeMemory {
  get(subtree: Subtree): Uint8Array | undefined
  /** Keeps a copy. */
  set(subtree: Subtree, hash: Uint8Array): void
}

/** Heights below 64 and indices below 2^47 have a number of their own; no tree within safe integers has others in use. */
const HEIGHTS = 64

/** Hashes that share memory: those of one tile. */
const HASHES_PER_SLAB = 256

/**
 * A memory that holds the latest `capacity` hashes at least and twice as many at most, 200 bytes each.
 *
 * Two generations: what is found in the older one moves to the newer one, and when that is full the older one goes.
 */
export function createSubtreeMemory(capacity: number): SubtreeMemory {
  let newer = new Map<number, Uint8Array>()
  let older = new Map<number, Uint8Array>()

  // What is remembered must not hold on to a larger buffer, nor change with it. Copies of one time go at one time.
  let slab = new Uint8Array(0)
  let used = 0

  function put(key: number, hash: Uint8Array): Uint8Array {
    if (newer.size >= capacity) {
      older = newer
      newer = new Map()
      used = slab.length
    }
    if (used + HASH_BYTES > slab.length) {
      slab = new Uint8Array(HASHES_PER_SLAB * HASH_BYTES)
      used = 0
    }
    slab.set(hash, used)
    const copy = new Uint8Array(slab.buffer, used, HASH_BYTES)
    used += HASH_BYTES
    newer.set(key, copy)
    return copy
  }

  return {
    get({ height, index }) {
      const key = index * HEIGHTS + height
      const recent = newer.get(key)
      if (recent !== undefined) return recent
      const old = older.get(key)
      return old === undefined ? undefined : put(key, old)
    },
    set({ height, index }, hash) {
      const key = index * HEIGHTS + height
      // Beyond that two subtrees might be taken for one another.
      if (Number.isSafeInteger(key)) put(key, hash)
    }
  }
}
