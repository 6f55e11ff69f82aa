import { decodeBase64Loose } from '../encoding/base64.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { isJsonObject } from '../encoding/json.js'
import { LogError } from '../errors.js'
import { assertSchema, atMostItems } from './schema.js'

// How Rekor decodes a `spec` (rekor-v1 §6.2): names exact, unknown members ignored, a member of another JSON type than
// expected counts as absent. What is then missing is for the schema of the kind to say.

export type JsonObject = { readonly [member: string]: JsonValue | undefined }

/** @throws LogError `invalid_request` with Rekor's text when the spec is no object */
export function readSpec(spec: unknown): JsonObject {
  if (isJsonObject(spec)) return spec
  throw new LogError('invalid_request', `unsupported input type ${goTypeOf(spec)} for DecodeEntry`)
}

export function objectMember(object: JsonObject, name: string): JsonObject | undefined {
  const member = object[name]
  return isJsonObject(member) ? member : undefined
}

/**
 * @param path dotted name of the member, for the message
 * @throws LogError `invalid_request` when it has more items than `limit`, before anything is done for each of them
 */
export function arrayMember(
  object: JsonObject,
  name: string,
  path: string,
  limit: number
): readonly JsonValue[] | undefined {
  const member = object[name]
  if (!Array.isArray(member)) return undefined
  assertSchema(atMostItems(path, member, limit))
  return member as readonly JsonValue[] // of a parsed JSON value
}

export function stringMember(object: JsonObject, name: string): string | undefined {
  return asString(object[name])
}

/**
 * Bytes of a base64 member; the empty text counts as absent.
 *
 * @param field the name Rekor gives the field in its message
 * @throws LogError `invalid_request`: `failed parsing base64 data for <field>: illegal base64 data at input byte N`
 */
export function bytesMember(
  object: JsonObject,
  name: string,
  field: string
): Uint8Array | undefined {
  const text = stringMember(object, name)
  return text === undefined || text === '' ? undefined : decodeField(text, field)
}

/** Bytes of base64 text, for the fields in which empty is not absent. @throws LogError as bytesMember */
export function decodeField(text: string, field: string): Uint8Array {
  return decodeBase64Loose(text, `failed parsing base64 data for ${field}`)
}

export function asString(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The type Go's decoder gives a JSON value. */
function goTypeOf(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'number') return 'json.Number'
  return typeof value === 'boolean' ? 'bool' : 'string'
}
