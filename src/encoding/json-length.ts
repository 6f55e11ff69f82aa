import type { JsonValue } from './canonical-json.js'

/**
 * Length that the JSON text of a value has at the least, in bytes: to refuse what is too large before anything is done for each
 * of its members. Counts no further than what first exceeds `limit`.
 *
 * Recurses once a level: give it only what `parseJson` let through.
 */
export function leastJsonLength(value: JsonValue, limit: number): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 1
  // A bracket, and with each value the comma or bracket behind it.
  let length = 1
  if (isArray(value)) {
    for (const item of value) {
      length += leastJsonLength(item, limit - length) + 1
      if (length > limit) break
    }
  } else {
    for (const name of Object.keys(value)) {
      length += name.length + 4 + leastJsonLength(value[name] ?? null, limit - length)
      if (length > limit) break
    }
  }
  return length
}

// Array.isArray does not narrow readonly arrays out of a union.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
