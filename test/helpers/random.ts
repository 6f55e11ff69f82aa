/** Repeatable randomness for tests: not for keys. */
export interface Random {
  readonly seed: number
  /** Integer from 0 up to and excluding `limit` ≤ 2^32. */
  below(limit: number): number
  bytes(length: number): Uint8Array
  pick<Item>(items: readonly Item[]): Item
}

/**
 * A generator with a new seed each run. Print `seed` with the test (t.comment), so that a failure can be repeated by
 * setting TEST_SEED.
 */
export function seededRandom(
  seed: number = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 32)
): Random {
  let state = seed >>> 0
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit)
  return {
    seed,
    below,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
    pick: (items) => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    }
  }
}
