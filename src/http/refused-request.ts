/**
 * A request turned down at the border, before any service saw it. Rekor answers a broken schema with status 422 and
 * a number of its own in the body, so the two are apart.
 */
export class RefusedRequest extends Error {
  readonly status: number
  /** `code` of the body: the status again, or one of RULES. */
  readonly code: number

  constructor(status: number, code: number, message: string) {
    super(message)
    this.name = 'RefusedRequest'
    this.status = status
    this.code = code
  }
}

/** Numbers of the schema rules, as go-openapi has them (rekor-v1 §1.4). */
export const RULES = {
  type: 601,
  required: 602,
  maxLength: 603,
  minLength: 604,
  pattern: 605,
  enum: 606,
  maximum: 608,
  minimum: 609,
  maxItems: 611,
  minItems: 612
} as const

/** Where a value stood in the request. */
export type Place = 'body' | 'path' | 'query'

/** A value that breaks `rule`: `<name> in <place> <text>`. */
export function brokenRule(
  rule: keyof typeof RULES,
  name: string,
  place: Place,
  text: string
): RefusedRequest {
  return new RefusedRequest(422, RULES[rule], `${name} in ${place} ${text}`)
}

// Long enough for every value a person would recognise; what a stranger sends is not echoed without bound.
const MAX_QUOTED = 100

/** A value a stranger sent, for a message. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}…` : value)
}
