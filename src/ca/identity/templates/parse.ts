import type { LogError } from '../../../errors.js'
import { lineAndColumn, type Piece, splitTemplate, templateProblem, type Token } from './tokens.js'

// The part of Go's text/template that configurations of Fulcio use. Whatever else that language has is refused when the
// configuration is read, so that no template fails for its syntax when a certificate is wanted.
//
//     template   = { text | value | if } .
//     value      = "{{" expression "}}" .
//     if         = "{{if" expression "}}" template
//                  { "{{else if" expression "}}" template } [ "{{else}}" template ] "{{end}}" .
//     expression = operand | "eq" operand operand { operand } | "ne" operand operand | "index" "." string .
//     operand    = ".name" | string | "(" expression ")" .

/** A template, read. Makes a text of data that are texts. */
export type Template = readonly TemplateNode[]

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly expression: Expression }
  | {
      readonly kind: 'if'
      readonly branches: readonly Branch[]
      readonly otherwise: Template
    }

interface Branch {
  readonly condition: Expression
  readonly body: Template
}

export type TextExpression =
  | {
      readonly kind: 'field'
      readonly name: string
      /** Where it stands, as Go says it. */
      readonly position: string
    }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'index'; readonly key: string }

export interface Comparison {
  readonly kind: 'comparison'
  /** `ne` is true when no value on the right equals the left; it has but one. */
  readonly operator: 'eq' | 'ne'
  readonly left: TextExpression
  readonly right: readonly TextExpression[]
}

export type Expression = TextExpression | Comparison

/** Deepest nesting of `if` and of parentheses that is read. Those in use have two. */
const MAX_TEMPLATE_DEPTH = 20

/** @throws LogError `invalid_request` that says what is wrong, or not supported, and where */
export function parseTemplate(template: string): Template {
  const reader: Reader = { template, pieces: splitTemplate(template), next: 0 }
  const { nodes, ending } = readNodes(reader, 0)
  if (ending !== undefined) throw problemAt(reader, ending.at, `unexpected {{${ending.keyword}}}`)
  return nodes
}

interface Reader {
  readonly template: string
  readonly pieces: readonly Piece[]
  /** Index of the first piece not read yet. */
  next: number
}

/** The action that ended a list of nodes. */
interface Ending {
  readonly keyword: 'end' | 'else'
  readonly at: number
  /** Of `{{else if condition}}`. */
  readonly condition: Expression | undefined
}

/** Nodes up to the end of the template or to an action that ends the list. */
function readNodes(
  reader: Reader,
  depth: number
): { readonly nodes: Template; readonly ending: Ending | undefined } {
  const nodes: TemplateNode[] = []
  for (;;) {
    const piece = reader.pieces[reader.next++]
    if (piece === undefined) return { nodes, ending: undefined }
    if (piece.kind === 'text') {
      nodes.push(piece)
      continue
    }
    const { tokens, at } = piece
    if (depth > MAX_TEMPLATE_DEPTH) throw problemAt(reader, at, 'nested too deeply')
    const ending = endingOf(reader, tokens, at)
    if (ending !== undefined) return { nodes, ending }
    if (isWord(tokens[0], 'if')) nodes.push(readIf(reader, tokens.slice(1), at, depth))
    else nodes.push({ kind: 'value', expression: parseExpression(reader, tokens, at, 0) })
  }
}

function readIf(reader: Reader, tokens: readonly Token[], at: number, depth: number): TemplateNode {
  const branches: Branch[] = []
  let condition = parseExpression(reader, tokens, at, 0)
  for (;;) {
    const { nodes, ending } = readNodes(reader, depth + 1)
    branches.push({ condition, body: nodes })
    if (ending === undefined) throw problemAt(reader, at, '{{if}} without {{end}}')
    if (ending.keyword === 'end') return { kind: 'if', branches, otherwise: [] }
    if (ending.condition === undefined) break
    condition = ending.condition
  }
  const { nodes: otherwise, ending } = readNodes(reader, depth + 1)
  if (ending?.keyword !== 'end') throw problemAt(reader, at, '{{else}} without {{end}}')
  return { kind: 'if', branches, otherwise }
}

