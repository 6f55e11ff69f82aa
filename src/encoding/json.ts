import { LogError } from '../errors.js'
import type { JsonValue } from './canonical-json.js'
import { decodeUtf8 } from './text.js'

/**
 * Deepest nesting we read. Real entries nest under 10; an in-toto statement seldom passes 20. Everything that walks
 * a parsed value recurses, so this also bounds the stack.
 */
export const MAX_JSON_DEPTH = 100

/**
 * Reads one JSON value. What `JSON.parse` takes, no deeper than `MAX_JSON_DEPTH`; of repeated members the last one
 * wins, as in Go.
 *
 * @throws LogError `invalid_request`
 */
export function parseJson(input: string | Uint8Array): JsonValue {
  const text = typeof input === 'string' ? input : decodeUtf8(input)
  assertDepth(text)
  try {
    return JSON.parse(text) as JsonValue // by definition of JSON.parse
  } catch (err) {
    throw new LogError('invalid_request', `not valid JSON: ${(err as Error).message}`, {
      cause: err
    })
  }
}

const STRUCTURE = /["[{\]}]/g

/** Counts brackets outside strings, before anything recursive sees the value. */
function assertDepth(text: string): void {
  let depth = 0
  STRUCTURE.lastIndex = 0
  for (let match = STRUCTURE.exec(text); match !== null; match = STRUCTURE.exec(text)) {
    const character = match[0]
    if (character === '"') {
      STRUCTURE.lastIndex = endOfString(text, match.index + 1)
    } else if (character === '[' || character === '{') {
      depth++
      if (depth > MAX_JSON_DEPTH) {
        throw new LogError('invalid_request', `JSON nested deeper than ${MAX_JSON_DEPTH} levels`)
      }
    } else {
      depth--
    }
  }
}

/** Offset just after the closing quote of the string that starts before `offset`. */
function endOfString(text: string, offset: number): number {
  for (let from = offset; ; ) {
    const quote = text.indexOf('"', from)
    if (quote < 0) return text.length
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return quote + 1
    from = quote + 1
  }
}

/** Whether `value` is a JSON object (not an array, not null). */
export function isJsonObject(
  value: unknown
): value is { readonly [member: string]: JsonValue | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
