import { refuseCertificate } from '../refusal.js'
import { evaluateTemplate, type TemplateData } from './evaluate.js'
import { parseTemplate, type Template } from './parse.js'

/** A configured value: a template, or the name of the claim or default to copy. */
export type CiValue =
  | { readonly kind: 'template'; readonly template: Template }
  | { readonly kind: 'name'; readonly name: string }

/** Reads a configured value: with `{{` in it, it is a template. @throws LogError `invalid_request` */
export function parseCiValue(text: string): CiValue {
  return text.includes('{{')
    ? { kind: 'template', template: parseTemplate(text) }
    : { kind: 'name', name: text }
}

/**
 * @param context what the value is for, which Fulcio puts into its message
 * @throws LogError `invalid_request` when a claim is missing, with the text clients are shown
 */
export function evaluateCiValue(
  value: CiValue,
  data: TemplateData,
  context: { readonly extensionName: string; readonly issuer: string }
): string {
  if (value.kind === 'template') return evaluateTemplate(value.template, data)
  const text = data.get(value.name)
  if (text !== undefined) return text
  const metadata = { ExtensionName: context.extensionName, Issuer: context.issuer }
  throw refuseCertificate(
    `value <${value.name}> not present in either claims or defaults. ${JSON.stringify(metadata, null, '\t')}`
  )
}
