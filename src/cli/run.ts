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
  const [group = '', sub] = argv
  const siblings = COMMANDS.map(({ name }) => name).filter((name) => name.startsWith(`${group} `))
  if (siblings.length > 0 && (sub === undefined || sub.startsWith('-'))) {
    throw new UsageError(`sigstead ${group} needs one of: ${siblings.join(', ')}`)
  }
  const given = siblings.length > 0 ? `${group} ${sub ?? ''}` : group
  const names = COMMANDS.map(({ name }) => name)
  throw new UsageError(
    `${given} is not a command${didYouMean(given, names)}; sigstead --help lists them`
  )
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
