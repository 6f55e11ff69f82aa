import { LogError } from '../errors.js'
import { bytesToText, textToUnicode, trim, trimStart } from './ini-text.js'

/** Where keys stand before the first section, and behind a line with this name. */
const DEFAULT_SECTION = 'DEFAULT'

/** Of a line in a message. In characters. */
const MAX_SHOWN = 100

/** Gives one line after the other with its line end; undefined behind the last. */
type NextLine = () => string | undefined

/**
 * Keys and values of the default section of an INI file, under the rules of the Go library that Rekor reads `.PKGINFO` with
 * (gopkg.in/ini.v1 with its defaults), which are not those of apk: they decide what is in the leaf.
 *
 * - lines that begin with `#` or `;` are comments; `[name]` begins a section, `[DEFAULT]` the default one again
 * - the first `=` or `:` ends a key; a key may be in `"`, `"""` or backticks; `-` is `#1`, `#2`, ...
 * - a value in backticks or `"""` is taken as it is up to the last such quote, of this line or of the first later one that
 *   has one
 * - a value with `\` at its end continues on the next line, which is not looked into
 * - any other ends before the first `#` or `;`, and loses one pair of `'` or `"` around it
 * - the last of several values of one key stands; bytes that are no UTF-8 become U+FFFD
 *
 * @param label put before the messages
 * @throws LogError `invalid_request`
 */
export function parseIni(bytes: Uint8Array, label: string): ReadonlyMap<string, string> {
  const nextLine = linesOf(withoutByteOrderMark(bytesToText(bytes)))
  const values = new Map<string, string>()
  let isDefault = true
  let unnamed = 0
  for (let line = nextLine(); line !== undefined; line = nextLine()) {
    const text = trimStart(line)
    if (text === '' || text.startsWith('#') || text.startsWith(';')) continue
    if (text.startsWith('[')) {
      isDefault = readSection(text, label) === DEFAULT_SECTION
      unnamed = 0
      continue
    }
    const { name, rest } = readKey(text, label)
    const value = readValue(rest, nextLine, label)
    if (name === '') throw invalid(label, 'error creating new key: empty key name')
    if (name === '-') unnamed++
    if (isDefault) values.set(name === '-' ? `#${unnamed}` : name, value)
  }
  return decoded(values, label)
}

function readSection(text: string, label: string): string {
  const close = text.lastIndexOf(']')
  if (close < 0) throw invalid(label, 'unclosed section', text)
  if (close === 1) throw invalid(label, 'empty section name')
  return text.slice(1, close)
}

interface Key {
  readonly name: string
  /** What stands behind the delimiter. */
  readonly rest: string
}

function readKey(text: string, label: string): Key {
  const quote = keyQuote(text)
  const close = quote === '' ? 0 : text.indexOf(quote, quote.length)
  if (close < 0) throw invalid(label, 'missing closing key quote', text)
  // What stands between a closing quote and the delimiter is nobody's.
  const delimiter = indexOfAny(text, '=', ':', close + quote.length)
  if (delimiter < 0) throw invalid(label, 'key-value delimiter not found', text)
  if (delimiter === 0) throw invalid(label, 'empty key name', text)
  const name = quote === '' ? text.slice(0, delimiter) : text.slice(quote.length, close)
  return { name: trim(name), rest: text.slice(delimiter + 1) }
}

function keyQuote(text: string): string {
  if (text.startsWith('"""') && text.length > 6) return '"""'
  return text.startsWith('"') || text.startsWith('`') ? text.slice(0, 1) : ''
}

function readValue(rest: string, nextLine: NextLine, label: string): string {
  const text = trimStart(rest)
  const quote = valueQuote(text)
  if (quote !== '') return readVerbatim(text.slice(quote.length), quote, nextLine, label)
  const trimmed = trim(text)
  if (trimmed.endsWith('\\')) return readContinued(trimmed.slice(0, -1), nextLine)
  const comment = indexOfAny(trimmed, '#', ';', 0)
  return withoutQuotes(comment < 0 ? trimmed : trim(trimmed.slice(0, comment)))
}

function valueQuote(text: string): string {
  if (text.startsWith('"""') && text.length > 3) return '"""'
  return text.startsWith('`') ? '`' : ''
}

function readVerbatim(text: string, quote: string, nextLine: NextLine, label: string): string {
  const parts: string[] = []
  for (let line: string | undefined = text; line !== undefined; line = nextLine()) {
    const close = line.lastIndexOf(quote)
    if (close >= 0) return parts.join('') + line.slice(0, close)
    parts.push(line)
  }
  throw invalid(label, 'missing closing key quote', quote + text)
}

/** An empty line ends it as well. */
function readContinued(first: string, nextLine: NextLine): string {
  const parts = [first]
  for (let goesOn = true; goesOn;) {
    const line = trim(nextLine() ?? '')
    goesOn = line.endsWith('\\')
    parts.push(goesOn ? line.slice(0, -1) : line)
  }
  return parts.join('')
}

/** Quotes around it go, unless there is another of their kind inside. */
function withoutQuotes(value: string): string {
  const quote = value.slice(0, 1)
  const isQuoted = (quote === "'" || quote === '"') && value.length >= 2
  return isQuoted && value.indexOf(quote, 1) === value.length - 1 ? value.slice(1, -1) : value
}

/** First of two characters from `from` on. */
function indexOfAny(text: string, one: string, other: string, from: number): number {
  for (let i = from; i < text.length; i++) if (text[i] === one || text[i] === other) return i
  return -1
}

/** Of UTF-8, or of UTF-16, which is not read as such all the same. */
function withoutByteOrderMark(text: string): string {
  if (text.startsWith('\xfe\xff') || text.startsWith('\xff\xfe')) return text.slice(2)
  return text.startsWith('\xef\xbb\xbf') ? text.slice(3) : text
}

function linesOf(text: string): NextLine {
  let at = 0
  return () => {
    if (at >= text.length) return undefined
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline + 1
    const line = text.slice(at, end)
    at = end
    return line
  }
}

/** Two names may become one; Rekor finds the member twice in its own JSON then, and fails. */
function decoded(values: ReadonlyMap<string, string>, label: string): ReadonlyMap<string, string> {
  const result = new Map<string, string>()
  for (const [name, value] of values) result.set(textToUnicode(name), textToUnicode(value))
  if (result.size < values.size) throw invalid(label, 'Duplicate key: not valid UTF-8')
  return result
}

function invalid(label: string, problem: string, line?: string): LogError {
  if (line === undefined) return new LogError('invalid_request', `${label}: ${problem}`)
  const shown = textToUnicode(trim(line.slice(0, MAX_SHOWN)))
  return new LogError('invalid_request', `${label}: ${problem}: ${shown}`)
}
