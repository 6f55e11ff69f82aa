import { isJsonObject } from '../../encoding/json.js'
import type { JsonValue } from '../../encoding/canonical-json.js'
import { refuseIdentity } from './refusal.js'

/** Members of a JSON object from a token. Read with the functions below: a name may be one that all objects have. */
export type Claims = Readonly<Record<string, JsonValue | undefined>>

/** What a token says, after everything about it was checked except what its issuer type asks for. */
export interface IdToken {
  /** The `iss` claim. */
  readonly issuer: string
  /** The `sub` claim, not empty. */
  readonly subject: string
  readonly claims: Claims
}

/** Value of a claim; undefined when it is not there. */
export function readClaim(claims: Claims, name: string): JsonValue | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

/** Text of a claim; empty when it is not there or null. @throws LogError `unauthenticated` on another type */
export function readTextClaim(claims: Claims, name: string): string {
  const value = readClaim(claims, name) ?? ''
  if (typeof value !== 'string') throw refuseIdentity(`claim ${name} must be a string`)
  return value
}

/** Text of a claim that may not be empty. @throws LogError `unauthenticated`, with the given reason when it is */
export function requireTextClaim(claims: Claims, name: string, reason: string): string {
  const text = readTextClaim(claims, name)
  if (text === '') throw refuseIdentity(reason)
  return text
}

/** Texts of claims none of which may be empty, checked in order. @throws LogError `unauthenticated` */
export function requireTextClaims<Name extends string>(
  claims: Claims,
  names: readonly Name[],
  describe: (name: Name) => string
): Readonly<Record<Name, string>> {
  const texts = names.map((name) => [name, requireTextClaim(claims, name, describe(name))] as const)
  return Object.fromEntries(texts) as Record<Name, string> // one entry per name
}

/** Members of a claim that is an object; none when it is not there. @throws LogError `unauthenticated` */
export function readObjectClaim(claims: Claims, name: string): Claims {
  const value = readClaim(claims, name) ?? {}
  if (!isJsonObject(value)) throw refuseIdentity(`claim ${name} must be an object`)
  return value
}

/**
 * The `email_verified` claim, which some providers write as a string. Not there is false.
 *
 * @throws LogError `unauthenticated` on anything but the two values and four texts; null included
 * @see fulcio §9
 */
export function readEmailVerified(claims: Claims): boolean {
  const value = readClaim(claims, 'email_verified')
  if (value === true || value === 'true' || value === 'True') return true
  if (value === undefined || value === false || value === 'false' || value === 'False') return false
  throw refuseIdentity('invalid value for boolean')
}
