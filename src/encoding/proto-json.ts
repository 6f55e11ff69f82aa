import { LogError } from '../errors.js'
import { decodeBase64Loose } from './base64.js'
import {
  createJsonTokens,
  type JsonToken,
  type JsonTokens,
  positionOf,
  syntaxError,
  unexpectedEnd
} from './json-tokens.js'

/** What stands in a field of a message. */
interface FieldBase {
  /** In the .proto file, where that is not the JSON name in snake_case. */
  readonly protoName?: string
  /** Of the fields that name the same oneof one may be there. */
  readonly oneof?: string
}

interface ScalarField extends FieldBase {
  readonly type: 'bytes' | 'text'
}

interface EnumField extends FieldBase {
  readonly type: 'enum'
  /** Number of every name. */
  readonly values: Readonly<Record<string, number>>
}

interface MessageField extends FieldBase {
  readonly type: 'message'
  readonly of: MessageShape
}

interface ListField extends FieldBase {
  readonly type: 'list'
  readonly of: MessageShape
}

type Field = ScalarField | EnumField | MessageField | ListField

/** Fields by their JSON names. */
type Fields = Readonly<Record<string, Field>>

/** A protobuf message, as far as its JSON goes. */
export interface MessageShape<Of extends Fields = Fields> {
  /** Full name, such as `dev.sigstore.rekor.v2.Verifier`. */
  readonly name: string
  readonly fields: Of
  /** JSON name of every name a field may have. */
  readonly jsonNames: ReadonlyMap<string, string>
}

type FieldValue<Of extends Field> = Of extends { type: 'bytes' }
  ? Uint8Array
  : Of extends { type: 'text' }
    ? string
    : Of extends { type: 'enum' }
      ? number
      : Of extends { type: 'message'; of: MessageShape<infer Inner> }
        ? MessageOf<Inner>
        : Of extends { type: 'list'; of: MessageShape<infer Inner> }
          ? readonly MessageOf<Inner>[]
          : never

type MessageOf<Of extends Fields> = {
  readonly [Name in keyof Of]?: FieldValue<Of[Name]>
}

/** A message as read: fields that were not there, or null, are undefined. Those that were there may be empty. */
export type MessageValue<Shape> = Shape extends MessageShape<infer Of> ? MessageOf<Of> : never

/** More than any list in a message that we read may have. */
export const MAX_PROTO_LIST = 1000

/** Longest part of the text that an error quotes, in characters. */
const MAX_QUOTED = 64

/** Most characters of a number. So many digits a double holds exactly. */
const MAX_NUMBER = 15

const MAX_INT32 = 2 ** 31 - 1

/** Describes a message once, so that any number can be read. */
export function messageShape<const Of extends Fields>(name: string, fields: Of): MessageShape<Of> {
  const jsonNames = new Map<string, string>()
  for (const [jsonName, { protoName }] of Object.entries<Field>(fields)) {
    jsonNames.set(jsonName, jsonName).set(protoName ?? snakeCase(jsonName), jsonName)
  }
  return { name, fields, jsonNames }
}

function snakeCase(jsonName: string): string {
  return jsonName.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}

/**
 * Reads a message as Go's protojson does with unknown fields forbidden, in its words: names in camelCase or as in the .proto
 * file, none twice under either; null for absent; enums by name or number, of which any 32-bit integer passes; bytes in
 * standard or URL base64, padded or not; one field of a oneof; nothing behind the message.
 *
 * Stricter in three things no client does: no line breaks within base64, numbers of at most 15 characters, lists of at most
 * MAX_PROTO_LIST messages.
 *
 * Nesting is bounded by the shape: what it does not know is not looked into.
 *
 * @throws LogError `invalid_request`
 * @see https://protobuf.dev/programming-guides/json/, rekor-v2-and-tiles §1.3
 */
export function parseProtoJson<Of extends Fields>(
  text: string,
  shape: MessageShape<Of>
): MessageOf<Of> {
  const reader: Reader = { text, tokens: createJsonTokens(text) }
  const value = readMessage(reader, shape)
  const rest = reader.tokens.next()
  if (rest.kind !== 'end') throw unexpected(reader, rest)
  return value as MessageOf<Of> // readMessage follows the shape
}

interface Reader {
  readonly text: string
  readonly tokens: JsonTokens
}

