import { LogError } from '../errors.js'

/** One token of a JSON text. */
export interface JsonToken {
  /** Structural tokens are their own kind. `end` comes after the last one. */
  readonly kind: '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'number' | 'word' | 'end'
  /** Offset in the text. */
  readonly start: number
  /** As it stands there. */
  readonly raw: string
  /** What a string means; empty for all else. */
  readonly text: string
}

/** Reads a JSON text token by token. It knows tokens, not which may follow which. */
export interface JsonTokens {
  /** The next token, which stays the next one. @throws LogError `invalid_request` */
  peek(): JsonToken
  /** The next token, which is then behind us. @throws LogError `invalid_request` */
  next(): JsonToken
}

const NEWLINE = 0x0a
const BLANKS = /[ \t\r\n]*/y
const STRUCTURE = /[{}[\],:]/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![-+._a-zA-Z0-9])/y
const WORD = /(?:null|true|false)(?![-+._a-zA-Z0-9])/y
/** What is shown of that which is none of these. */
const UNKNOWN = /[-+._a-zA-Z0-9]{1,32}|./suy

/**
 * Tokens of a text. Strings must be whole Unicode: a surrogate that stands alone, escaped or not, is refused, as by Go's
 * protojson.
 */
export function createJsonTokens(text: string): JsonTokens {
  let offset = 0
  let peeked: JsonToken | undefined

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = offset
    return pattern.exec(text)?.[0]
  }

  function read(): JsonToken {
    offset += (match(BLANKS) as string).length // none are a match, too
    const start = offset
    if (start === text.length) return { kind: 'end', start, raw: '', text: '' }
    if (text[start] === '"') {
      offset = endOfString(text, start)
      const raw = text.slice(start, offset)
      return { kind: 'string', start, raw, text: decodeString(text, start, raw) }
    }
    const structure = match(STRUCTURE)
    const number = structure ?? match(NUMBER)
    const raw = number ?? match(WORD)
    if (raw === undefined) throw syntaxError(text, start, `invalid value ${match(UNKNOWN)}`)
    offset += raw.length
    if (structure !== undefined) {
      return { kind: structure as JsonToken['kind'], start, raw, text: '' } // what STRUCTURE matches
    }
    return { kind: number === undefined ? 'word' : 'number', start, raw, text: '' }
  }

  return {
    peek: () => (peeked ??= read()),
    next() {
      const token = peeked ?? read()
      peeked = undefined
      return token
    }
  }
}

/** Offset behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const character = text[i]
    if (character === '"') return i + 1
    if (character === '\\') i++
  }
  throw unexpectedEnd()
}

function decodeString(text: string, start: number, raw: string): string {
  let value: string
  try {
    value = JSON.parse(raw) as string // begins and ends with a quote
  } catch (err) {
    const problem = 'invalid character or escape code in string'
    throw syntaxError(text, start, problem, err)
  }
  if (!value.isWellFormed()) throw syntaxError(text, start, 'invalid Unicode in string')
  return value
}

/** The text ends before what it began. */
export function unexpectedEnd(): LogError {
  return new LogError('invalid_request', 'proto: unexpected EOF')
}

/** What does not belong at an offset of the text, in the words of Go's protojson. */
export function syntaxError(
  text: string,
  offset: number,
  problem: string,
  cause?: unknown
): LogError {
  const message = `proto: syntax error ${positionOf(text, offset)}: ${problem}`
  return new LogError('invalid_request', message, { cause })
}

/** `(line 1:2)`; both count from one, columns in characters. */
export function positionOf(text: string, offset: number): string {
  let line = 1
  let column = 1
  for (let i = 0; i < offset; i++) {
    const unit = text.charCodeAt(i)
    if (unit === NEWLINE) {
      line++
      column = 1
    } else if (!isLowSurrogate(unit)) {
      column++
    }
  }
  return `(line ${line}:${column})`
}

/** The second half of a character. */
function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
