import { LogError } from '../errors.js'
import type { JsonValue } from './canonical-json.js'

/**
 * OLPC canonical JSON text, which is what TUF metadata are signed over: members sorted by code points, no white space, in
 * strings nothing escaped but the quotation mark and the backslash, so that the result need not be JSON. Members whose value
 * is `undefined` are left out. Lone surrogates become U+FFFD, as Go's parser makes them; of members whose names then are the
 * same the last one wins, as there.
 *
 * Recurses once a level: give it only what `parseJson` let through or we built ourselves.
 *
 * @throws LogError `invalid_request` on a number that is no integer or that not every reader holds exactly: those beyond
 *   2^53 − 1, and minus zero
 * @see http://wiki.laptop.org/go/Canonical_JSON
 */
export function olpcJson(value: JsonValue): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return formatInteger(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (isArray(value)) return `[${value.map(olpcJson).join(',')}]`
  const members = new Map<string, JsonValue>()
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.set(name.toWellFormed(), member)
  }
  return `{${[...members]
    .sort(([a], [b]) => compareCodePoints(a, b))
    .map(([name, member]) => `${quote(name)}:${olpcJson(member)}`)
    .join(',')}}`
}

function quote(text: string): string {
  return `"${text.toWellFormed().replace(/["\\]/g, '\\$&')}"`
}

function formatInteger(value: number): string {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)
  throw new LogError(
    'invalid_request',
    `canonical JSON holds integers below 2^53 only, not ${Object.is(value, -0) ? '-0' : value}`
  )
}

/** Of two different names. UTF-16 code units give another order: surrogates come before U+E000 to U+FFFF there. */
function compareCodePoints(a: string, b: string): number {
  let at = 0
  while (a.charCodeAt(at) === b.charCodeAt(at)) at++
  return rank(a, at) - rank(b, at)
}

/** Where the code unit at `at` stands in the order of code points; the end of a text comes before everything. */
function rank(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  if (Number.isNaN(unit)) return -1
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

// Array.isArray does not narrow readonly arrays out of a union.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
