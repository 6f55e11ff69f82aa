import type { JsonValue } from '../../encoding/canonical-json.js'
import { isJsonObject } from '../../encoding/json.js'
import { LogError } from '../../errors.js'
import { membersNamed } from '../go-struct.js'
import { parseGoTime, ZERO_TIME_MS } from './go-time.js'

// Members of TUF documents as Rekor's Go structs take them: names match whatever their case, and what is absent or null has the zero
// value of its type. What is of another type is refused, and so are two members for one: which of them counts would depend on
// their order, which is not logged, and readers that mind the case take a certain one.

export type JsonObject = { readonly [member: string]: JsonValue | undefined }

export function textMember(object: JsonObject, name: string): string {
  const value = onlyMember(object, name)
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  throw wrong(name, 'a string')
}

/** Only integers that every reader holds exactly. */
export function integerMember(object: JsonObject, name: string): number {
  const value = onlyMember(object, name)
  if (value === undefined) return 0
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw wrong(name, 'an integer below 2^53')
}

/** Milliseconds since the epoch. */
export function timeMember(object: JsonObject, name: string): number {
  const value = onlyMember(object, name)
  if (value === undefined) return ZERO_TIME_MS
  const ms = typeof value === 'string' ? parseGoTime(value) : undefined
  if (ms === undefined) throw wrong(name, 'a time as RFC 3339 has it')
  return ms
}

export function objectMember(object: JsonObject, name: string): JsonObject | undefined {
  const value = onlyMember(object, name)
  if (value === undefined || isJsonObject(value)) return value
  throw wrong(name, 'an object')
}

/** @throws LogError `invalid_request` when there are more than `limit`, before anything is done for each of them */
export function arrayMember(object: JsonObject, name: string, limit: number): readonly JsonValue[] {
  const value = onlyMember(object, name)
  if (value === undefined) return []
  if (!Array.isArray(value)) throw wrong(name, 'a list')
  if (value.length > limit) throw wrong(name, `a list of at most ${limit}`)
  return value as readonly JsonValue[] // of a parsed JSON value
}

function onlyMember(object: JsonObject, name: string): JsonValue | undefined {
  const [value, second] = membersNamed(object, name).filter((member) => member !== null)
  if (second === undefined) return value
  throw new LogError('invalid_request', `tuf: more than one member is ${name}`)
}

function wrong(name: string, expected: string): LogError {
  return new LogError('invalid_request', `tuf: ${name} must be ${expected}`)
}
