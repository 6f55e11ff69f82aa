import { type JsonObject, objectMember, stringMember } from './spec-reader.js'
import { oneOf, required, type Violation } from './schema.js'

/** `{algorithm, value}` of a spec as it was sent: either may be missing until the schema was checked. */
export interface HashMember {
  readonly algorithm: string | undefined
  readonly value: string | undefined
}

/** The same once it passed the schema. */
export interface HashValue {
  readonly algorithm: string
  readonly value: string
}

export function hashMember(object: JsonObject, name: string): HashMember | undefined {
  const hash = objectMember(object, name)
  if (hash === undefined) return undefined
  return { algorithm: stringMember(hash, 'algorithm'), value: stringMember(hash, 'value') }
}

/** @param path dotted name of the hash inside the spec */
export function hashViolation(
  path: string,
  hash: HashMember | undefined,
  algorithms: readonly string[]
): Violation | undefined {
  if (hash === undefined) return undefined
  const { algorithm, value } = hash
  return (
    required(`${path}.algorithm`, algorithm) ??
    oneOf(`${path}.algorithm`, algorithm, algorithms) ??
    required(`${path}.value`, value)
  )
}

/** A hash that is there and passed hashViolation. */
export function checkedHash(hash: HashMember | undefined): HashValue {
  return hash as HashValue // as the caller says
}

/** `<algorithm>:<value>`, as hashes stand in the search index and name attestations. */
export function prefixedHash({ algorithm, value }: HashValue): string {
  return `${algorithm}:${value}`
}
