import { LogError } from '../errors.js'

/** What is wrong with one member: its dotted name and the rest of the sentence. */
export interface Violation {
  readonly name: string
  readonly problem: string
}

// The texts are those of go-swagger's validators, to the letter: clients and operators search for them. Every level of
// nesting puts its own dotted name before the name it is given, which doubles names (`data.data.hash.data.hash.value`), and
// hands up only its first violation; the top level reports all of its own.

// What is absent passes all of these but `required`.

export function required(name: string, value: unknown): Violation | undefined {
  return value === undefined ? { name, problem: 'in body is required' } : undefined
}

export function atLeastOneItem(
  name: string,
  items: readonly unknown[] | undefined
): Violation | undefined {
  if (items?.length !== 0) return undefined
  return { name, problem: 'in body should have at least 1 items' }
}

export function atMostItems(
  name: string,
  items: readonly unknown[],
  limit: number
): Violation | undefined {
  if (items.length <= limit) return undefined
  return { name, problem: `in body should have at most ${limit} items` }
}

export function oneOf(
  name: string,
  value: string | undefined,
  allowed: readonly string[]
): Violation | undefined {
  if (value === undefined || allowed.includes(value)) return undefined
  return { name, problem: `in body should be one of [${allowed.join(' ')}]` }
}

export function matching(
  name: string,
  value: string | undefined,
  pattern: RegExp
): Violation | undefined {
  if (value === undefined || pattern.test(value)) return undefined
  return { name, problem: `in body should match '${pattern.source}'` }
}

/** A violation of a nested value, seen from the value that has it as member `name`. */
export function inside(name: string, violation: Violation | undefined): Violation | undefined {
  return violation && { ...violation, name: `${name}.${violation.name}` }
}

/** @throws LogError `invalid_request` that lists the violations */
export function assertSchema(...violations: readonly (Violation | undefined)[]): void {
  const lines = violations
    .filter((violation) => violation !== undefined)
    .map(({ name, problem }) => `${name} ${problem}`)
  if (lines.length > 0) {
    throw new LogError('invalid_request', `validation failure list:\n${lines.join('\n')}`)
  }
}
