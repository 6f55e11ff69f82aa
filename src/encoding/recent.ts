/** Values that were made for the keys asked for lately. */
export interface Recent<Value> {
  /** What was made for this key, or what `make` makes now. What throws is not kept. */
  get(key: string, make: () => Value): Value
}

/**
 * Keeps the latest `capacity` values at least and twice as many at most, in two generations: what is found in the older one
 * moves to the newer one, and when that is full the older one goes.
 */
export function createRecent<Value>(capacity: number): Recent<Value> {
  let newer = new Map<string, Value>()
  let older = new Map<string, Value>()
  return {
    get(key, make) {
      const recent = newer.get(key)
      if (recent !== undefined) return recent
      const value = older.get(key) ?? make()
      if (newer.size >= capacity) {
        older = newer
        newer = new Map()
      }
      newer.set(key, value)
      return value
    }
  }
}
