/** Freezes `value` and all that can be reached from it; of maps their values, expressions not at all. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return value
  const members: Iterable<unknown> = value instanceof Map ? value.values() : Object.values(value)
  for (const member of members) deepFreeze(member)
  return Object.freeze(value)
}
