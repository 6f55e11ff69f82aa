import { sha256 } from './rfc6962.js'

/**
 * A tree far too large to have: every leaf hash is the same filler but for a few. Its hashes are computed by the
 * recursion of RFC 6962 section 2.1, in BigInt, so that it shares no arithmetic with src/merkle.
 */
export interface VastTree {
  /** MTH(D[start:end]). */
  mth(start: bigint, end: bigint): Uint8Array
  /** A tile of the tree at this size, 32 bytes a hash. */
  tile(level: number, tileIndex: number): Uint8Array | undefined
}

export interface BigRange {
  readonly start: bigint
  readonly end: bigint
}

const FILLER = sha256(Uint8Array.of(0), new TextEncoder().encode('filler'))

/** Leaf hash of the tree where it is not among the marked ones. */
export function fillerLeafHash(): Uint8Array {
  return FILLER.slice()
}

export function vastTree(
  treeSize: bigint,
  marked: ReadonlyMap<bigint, Uint8Array> = new Map()
): VastTree {
  const fillerBySize = new Map<bigint, Uint8Array>()
  const indexes = [...marked.keys()]

  function mth(start: bigint, end: bigint): Uint8Array {
    const n = end - start
    if (n === 1n) return marked.get(start) ?? FILLER
    const plain = !indexes.some((index) => start <= index && index < end)
    const before = plain ? fillerBySize.get(n) : undefined
    if (before !== undefined) return before
    const k = largestPowerOfTwoBelow(n)
    const hash = sha256(Uint8Array.of(1), mth(start, start + k), mth(start + k, end))
    if (plain) fillerBySize.set(n, hash)
    return hash
  }

  function tile(level: number, tileIndex: number): Uint8Array | undefined {
    const leavesPerHash = 256n ** BigInt(level)
    const first = BigInt(tileIndex) * 256n
    const hashes: Uint8Array[] = []
    for (let i = first; i < first + 256n && (i + 1n) * leavesPerHash <= treeSize; i++) {
      hashes.push(mth(i * leavesPerHash, (i + 1n) * leavesPerHash))
    }
    return hashes.length === 0 ? undefined : new Uint8Array(Buffer.concat(hashes))
  }

  return { mth, tile }
}

/** PATH(m, D[n]) of RFC 6962 section 2.1.1 as ranges instead of hashes. */
export function pathRanges(m: bigint, start: bigint, end: bigint): BigRange[] {
  if (end - start === 1n) return []
  const k = largestPowerOfTwoBelow(end - start)
  const middle = start + k
  if (m < k) return [...pathRanges(m, start, middle), { start: middle, end }]
  return [...pathRanges(m - k, middle, end), { start, end: middle }]
}

/** SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2 as ranges instead of hashes. */
export function subproofRanges(m: bigint, start: bigint, end: bigint, b = true): BigRange[] {
  if (m === end - start) return b ? [] : [{ start, end }]
  const k = largestPowerOfTwoBelow(end - start)
  const middle = start + k
  if (m <= k) return [...subproofRanges(m, start, middle, b), { start: middle, end }]
  return [...subproofRanges(m - k, middle, end, false), { start, end: middle }]
}

/** Numbers where 32-bit arithmetic breaks, and the largest we can count to. */
export const VAST_SIZES: readonly bigint[] = [
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 31n + 1n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 32n + 1n,
  2n ** 33n + 5n,
  2n ** 40n - 1n,
  2n ** 40n,
  2n ** 40n + 1n,
  2n ** 40n + 2n ** 33n + 70000n,
  2n ** 52n,
  2n ** 53n - 1n
]

function largestPowerOfTwoBelow(n: bigint): bigint {
  let k = 1n
  while (2n * k < n) k = 2n * k
  return k
}
