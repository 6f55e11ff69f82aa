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
  return `{${membersOf(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
    .join(',')}}`
}

type Member = readonly [name: string, value: JsonValue]

/** What is written, in the order in which it is. */
function membersOf(value: { readonly [member: string]: JsonValue | undefined }): readonly Member[] {
  const members: Member[] = []
  let last: string | undefined
  for (const name of Object.keys(value)) {
    const member = value[name]
    if (member === undefined) continue
    // Most objects have their members in this order already.
    if ((last !== undefined && name <= last) || !name.isWellFormed()) return sortedMembers(value)
    members.push([name, member])
    last = name
  }
  return members
}

function sortedMembers(value: {
  readonly [member: string]: JsonValue | undefined
}): readonly Member[] {
  const members = new Map<string, JsonValue>()
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.set(name.toWellFormed(), member)
  }
  return [...members.keys()]
    .sort() // by UTF-16 code units, as RFC 8785 section 3.2.3 wants
    .map((name) => [name, members.get(name) as JsonValue]) // a key of the map
}

// Array.isArray does not narrow readonly arrays out of a union.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
