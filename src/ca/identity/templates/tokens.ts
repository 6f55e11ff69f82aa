import { LogError } from '../../../errors.js'

export type Token =
  | {
      /** `.name`, `"text"` or `name`; the text is without what marks it. */
      readonly kind: 'field' | 'string' | 'word'
      readonly text: string
      readonly at: number
    }
  | { readonly kind: '.' | '(' | ')'; readonly at: number }

/** A template in pieces: text as it is to be written, and what stands between braces. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number }

const OPENING = /\{\{(?:-(?=[ \t\r\n]))?/y
const COMMENT = /\{\{(?:-[ \t\r\n]+)?\/\*[^]*?\*\/(?:[ \t\r\n]+-)?\}\}/y
const BLANKS = /[ \t\r\n]*/y
const CLOSING = /-?\}\}/y
const FIELD = /\.([\p{L}_][\p{L}\p{Nd}_]*)/uy
const WORD = /[\p{L}_][\p{L}\p{Nd}_]*/uy
const RAW_STRING = /`([^`]*)`/y
const QUOTED_STRING = /"((?:[^"\\\n]|\\[^\n])*)"/y
const SYMBOL = /[.()]/y

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t']
])

/**
 * Splits a Go template, with its comments left out and its trim markers (`{{- ` and ` -}}`) applied.
 *
 * @throws LogError `invalid_request`
 */
export function splitTemplate(template: string): readonly Piece[] {
  const pieces: Piece[] = []
  let trimNext = false
  for (let at = 0; at < template.length;) {
    const open = template.indexOf('{{', at)
    const end = open < 0 ? template.length : open
    const opening = matchAt(OPENING, template, end)?.[0] ?? ''
    const text = trim(template.slice(at, end), trimNext, opening === '{{-')
    if (text !== '') pieces.push({ kind: 'text', text })
    if (open < 0) break
    const comment = matchAt(COMMENT, template, open)?.[0]
    if (comment === undefined) {
      const action = readAction(template, open + opening.length)
      pieces.push({ kind: 'action', tokens: action.tokens, at: open })
      at = action.end
    } else {
      at = open + comment.length
    }
    trimNext = template.startsWith('-}}', at - 3)
  }
  return pieces
}

/** Tokens from `start` to the closing braces. */
function readAction(
  template: string,
  start: number
): { readonly tokens: readonly Token[]; readonly end: number } {
  const tokens: Token[] = []
  for (let at = start; ;) {
    const blanks = matchAt(BLANKS, template, at)?.[0] ?? ''
    at += blanks.length
    const closing = matchAt(CLOSING, template, at)?.[0]
    if (closing === '}}' || (closing !== undefined && blanks !== '')) {
      return { tokens, end: at + closing.length }
    }
    const { token, end } = readToken(template, at)
    const before = tokens[tokens.length - 1]?.kind ?? '('
    if (blanks === '' && before !== '(' && token.kind !== '(' && token.kind !== ')') {
      throw templateProblem(template, at, 'values must be separated by blanks')
    }
    tokens.push(token)
    at = end
  }
}

function readToken(template: string, at: number): { readonly token: Token; readonly end: number } {
  const field = matchAt(FIELD, template, at)
  if (field !== undefined) return found('field', field[1], field[0])
  const word = matchAt(WORD, template, at)
  if (word !== undefined) return found('word', word[0], word[0])
  const raw = matchAt(RAW_STRING, template, at)
  if (raw !== undefined) return found('string', raw[1], raw[0])
  const quoted = matchAt(QUOTED_STRING, template, at)
  if (quoted !== undefined) return found('string', unescape(template, at, quoted[1]), quoted[0])
  const symbol = matchAt(SYMBOL, template, at)?.[0]
  if (symbol === '.' || symbol === '(' || symbol === ')') {
    return { token: { kind: symbol, at }, end: at + 1 }
  }
  if (at >= template.length) throw templateProblem(template, at, 'unclosed action')
  const character = JSON.stringify(template.charAt(at))
  throw templateProblem(template, at, `${character} is not supported`)

  function found(kind: 'field' | 'string' | 'word', text: string | undefined, matched: string) {
    return { token: { kind, text: text ?? '', at }, end: at + matched.length }
  }
}

function unescape(template: string, at: number, text = ''): string {
  return text.replace(/\\(.)/gu, (escape, character: string) => {
    const plain = ESCAPES.get(character)
    if (plain === undefined) {
      throw templateProblem(template, at, `escape ${escape} is not supported`)
    }
    return plain
  })
}

/** Match of a sticky expression at one place. */
function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | undefined {
  expression.lastIndex = at
  return expression.exec(text) ?? undefined
}

function trim(text: string, atStart: boolean, atEnd: boolean): string {
  const from = atStart ? text.replace(/^[ \t\r\n]+/, '') : text
  return atEnd ? from.replace(/[ \t\r\n]+$/, '') : from
}

export function templateProblem(template: string, at: number, problem: string): LogError {
  return new LogError(
    'invalid_request',
    `template ${JSON.stringify(template)}: ${problem}, at ${lineAndColumn(template, at)}`
  )
}

/** `line:column` as Go has it: lines from 1, columns in bytes from 0. */
export function lineAndColumn(text: string, at: number): string {
  const before = text.slice(0, at)
  const lineStart = before.lastIndexOf('\n') + 1
  const column = new TextEncoder().encode(before.slice(lineStart)).length
  return `${before.split('\n').length}:${column}`
}
