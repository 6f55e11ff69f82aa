import { refuseCertificate } from '../refusal.js'
import type { Expression, Template, TextExpression } from './parse.js'

/** What a template can refer to: defaults of the CI provider overlaid by the claims of the token. */
export type TemplateData = ReadonlyMap<string, string>

/**
 * Text of a template. Nothing is escaped, and what claims contain is not looked at for templates.
 *
 * @throws LogError `invalid_request` with the text of Go when there is nothing of a name; only `index` gives an empty text
 */
export function evaluateTemplate(template: Template, data: TemplateData): string {
  return template
    .map((node) => {
      if (node.kind === 'text') return node.text
      if (node.kind === 'value') return String(evaluate(node.expression, data))
      const branch = node.branches.find(({ condition }) => isTrue(evaluate(condition, data)))
      return evaluateTemplate(branch?.body ?? node.otherwise, data)
    })
    .join('')
}

function isTrue(value: string | boolean): boolean {
  return value !== false && value !== ''
}

function evaluate(expression: Expression, data: TemplateData): string | boolean {
  if (expression.kind !== 'comparison') return evaluateText(expression, data)
  const left = evaluateText(expression.left, data)
  const right = expression.right.map((operand) => evaluateText(operand, data))
  return right.includes(left) === (expression.operator === 'eq')
}

function evaluateText(expression: TextExpression, data: TemplateData): string {
  if (expression.kind === 'literal') return expression.text
  if (expression.kind === 'index') return data.get(expression.key) ?? ''
  const text = data.get(expression.name)
  if (text === undefined) {
    const { name, position } = expression
    const field = [...`.${name}`]
    const context = field.length > 20 ? `${field.slice(0, 20).join('')}...` : field.join('')
    throw refuseCertificate(
      `template: :${position}: executing "" at <${context}>: map has no entry for key ${JSON.stringify(name)}`
    )
  }
  return text
}
