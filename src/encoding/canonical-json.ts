import { LogError } from '../errors.js'

/** A value JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue | undefined }

/**
 * Canonical JSON text: members sorted by UTF-16 code units, ECMAScript number format, minimal escapes, no white
 * space. Members whose value is `undefined` are left out. Lone surrogates become U+FFFD, as Go's parser makes them;
 * of members whose names then are the same the last one wins, as there.
 *
 * Recurses once a level: give it only what `parseJson` let through or we built ourselves.
 * @throws LogError `invalid_request` on a number JSON cannot hold, such as what `1e999` is parsed to
 * @see RFC 8785
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed())
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new LogError('invalid_request', 'JSON number out of range')
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = new Map<string, JsonValue>()
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.set(name.toWellFormed(), member)
  }
  const texts = [...members.keys()]
    .sort() // by UTF-16 code units, as RFC 8785 section 3.2.3 wants
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(members.get(name) as JsonValue)}`) // a key of the map
  return `{${texts.join(',')}}`
}

// Array.isArray does not narrow readonly arrays out of a union.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
