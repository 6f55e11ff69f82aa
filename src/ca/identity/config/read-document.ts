import { parse as parseYaml } from 'yaml'
import { LogError } from '../../../errors.js'
import type { Spelling } from './names.js'

/** A configuration, still unread, and the spelling its names are in. */
export interface ConfigDocument {
  readonly spelling: Spelling
  readonly content: unknown
}

/**
 * Reads the text as JSON, and only if it is none as YAML, as Fulcio does.
 *
 * @throws LogError `invalid_request` when it is neither
 * @see fulcio §8
 */
export function readConfigDocument(text: string): ConfigDocument {
  try {
    return { spelling: 'json', content: JSON.parse(text) as unknown }
  } catch {
    // Not JSON; what YAML has to say is of more use than why.
  }
  try {
    const content: unknown = parseYaml(rewriteAliasKeys(text), { merge: true, prettyErrors: true })
    return { spelling: 'yaml', content }
  } catch (err) {
    throw new LogError('invalid_request', `parse: ${(err as Error).message}`, { cause: err })
  }
}

/**
 * Puts a blank between an alias that is a key and its colon. Fulcio's own configuration does without, and in YAML 1.2 the
 * colon then belongs to the name of the alias.
 *
 * @see fulcio §8.6
 */
function rewriteAliasKeys(text: string): string {
  return text.replace(/^([ \t]*)\*([\w-]+):(?=\s|$)/gm, '$1*$2 :')
}
