import type { ConfigKey } from '../config/schema.js'
import { configKeys, hasSource } from '../config/schema.js'
import type { Command, FlagSpec } from './command.js'
import type { CommandEntry } from './commands.js'

/** Flags that every command has. */
export const COMMON_FLAGS: readonly FlagSpec[] = [
  { name: 'json', meaning: 'Print the result as one line of JSON; errors too.' },
  { name: 'debug', meaning: 'Print the stack and the causes of an error.' },
  { name: 'help', meaning: 'Print this.' }
]

const CONFIG_FLAG: FlagSpec = {
  name: 'config',
  value: 'FILE',
  meaning: 'YAML file to read the configuration from; also SIGSTEAD_CONFIG.'
}

/** Flags that set configuration keys, as this command takes them. */
export function configFlags({ config = [] }: Command): readonly FlagSpec[] {
  const keys = configKeys().filter(
    ({ path, key }) => hasSource(key, 'flag') && (config === 'all' || config.includes(path))
  )
  if (keys.length === 0) return []
  return [
    CONFIG_FLAG,
    ...keys.map(({ flag, key }) => ({
      name: flag,
      value: placeholder(key),
      meaning: `${key.meaning}${defaultNote(key)}`
    }))
  ]
}

export function overview(commands: readonly CommandEntry[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'sigstead: a transparency log in one process',
    '',
    'Usage: sigstead COMMAND [FLAGS]',
    '',
    ...lines,
    '',
    'sigstead COMMAND --help tells more about a command.',
    'Exit status: 0 done, 1 failed or found wrong, 2 bad command line or configuration.',
    ''
  ].join('\n')
}

export function commandHelp({ name, summary }: CommandEntry, command: Command): string {
  const { description, positionals = [], flags = [] } = command
  const usage = ['sigstead', name, ...positionals, '[FLAGS]'].join(' ')
  const settings = configFlags(command)
  return [
    `${usage}`,
    '',
    `${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.`,
    ...(description === undefined ? [] : ['', description]),
    ...section('Flags', [...flags, ...COMMON_FLAGS]),
    ...(settings.length === 0
      ? []
      : section('Configuration (also from the file and from SIGSTEAD_ variables)', settings)),
    ''
  ].join('\n')
}

function section(title: string, flags: readonly FlagSpec[]): string[] {
  return ['', `${title}:`, ...flags.flatMap(flagLines)]
}

function flagLines({ name, value, meaning }: FlagSpec): string[] {
  return [`  --${name}${value === undefined ? '' : ` ${value}`}`, `      ${meaning}`]
}

function placeholder(key: ConfigKey): string {
  switch (key.type) {
    case 'integer':
      return 'N'
    case 'boolean':
      return 'true|false'
    case 'address':
    case 'optionalAddress':
      return 'HOST:PORT'
    case 'url':
      return 'URL'
    case 'path':
      return 'PATH'
    case 'list':
      return 'NAME,…'
    case 'choice':
      return key.choices.join('|')
    default:
      return 'TEXT'
  }
}

function defaultNote(key: ConfigKey): string {
  if (key.defaultText !== undefined) return ` Default: ${key.defaultText.replaceAll('`', '')}.`
  if (!('default' in key) || key.default === undefined) return ''
  return key.type === 'list' ? ' Default: all.' : ` Default: ${String(key.default)}.`
}
