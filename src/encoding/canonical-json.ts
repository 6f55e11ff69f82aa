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
 * space. Members whose value is `undefined` are left out. Lone surrogates become U+FFFD, as Go's parser makes them.
 *
 * Recurses once a level: give it only what `parseJson` let through or we built ourselves.
 * @see RFC 8785
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed())
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members: string[] = []
  for (const name of Object.keys(value).sort()) {
    const member = value[name]
    if (member === undefined) continue
    members.push(`${JSON.stringify(name.toWellFormed())}:${canonicalJson(member)}`)
  }
  return `{${members.join(',')}}`
}

// Array.isArray does not narrow readonly arrays out of a union.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
