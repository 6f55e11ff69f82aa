import type { Subtree } from './compact-range.js'

/**
 * Remembers hashes of perfect subtrees. They never change once their leaves are in the tree, so that whoever asks for
 * many proofs of one tree needs to compute each of them once.
 */
export interface SubtreeMemory {
  get(subtree: Subtree): Uint8Array | undefined
  set(subtree: Subtree, hash: Uint8Array): void
}

/** Heights below 64 and indices below 2^47 have a number of their own; no tree within safe integers has others in use. */
const HEIGHTS = 64

/**
 * A memory that holds the latest `capacity` hashes at least and twice as many at most, 150 bytes each.
 *
 * Two generations: what is found in the older one moves to the newer one, and when that is full the older one goes.
 */
export function createSubtreeMemory(capacity: number): SubtreeMemory {
  let newer = new Map<number, Uint8Array>()
  let older = new Map<number, Uint8Array>()

  function put(key: number, hash: Uint8Array): void {
    if (newer.size >= capacity) {
      older = newer
      newer = new Map()
    }
    newer.set(key, hash)
  }

  return {
    get({ height, index }) {
      const key = index * HEIGHTS + height
      const recent = newer.get(key)
      if (recent !== undefined) return recent
      const old = older.get(key)
      if (old !== undefined) put(key, old)
      return old
    },
    set({ height, index }, hash) {
      const key = index * HEIGHTS + height
      // Beyond that two subtrees might be taken for one another.
      if (Number.isSafeInteger(key)) put(key, hash)
    }
  }
}