function endingOf(reader: Reader, tokens: readonly Token[], at: number): Ending | undefined {
  const [first, second, ...more] = tokens
  if (isWord(first, 'end') && second === undefined) {
    return { keyword: 'end', at, condition: undefined }
  }
  if (!isWord(first, 'else')) return undefined
  if (second === undefined) return { keyword: 'else', at, condition: undefined }
  if (!isWord(second, 'if')) throw problemAt(reader, at, 'unexpected text after else')
  return { keyword: 'else', at, condition: parseExpression(reader, more, at, 0) }
}

function parseExpression(
  reader: Reader,
  tokens: readonly Token[],
  at: number,
  depth: number
): Expression {
  if (depth > MAX_TEMPLATE_DEPTH) throw problemAt(reader, at, 'nested too deeply')
  const [first, ...others] = tokens
  if (first === undefined) throw problemAt(reader, at, 'missing value for command')
  if (first.kind !== 'word') {
    const [operand, ...extra] = parseOperands(reader, tokens, depth)
    if (operand === undefined || extra.length > 0) {
      throw problemAt(reader, at, 'only a function can have arguments')
    }
    return operand
  }
  if (first.text === 'eq' || first.text === 'ne') {
    return parseComparison(reader, first.text, others, at, depth)
  }
  if (first.text === 'index') {
    const [data, key, extra] = others
    if (data?.kind === '.' && key?.kind === 'string' && extra === undefined) {
      return { kind: 'index', key: key.text }
    }
    throw problemAt(reader, at, 'index is supported as {{index . "key"}} only')
  }
  throw problemAt(reader, at, `${JSON.stringify(first.text)} is not supported`)
}

function parseComparison(
  reader: Reader,
  operator: 'eq' | 'ne',
  tokens: readonly Token[],
  at: number,
  depth: number
): Comparison {
  const [left, ...right] = parseOperands(reader, tokens, depth).map((operand) => {
    if (operand.kind === 'comparison') {
      throw problemAt(reader, at, 'incompatible types for comparison')
    }
    return operand
  })
  if (left === undefined || right.length === 0 || (operator === 'ne' && right.length > 1)) {
    throw problemAt(reader, at, `wrong number of args for ${operator}`)
  }
  return { kind: 'comparison', operator, left, right }
}

function parseOperands(
  reader: Reader,
  tokens: readonly Token[],
  depth: number
): readonly Expression[] {
  const operands: Expression[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token // i is within
    if (token.kind === 'field') {
      const position = lineAndColumn(reader.template, token.at)
      operands.push({ kind: 'field', name: token.text, position })
    } else if (token.kind === 'string') {
      operands.push({ kind: 'literal', text: token.text })
    } else if (token.kind === '(') {
      const end = closingParenthesis(tokens, i)
      if (end < 0) throw problemAt(reader, token.at, 'unclosed left paren')
      operands.push(parseExpression(reader, tokens.slice(i + 1, end), token.at, depth + 1))
      i = end
    } else {
      const what = token.kind === 'word' ? JSON.stringify(token.text) : token.kind
      throw problemAt(reader, token.at, `${what} is not supported here`)
    }
  }
  return operands
}

/** Index of the `)` that belongs to the `(` at `open`; -1 when there is none. */
function closingParenthesis(tokens: readonly Token[], open: number): number {
  let depth = 0
  return tokens.findIndex(({ kind }, i) => {
    if (i < open) return false
    if (kind === '(') depth++
    else if (kind === ')') depth--
    return depth === 0
  })
}

function isWord(token: Token | undefined, text: string): boolean {
  return token?.kind === 'word' && token.text === text
}

function problemAt(reader: Reader, at: number, problem: string): LogError {
  return templateProblem(reader.template, at, problem)
}
