import { LogError } from '../errors.js'
import type { JsonValue } from './canonical-json.js'
import { decodeUtf8 } from './text.js'

/**
 * Deepest nesting we read. Real entries nest under 10; an in-toto statement seldom passes 20. Everything that walks
 * a parsed value recurses, so this also bounds the stack.
 */
export const MAX_JSON_DEPTH = 100

/**
 * Most members and elements we read. Parsed, each needs up to 100 bytes however short it was, and a thread that runs out of memory
 * inside of `JSON.parse` cannot be ended. A bill of materials of 30 MB has less than a million.
 */
export const MAX_JSON_VALUES = 4_000_000

/**
 * Reads one JSON value. What `JSON.parse` takes, no deeper than `MAX_JSON_DEPTH` and of no more than `MAX_JSON_VALUES`; of repeated
 * members the last one wins, as in Go.
 *
 * @throws LogError `invalid_request`
 */
export function parseJson(input: string | Uint8Array): JsonValue {
  const text = typeof input === 'string' ? input : decodeUtf8(input)
  assertBounded(text)
  try {
    return JSON.parse(text) as JsonValue // by definition of JSON.parse
  } catch (err) {
    throw new LogError('invalid_request', `not valid JSON: ${(err as Error).message}`, {
      cause: err
    })
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPENING_BRACKET = 0x5b
const CLOSING_BRACKET = 0x5d
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

/** Counts brackets and commas outside strings, before anything is made of them. One pass over the text. */
function assertBounded(text: string): void {
  let depth = 0
  let values = 1
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === QUOTE) {
      i = endOfString(text, i + 1)
    } else if (unit === COMMA) {
      values++
    } else if (unit === OPENING_BRACKET || unit === OPENING_BRACE) {
      depth++
      values++
      if (depth > MAX_JSON_DEPTH) {
        throw new LogError('invalid_request', `JSON nested deeper than ${MAX_JSON_DEPTH} levels`)
      }
    } else if (unit === CLOSING_BRACKET || unit === CLOSING_BRACE) {
      depth--
    }
  }
  if (values > MAX_JSON_VALUES) {
    throw new LogError('invalid_request', `JSON of more than ${MAX_JSON_VALUES} values`)
  }
}

/** Offset of the closing quote of the string whose content starts at `offset`; the length if there is none. */
function endOfString(text: string, offset: number): number {
  let quote = text.indexOf('"', offset)
  while (quote >= 0 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote < 0 ? text.length : quote
}

/** Whether an odd number of backslashes stands before `offset`. Each run is counted once: by the quote after it. */
function isEscaped(text: string, offset: number): boolean {
  let backslashes = 0
  while (text[offset - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** Whether `value` is a JSON object (not an array, not null). */
export function isJsonObject(
  value: unknown
): value is { readonly [member: string]: JsonValue | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
