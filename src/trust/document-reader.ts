import { decodeBase64 } from '../encoding/base64.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { isJsonObject, MAX_JSON_DEPTH, parseJson } from '../encoding/json.js'
import { findRepeatedMember } from '../encoding/repeated-member.js'
import { decodeUtf8 } from '../encoding/text.js'
import { isLogError } from '../errors.js'
import { error, quoted, type TrustFinding, warning } from './finding.js'

/** When something is to be believed, as a file says; in seconds since the epoch, with fractions. */
export interface DocumentWindow {
  readonly startSeconds: number | undefined
  readonly endSeconds: number | undefined
}

/** More entries in one list than any instance has in its life. */
const MAX_ENTRIES = 200

/** How many unknown members are named. */
const MAX_NAMED = 5

/**
 * Reads the members of one object by name and writes down what is wrong with them, so that one look at a file tells all of it.
 * As in protobuf's JSON a member may be written in snake_case, and null means that it is not there.
 */
export interface DocumentReader {
  readonly where: string
  /** The object as it stands. */
  readonly value: { readonly [member: string]: JsonValue | undefined }
  /** Path of a member; of the empty name the path up to it. */
  at(name: string): string
  has(name: string): boolean
  text(name: string): string | undefined
  integer(name: string): number | undefined
  /** Standard base64. */
  bytes(name: string): Uint8Array | undefined
  object(name: string): DocumentReader | undefined
  /** Empty when there is no such list. */
  objects(name: string): readonly DocumentReader[]
  /** Reports the members nobody asked for. Once, after the last member. */
  end(): void
}

/**
 * Reader of a file that must be one JSON object.
 *
 * @param problems where findings are added
 * @returns undefined when it is none: then there is one finding that says why
 */
export function readDocument(
  bytes: Uint8Array,
  problems: TrustFinding[]
): DocumentReader | undefined {
  const value = parseDocument(bytes, problems)
  if (value === undefined) return undefined
  if (!isJsonObject(value)) {
    problems.push(error('file', 'is JSON, but no object: download the file again'))
    return undefined
  }
  return createReader(value, '', problems)
}

function parseDocument(bytes: Uint8Array, problems: TrustFinding[]): JsonValue | undefined {
  try {
    const text = decodeUtf8(bytes)
    if (text.startsWith('\ufeff')) {
      problems.push(error('file', 'begins with a byte order mark: save it as UTF-8 without one'))
      return undefined
    }
    const value = parseJson(text)
    const repeated = findRepeatedMember(text)
    if (repeated !== undefined) {
      problems.push(
        error('file', `has the member ${quoted(repeated)} twice in one object: remove one of them`)
      )
    }
    return value
  } catch (err) {
    if (!isLogError(err)) throw err
    // The parser's own words quote the file, which may be anything.
    const isDeep = err.message.startsWith('JSON nested')
    const problem = isDeep
      ? `nests deeper than ${MAX_JSON_DEPTH} levels and is no trust material`
      : 'is not valid JSON in UTF-8'
    problems.push(error('file', `${problem}: download it again`))
    return undefined
  }
}

function createReader(
  value: { readonly [member: string]: JsonValue | undefined },
  where: string,
  problems: TrustFinding[]
): DocumentReader {
  const asked = new Set<string>()
  const at = (name: string): string => (where === '' ? name : `${where}.${name}`)
  const wrongType = (name: string, wanted: string): undefined => {
    problems.push(error(at(name), `must be ${wanted}: download the file again`))
  }

  /** undefined where it is not there, or null. */
  function member(name: string): JsonValue | undefined {
    const snake = name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
    const isSnake = !Object.hasOwn(value, name) && Object.hasOwn(value, snake)
    const used = isSnake ? snake : name
    if (!asked.has(used) && isSnake) {
      problems.push(
        warning(at(snake), `is a name that sigstore-js does not read: write it as ${name}`)
      )
    }
    asked.add(used)
    return Object.hasOwn(value, used) ? (value[used] ?? undefined) : undefined
  }

  return {
    where,
    value,
    at,
    has: (name) => member(name) !== undefined,
    text(name) {
      const found = member(name)
      if (found === undefined || typeof found === 'string') return found
      return wrongType(name, 'a string')
    },
    integer(name) {
      const found = member(name)
      if (found === undefined) return undefined
      return typeof found === 'number' && Number.isSafeInteger(found)
        ? found
        : wrongType(name, 'a whole number')
    },
    bytes(name) {
      const found = member(name)
      if (found === undefined) return undefined
      if (typeof found !== 'string') return wrongType(name, 'a string of base64')
      try {
        return decodeBase64(found)
      } catch (err) {
        if (!isLogError(err)) throw err
        return wrongType(name, 'standard base64 with padding, on one line')
      }
    },
    object(name) {
      const found = member(name)
      if (found === undefined) return undefined
      return isJsonObject(found)
        ? createReader(found, at(name), problems)
        : wrongType(name, 'an object')
    },
    objects(name) {
      const found = member(name)
      if (found === undefined) return []
      if (!Array.isArray(found)) {
        wrongType(name, 'a list')
        return []
      }
      const list = found as readonly JsonValue[] // isArray gives any[]
      if (list.length > MAX_ENTRIES) {
        problems.push(
          error(at(name), `has more than ${MAX_ENTRIES} entries, the others were not looked at`)
        )
      }
      return list.slice(0, MAX_ENTRIES).flatMap((entry, i) => {
        if (isJsonObject(entry)) return [createReader(entry, `${at(name)}[${i}]`, problems)]
        wrongType(`${name}[${i}]`, 'an object')
        return []
      })
    },
    end() {
      const unknown = Object.keys(value).filter((name) => !asked.has(name))
      if (unknown.length === 0) return
      const names = unknown.slice(0, MAX_NAMED).map(quoted).join(', ')
      const rest = unknown.length > MAX_NAMED ? ` and ${unknown.length - MAX_NAMED} more` : ''
      problems.push(
        error(
          where === '' ? 'file' : where,
          `has members that are not known here, ${names}${rest}: remove them, Go clients refuse the whole file`
        )
      )
    }
  }
}

/** `validFor`, which must have a start. Anything else is reported, and left out. */
export function readWindow(parent: DocumentReader, problems: TrustFinding[]): DocumentWindow {
  const isThere = parent.has('validFor')
  const reader = parent.object('validFor')
  if (!isThere || reader?.has('start') === false) {
    problems.push(missing(`${parent.at('validFor')}.start`))
  }
  const startSeconds = reader && readTime(reader, 'start', problems)
  const endSeconds = reader && readTime(reader, 'end', problems)
  reader?.end()
  return { startSeconds, endSeconds }
}

/** A member clients do not do without. */
export function missing(where: string): TrustFinding {
  return error(where, 'is missing: take the entry from the file that this server publishes')
}

const RFC_3339 =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** @returns seconds since the epoch; undefined when there is none, or it is none */
export function readTime(
  reader: DocumentReader,
  name: string,
  problems: TrustFinding[]
): number | undefined {
  const text = reader.text(name)
  if (text === undefined) return undefined
  const [, local, day] = RFC_3339.exec(text) ?? []
  // Date takes the 30th of February for the 2nd of March.
  const isDay = local !== undefined && new Date(`${local}Z`).getUTCDate() === Number(day)
  if (isDay) return Date.parse(text) / 1000
  problems.push(
    error(reader.at(name), `must be a time such as 2026-01-01T00:00:00Z: write it that way`)
  )
  return undefined
}
