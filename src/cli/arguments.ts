import { didYouMean } from '../config/near-miss.js'
import { LogError } from '../errors.js'
import type { FlagSpec } from './command.js'

export interface ParsedArguments {
  /** A switch that was given is `''`. */
  readonly flags: ReadonlyMap<string, string>
  readonly positionals: readonly string[]
}

/**
 * Reads `--name value`, `--name=value`, switches and positionals. After `--` everything is positional.
 *
 * @param flags those allowed here
 * @throws LogError `invalid_request` with one line for every problem
 */
export function parseArguments(
  argv: readonly string[],
  flags: readonly FlagSpec[]
): ParsedArguments {
  const specs = new Map(flags.map((flag) => [flag.name, flag]))
  const found = new Map<string, string>()
  const positionals: string[] = []
  const problems: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    if (word === '--') {
      positionals.push(...argv.slice(i + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const given = equals < 0 ? word : word.slice(0, equals)
    const name = given === '-h' ? 'help' : given.slice(2)
    const spec = given === '-h' || given.startsWith('--') ? specs.get(name) : undefined
    if (spec === undefined) {
      const known = [...specs.keys()].map((each) => `--${each}`)
      problems.push(`${given} is not a known flag here${didYouMean(given, known)}`)
      // Most likely its value; taken as a positional it would cause a second, puzzling complaint.
      if (equals < 0 && !(argv[i + 1] ?? '-').startsWith('-')) i++
      continue
    }
    if (found.has(name)) problems.push(`--${name} was given twice`)
    if (spec.value === undefined) {
      if (equals >= 0) problems.push(`--${name} takes no value`)
      found.set(name, '')
    } else if (equals >= 0) {
      found.set(name, word.slice(equals + 1))
    } else if (i + 1 < argv.length) {
      found.set(name, argv[++i] ?? '')
    } else {
      problems.push(`--${name} needs a value: --${name} ${spec.value}`)
    }
  }
  if (problems.length > 0) throw new LogError('invalid_request', problems.join('\n'))
  return { flags: found, positionals }
}
