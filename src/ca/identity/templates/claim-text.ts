import type { JsonValue } from '../../../encoding/canonical-json.js'
import type { Claims } from '../claims.js'
import type { TemplateData } from './evaluate.js'

/** Data for templates: every top-level claim as text, over the defaults. @see fulcio §10 */
export function templateData(defaults: ReadonlyMap<string, string>, claims: Claims): TemplateData {
  const data = new Map(defaults)
  for (const [name, value] of Object.entries(claims)) {
    if (value !== undefined) data.set(name, formatClaim(value))
  }
  return data
}

/** A claim as Go's `%v` prints it, but for numbers: they have no exponent, whatever their size. @see fulcio §10 */
export function formatClaim(value: JsonValue): string {
  if (value === null) return '<nil>'
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return formatNumber(value)
  if (isList(value)) return `[${value.map(formatClaim).join(' ')}]`
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${name}:${formatClaim(member ?? null)}`)
  return `map[${members.join(' ')}]`
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** The shortest digits that give the number back, with zeros where JavaScript would write an exponent. */
function formatNumber(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value))
  if (match === null) return String(value)
  const [, sign = '', first = '', fraction = '', exponent = ''] = match
  const digits = first + fraction
  const point = 1 + Number(exponent)
  // From 1e21 on there are more places than the 17 digits a number has; below 1e-6 there is nothing before the point.
  return sign + (point > 0 ? digits.padEnd(point, '0') : `0.${'0'.repeat(-point)}${digits}`)
}