function readMessage(reader: Reader, shape: MessageShape): Readonly<Record<string, unknown>> {
  const { tokens } = reader
  expect(reader, '{')
  const message: Record<string, unknown> = {}
  const seen = new Set<string>()
  const seenOneofs = new Set<string>()
  if (tokens.peek().kind === '}') return (tokens.next(), message)
  do {
    const token = expect(reader, 'string')
    expectColon(reader)
    const name = shape.jsonNames.get(token.text)
    if (name === undefined) throw refused(reader, token, `unknown field ${quote(token)}`)
    if (seen.has(name)) throw refused(reader, token, `duplicate field ${quote(token)}`)
    seen.add(name)
    const field = shape.fields[name] as Field // jsonNames has the names of the fields
    const value = tokens.peek()
    if (value.kind === 'word' && value.raw === 'null') {
      tokens.next()
      continue
    }
    if (field.oneof !== undefined) {
      if (seenOneofs.has(field.oneof)) {
        const oneof = `${shape.name}.${field.oneof}`
        throw refused(reader, token, `error parsing ${quote(token)}, oneof ${oneof} is already set`)
      }
      seenOneofs.add(field.oneof)
    }
    message[name] = readField(reader, name, field)
  } while (isFollowed(reader, '}'))
  return message
}

function readField(reader: Reader, name: string, field: Field): unknown {
  if (field.type === 'message') return readMessage(reader, field.of)
  if (field.type === 'list') return readList(reader, field.of)
  const token = reader.tokens.next()
  if (token.kind === 'end') throw unexpectedEnd()
  const value = readScalar(token, field)
  if (value === undefined) {
    const type = field.type === 'text' ? 'string' : field.type
    throw refused(reader, token, `invalid value for ${type} field ${name}: ${quote(token)}`)
  }
  return value
}

function readList(reader: Reader, shape: MessageShape): readonly unknown[] {
  const { tokens } = reader
  const start = expect(reader, '[')
  const list: unknown[] = []
  if (tokens.peek().kind === ']') return (tokens.next(), list)
  do {
    if (list.length === MAX_PROTO_LIST) {
      throw refused(reader, start, `list of more than ${MAX_PROTO_LIST} messages`)
    }
    list.push(readMessage(reader, shape))
  } while (isFollowed(reader, ']'))
  return list
}

function readScalar(
  { kind, raw, text }: JsonToken,
  field: ScalarField | EnumField
): Uint8Array | string | number | undefined {
  if (field.type === 'enum') {
    if (kind === 'number') return readInt32(raw)
    return kind === 'string' && Object.hasOwn(field.values, text) ? field.values[text] : undefined
  }
  if (kind !== 'string') return undefined
  return field.type === 'bytes' ? readBytes(text) : text
}

/** `5`, and also `5.0` and `50e-1`, as in Go. */
function readInt32(raw: string): number | undefined {
  const number = Number(raw)
  const isInt32 = Number.isInteger(number) && number <= MAX_INT32 && number >= -MAX_INT32 - 1
  return isInt32 && raw.length <= MAX_NUMBER ? number + 0 : undefined
}

/** Either alphabet, though not both; without padding unless that makes it a multiple of four. */
function readBytes(text: string): Uint8Array | undefined {
  const isUrl = /[-_]/.test(text)
  const isPadded = text.length % 4 === 0
  if (/[\r\n]/.test(text) || (isUrl && /[+/]/.test(text)) || (!isPadded && text.includes('='))) {
    return undefined
  }
  const standard = isUrl ? text.replaceAll('-', '+').replaceAll('_', '/') : text
  try {
    return decodeBase64Loose(isPadded ? standard : standard + '='.repeat(4 - (text.length % 4)))
  } catch {
    return undefined
  }
}

/** Whether another member or element follows, past the comma; otherwise past the closing bracket. */
function isFollowed(reader: Reader, closing: '}' | ']'): boolean {
  const token = reader.tokens.next()
  if (token.kind !== ',' && token.kind !== closing) throw unexpected(reader, token)
  return token.kind === ','
}

function expect(reader: Reader, kind: JsonToken['kind']): JsonToken {
  const token = reader.tokens.next()
  if (token.kind !== kind) throw unexpected(reader, token)
  return token
}

function expectColon(reader: Reader): void {
  const token = reader.tokens.next()
  if (token.kind === ':') return
  if (token.kind === 'end') throw unexpectedEnd()
  const [character] = token.raw
  const problem = `unexpected character ${character}, missing ":" after field name`
  throw syntaxError(reader.text, token.start, problem)
}

function unexpected({ text }: Reader, token: JsonToken): LogError {
  if (token.kind === 'end') return unexpectedEnd()
  return syntaxError(text, token.start, `unexpected token ${quote(token)}`)
}

function refused({ text }: Reader, { start }: JsonToken, problem: string): LogError {
  return new LogError('invalid_request', `proto: ${positionOf(text, start)}: ${problem}`)
}

function quote({ raw }: JsonToken): string {
  return raw.length > MAX_QUOTED ? `${raw.slice(0, MAX_QUOTED).toWellFormed()}…` : raw
}
