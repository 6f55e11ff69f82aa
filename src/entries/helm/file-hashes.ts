import { isMap, isScalar, parseDocument } from 'yaml'
import { LogError } from '../../errors.js'

/** What Helm writes about one chart has 120 bytes, and the parser takes up to 10 ms a kilobyte. In characters. */
export const MAX_SUMS_LENGTH = 32_768

// How deep collections may nest, by what they are written with. The parser recurses, and a stack that is full while it compiles a
// pattern ends the process, not only the task. Helm writes one level, indented by two.
const MAX_INDENT = 32
const MAX_INDICATORS_IN_LINE = 8
const MAX_FLOW_COLLECTIONS = 32

/**
 * Hashes of the files in the second part of a provenance file, in the order in which they are named:
 *
 *     files:
 *       <name>: <algorithm>:<digits>
 *     images:
 *       …
 *
 * A map of strings and nothing else: no aliases, no tags of others, no name twice. Images must be of the same form and mean
 * nothing. Of several documents the first is read, as in Rekor.
 *
 * @param text YAML
 * @returns undefined when no files are named at all
 * @throws LogError `invalid_request`
 */
export function readFileHashes(text: string): readonly string[] | undefined {
  assertShallow(text)
  const { contents, errors, warnings } = parseDocument(text, {
    version: '1.2',
    prettyErrors: false,
    logLevel: 'silent'
  })
  const [problem] = [...errors, ...warnings]
  if (problem !== undefined) throw refused(problem.message)
  if (contents === null || isNull(contents)) return undefined
  const files = textsOf(memberOf(contents, 'files'))
  textsOf(memberOf(contents, 'images'))
  return files
}

/** @returns undefined when it is not there */
function memberOf(node: unknown, name: string): unknown {
  if (!isMap(node)) throw refused('not a map')
  return node.items.find(({ key }) => isScalar(key) && key.value === name)?.value
}

function textsOf(node: unknown): readonly string[] | undefined {
  if (node === undefined || node === null || isNull(node)) return undefined
  if (!isMap(node)) throw refused('not a map')
  return node.items.map(({ key, value }) => {
    if (!isScalar(key) || !isScalar(value) || typeof value.value !== 'string') {
      throw refused('a name or a hash is not a string')
    }
    return value.value
  })
}

function isNull(node: unknown): boolean {
  return isScalar(node) && node.value === null
}

function assertShallow(text: string): void {
  if (text.length > MAX_SUMS_LENGTH) throw refused(`longer than ${MAX_SUMS_LENGTH} characters`)
  const isShallow =
    count(text, /[[{]/g) <= MAX_FLOW_COLLECTIONS &&
    text.split('\n').every((line) => {
      const indent = line.length - line.trimStart().length
      return indent <= MAX_INDENT && count(line, /[-?:](?!\S)/g) <= MAX_INDICATORS_IN_LINE
    })
  if (!isShallow) throw refused('nested too deep')
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}

function refused(problem: string): LogError {
  return new LogError('invalid_request', `error occurred parsing SumCollection: ${problem}`)
}
