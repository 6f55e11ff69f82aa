import { isLogError } from '../../../errors.js'
import type { MemberName, Spelling } from './names.js'

/** Values of the members an object has, under our names for them. Null is as good as not there. */
export type Members<Name extends string = string> = ReadonlyMap<Name, unknown>

/** Reads objects of one file, whose problems and warnings it collects. */
export class MemberReader {
  readonly #spelling: Spelling
  readonly problems: string[] = []
  readonly warnings: string[] = []

  constructor(spelling: Spelling) {
    this.#spelling = spelling
  }

  problem(text: string): void {
    this.problems.push(`parse: ${text}`)
  }

  warn(text: string): void {
    this.warnings.push(text)
  }

  /** Runs a parser, the message of whose refusal becomes a problem. */
  attempt<Result>(where: string, parse: () => Result): Result | undefined {
    try {
      return parse()
    } catch (err) {
      if (!isLogError(err)) throw err
      this.problems.push(`validate: ${where}: ${err.message}`)
      return undefined
    }
  }

  /**
   * Members of an object by our names. JSON names count in any mixture of cases, YAML names as they are; other names mean
   * nothing, which is a warning.
   */
  members<Name extends string>(
    value: unknown,
    where: string,
    names: readonly MemberName<Name>[]
  ): Members<Name> {
    const found = new Map<Name, unknown>()
    const seen = new Set<Name>()
    for (const [written, content] of this.entries(value, where)) {
      const name = names.find((member) => this.#isSpelled(member, written))?.name
      if (name === undefined) this.warn(unknownMember(written, where))
      else if (seen.has(name)) this.problem(`${join(where, written)} is there twice`)
      else if (content !== null && content !== undefined) found.set(name, content)
      if (name !== undefined) seen.add(name)
    }
    return found
  }

  /** Entries of a map; none when it is not there. */
  entries(value: unknown, where: string): readonly (readonly [string, unknown])[] {
    if (value === undefined || value === null) return []
    if (typeof value === 'object' && !Array.isArray(value)) return Object.entries(value)
    this.problem(`${where === '' ? 'the file' : where} must be a map (got ${typeName(value)})`)
    return []
  }

  /** Text of a member; empty when it is not there. */
  text<Name extends string>(members: Members<Name>, name: Name, where: string): string {
    return this.asText(members.get(name) ?? '', where)
  }

  asText(value: unknown, where: string): string {
    if (typeof value === 'string') return value
    this.problem(`${where} must be a text (got ${typeName(value)})`)
    return ''
  }

  /** Value of a member that is true or false; false when it is not there. */
  flag<Name extends string>(members: Members<Name>, name: Name, where: string): boolean {
    const value = members.get(name) ?? false
    if (typeof value === 'boolean') return value
    this.problem(`${where} must be true or false (got ${typeName(value)})`)
    return false
  }

  #isSpelled(member: MemberName, written: string): boolean {
    if (this.#spelling === 'yaml') return member.yaml === written
    return member.json.toLowerCase() === written.toLowerCase()
  }
}

function unknownMember(name: string, where: string): string {
  return `${join(where, name)} has no meaning here`
}

function join(where: string, name: string): string {
  return where === '' ? name : `${where}.${name}`
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : typeof value
}
