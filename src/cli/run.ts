import { canonicalJson } from '../encoding/canonical-json.js'
import { didYouMean } from '../config/near-miss.js'
import { loadConfig } from '../config/load.js'
import { LogError, isLogError } from '../errors.js'
import { type ParsedArguments, parseArguments } from './arguments.js'
import {
  type CliWorld,
  type Command,
  type CommandCall,
  EXIT,
  type ExitCode,
  UsageError
} from './command.js'
import { COMMANDS, type CommandEntry } from './commands.js'
import { COMMON_FLAGS, commandHelp, configFlags, overview } from './help.js'

/**
 * Runs one command.
 *
 * @param argv without the names of node and script
 * @returns what the process should exit with; everything to be said has been written
 */
export async function runCli(argv: readonly string[], world: CliWorld): Promise<ExitCode> {
  const debug = argv.includes('--debug')
  const json = argv.includes('--json')
  try {
    return await dispatch(argv, world)
  } catch (err) {
    report(err, { debug, json }, world)
    return err instanceof UsageError ? EXIT.usage : EXIT.failed
  }
}

async function dispatch(argv: readonly string[], world: CliWorld): Promise<ExitCode> {
  const [first = '--help'] = argv
  if (first === '--help' || first === '-h' || first === 'help') {
    world.stdout.write(overview(COMMANDS))
    return EXIT.ok
  }
  const group = groupOf(argv)
  const siblings = siblingsOf(group)
  const [next = ''] = argv.slice(group.length)
  const isCommand = COMMANDS.some(({ name }) => name === group.join(' '))
  if (siblings.length > 0 && !isCommand && (next === '--help' || next === '-h')) {
    world.stdout.write(overview(siblings))
    return EXIT.ok
  }
  const { entry, rest } = findCommand(first === '--version' ? ['version'] : argv)
  const command = await entry.load()
  const settings = configFlags(command)
  const args = usage(() =>
    parseArguments(rest, [...(command.flags ?? []), ...COMMON_FLAGS, ...settings])
  )
  if (args.flags.has('help')) {
    world.stdout.write(commandHelp(entry, command))
    return EXIT.ok
  }
  const { positionals = [] } = command
  if (args.positionals.length !== positionals.length) {
    const wants = positionals.length === 0 ? 'no arguments' : positionals.join(' ')
    throw new UsageError(
      `sigstead ${entry.name} takes ${wants} (got ${args.positionals.join(' ') || 'none'})`
    )
  }
  return command.run(callOf(command, args, world))
}

function findCommand(argv: readonly string[]): {
  readonly entry: CommandEntry
  readonly rest: readonly string[]
} {
  for (const words of [3, 2, 1]) {
    const name = argv.slice(0, words).join(' ')
    const entry = COMMANDS.find((each) => each.name === name)
    if (entry !== undefined) return { entry, rest: argv.slice(words) }
  }
  const group = groupOf(argv)
  const siblings = siblingsOf(group).map(({ name }) => name)
  const next = argv[group.length]
  if (siblings.length > 0 && (next === undefined || next.startsWith('-'))) {
    throw new UsageError(`sigstead ${group.join(' ')} needs one of: ${siblings.join(', ')}`)
  }
  // As many words as the commands beside it have.
  const words = Math.max(1, ...siblings.map((name) => name.split(' ').length))
  const end = argv.findIndex((word) => word.startsWith('-'))
  const given = argv.slice(0, end < 0 ? words : Math.min(words, end)).join(' ')
  const names = COMMANDS.flatMap(({ name }) => beginningsOf(name.split(' ')))
  throw new UsageError(
    `${given} is not a command${didYouMean(given, names)}; sigstead --help lists them`
  )
}

/** A command, and what several may begin with. */
function beginningsOf(words: readonly string[]): readonly string[] {
  return words.map((_, i) => words.slice(0, i + 1).join(' '))
}

/** The first words, as many as begin any command. */
function groupOf(argv: readonly string[]): readonly string[] {
  const two = argv.slice(0, 2)
  if (two.length === 2 && siblingsOf(two).length > 0) return two
  return siblingsOf(argv.slice(0, 1)).length > 0 ? argv.slice(0, 1) : []
}

/** Commands that begin with these words. */
function siblingsOf(words: readonly string[]): readonly CommandEntry[] {
  return words.length === 0
    ? []
    : COMMANDS.filter(({ name }) => name.startsWith(`${words.join(' ')} `))
}

function callOf(command: Command, args: ParsedArguments, world: CliWorld): CommandCall {
  const json = args.flags.has('json')
  const settings = new Set(configFlags(command).map(({ name }) => name))
  return {
    flags: args.flags,
    positionals: args.positionals,
    json,
    world,
    loadConfig: () => {
      const flags = [...args.flags].filter(([name]) => settings.has(name))
      return usage(() => loadConfig(Object.fromEntries(flags), world.environment))
    },
    print: (text, value) => {
      world.stdout.write(
        json ? `${canonicalJson(value)}\n` : text.endsWith('\n') ? text : `${text}\n`
      )
    },
    note: (text) => {
      world.stderr.write(`${text}\n`)
    }
  }
}

/** Turns a refusal of the input into one of the command line. */
function usage<T>(read: () => T): T {
  try {
    return read()
  } catch (err) {
    if (isLogError(err, 'invalid_request')) throw new UsageError(err.message, { cause: err })
    throw err
  }
}

function report(
  err: unknown,
  { debug, json }: { readonly debug: boolean; readonly json: boolean },
  { stderr }: CliWorld
): void {
  const expected = err instanceof LogError || err instanceof UsageError
  const message = err instanceof Error ? err.message : String(err)
  if (json) {
    const code = err instanceof LogError ? err.code : expected ? 'invalid_request' : 'internal'
    stderr.write(`${canonicalJson({ error: { code, message } })}\n`)
  } else {
    // Also for what nobody expected: whoever can read a stack knows to ask for it.
    for (const line of message.split('\n')) stderr.write(`sigstead: ${line}\n`)
    if (!expected && !debug) stderr.write('sigstead: this is a bug; --debug shows where\n')
  }
  if (debug) stderr.write(`${stackWithCauses(err)}\n`)
}

function stackWithCauses(err: unknown): string {
  const stacks: string[] = []
  for (let each: unknown = err; each instanceof Error; each = each.cause) {
    stacks.push(each.stack ?? each.message)
  }
  return stacks.join('\ncaused by: ')
}
