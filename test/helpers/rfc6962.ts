import { hash } from 'node:crypto'

/**
 * The tree of RFC 6962 section 2.1 as written there: recursive, over the list of leaf hashes, sharing no code with
 * src/merkle. Hashes of ranges are remembered, which changes nothing but the time.
 */
export interface ReferenceTree {
  /** MTH(D[start:end]), section 2.1. */
  mth(start: number, end: number): Uint8Array
  /** PATH(m, D[n]), section 2.1.1. */
  path(m: number, n: number): Uint8Array[]
  /** PROOF(m, D[n]), section 2.1.2. */
  proof(m: number, n: number): Uint8Array[]
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(hash('sha256', Buffer.concat(parts), 'buffer'))
}

/** MTH({d(0)}) = SHA-256(0x00 || d(0)). */
export function referenceLeafHash(leafValue: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(0), leafValue)
}

export function referenceTree(leafHashes: readonly Uint8Array[]): ReferenceTree {
  const known = new Map<string, Uint8Array>()

  function mth(start: number, end: number): Uint8Array {
    const n = end - start
    if (n === 0) return sha256()
    if (n === 1) return at(leafHashes, start)
    const key = `${start}:${end}`
    const before = known.get(key)
    if (before !== undefined) return before
    const k = largestPowerOfTwoBelow(n)
    const hash = sha256(Uint8Array.of(1), mth(start, start + k), mth(start + k, end))
    known.set(key, hash)
    return hash
  }

  function path(m: number, start: number, end: number): Uint8Array[] {
    const n = end - start
    if (n === 1) return []
    const k = largestPowerOfTwoBelow(n)
    if (m < k) return [...path(m, start, start + k), mth(start + k, end)]
    return [...path(m - k, start + k, end), mth(start, start + k)]
  }

  function subproof(m: number, start: number, end: number, b: boolean): Uint8Array[] {
    const n = end - start
    if (m === n) return b ? [] : [mth(start, end)]
    const k = largestPowerOfTwoBelow(n)
    if (m <= k) return [...subproof(m, start, start + k, b), mth(start + k, end)]
    return [...subproof(m - k, start + k, end, false), mth(start, start + k)]
  }

  return {
    mth,
    path: (m, n) => path(m, 0, n),
    proof: (m, n) => subproof(m, 0, n, true)
  }
}

/** The k of the RFC: the largest power of two smaller than n. */
function largestPowerOfTwoBelow(n: number): number {
  let k = 1
  while (2 * k < n) k = 2 * k
  return k
}

/** Element that must be there. */
export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new Error(`no item ${index} of ${items.length}`)
  return item
}
