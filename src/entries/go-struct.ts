import type { JsonValue } from '../encoding/canonical-json.js'
import { isJsonObject } from '../encoding/json.js'

/**
 * What a Go struct makes of a JSON value, for the two documents that Rekor decodes that way (DSSE envelopes and in-toto
 * statements): `texts` is a map of strings, an array takes elements of one shape, an object has members of known shapes.
 */
export type Shape =
  | 'any'
  | 'boolean'
  | 'text'
  | 'texts'
  | 'time'
  | readonly [Shape]
  | { readonly [member: string]: Shape }

// RFC 3339 as Go's time.Time reads it.
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** Whether Go would decode `value` without a type error. `null` and absent members always pass, unknown members too. */
export function matchesShape(value: JsonValue | undefined, shape: Shape = 'any'): boolean {
  if (value === null || value === undefined || shape === 'any') return true
  if (shape === 'text') return typeof value === 'string'
  if (shape === 'boolean') return typeof value === 'boolean'
  if (shape === 'time') return typeof value === 'string' && TIME.test(value)
  if (isArrayShape(shape)) {
    return Array.isArray(value) && value.every((item: JsonValue) => matchesShape(item, shape[0]))
  }
  if (!isJsonObject(value)) return false
  if (shape === 'texts') {
    return Object.values(value).every((member) => matchesShape(member, 'text'))
  }
  // By the members of the value, not of the shape: a stranger can send millions of empty objects.
  return Object.keys(value).every((name) => {
    const folded = fold(name)
    const field = Object.keys(shape).find((candidate) => fold(candidate) === folded)
    return field === undefined || matchesShape(value[name], shape[field])
  })
}

/**
 * The member Go assigns to the field `name`: names match whatever their case, the last one wins, `null` assigns nothing.
 */
export function goMember(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return membersNamed(value, name).findLast((member) => member !== null)
}

/** Every member that Go takes for the field `name`, in order, `null` as well. */
export function membersNamed(value: JsonValue | undefined, name: string): readonly JsonValue[] {
  if (!isJsonObject(value)) return []
  const folded = fold(name)
  const members: JsonValue[] = []
  for (const [candidate, member] of Object.entries(value)) {
    if (member !== undefined && fold(candidate) === folded) members.push(member)
  }
  return members
}

// Both ways, because Go folds the long s and the Kelvin sign too.
function fold(name: string): string {
  return name.toUpperCase().toLowerCase()
}

function isArrayShape(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape)
}
