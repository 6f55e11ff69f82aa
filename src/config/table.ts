import { type ConfigKey, configKeys, hasSource } from './schema.js'

/** Lines of the README between which the generated table stands. */
export const TABLE_START = '<!-- config -->'
export const TABLE_END = '<!-- /config -->'

// Prettier would pad every cell of the table to the widest one.
const IGNORE_START = '<!-- prettier-ignore-start -->'
const IGNORE_END = '<!-- prettier-ignore-end -->'

/** The table of all keys in Markdown, as the README shows it. Ends with a line feed. */
export function configTable(): string {
  const rows = configKeys().map(({ path, flag, environment, key }) => [
    hasSource(key, 'file') ? `\`${path}\`` : '–',
    hasSource(key, 'flag') ? `\`--${flag}\`` : '–',
    `\`${environment}\``,
    defaultText(key),
    `${key.meaning}${limitText(key)}`
  ])
  const lines = [
    ['File', 'Flag', 'Environment', 'Default', 'Meaning'],
    ['---', '---', '---', '---', '---'],
    ...rows
  ]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** `readme` with the table between its two markers replaced; undefined when a marker is missing. */
export function withConfigTable(readme: string): string | undefined {
  const start = readme.indexOf(`${TABLE_START}\n`)
  const end = readme.indexOf(TABLE_END)
  if (start < 0 || end < start) return undefined
  const head = readme.slice(0, start + TABLE_START.length + 1)
  return `${head}${IGNORE_START}\n\n${configTable()}\n${IGNORE_END}\n${readme.slice(end)}`
}

function defaultText(key: ConfigKey): string {
  if (key.defaultText !== undefined) return key.defaultText
  if (!('default' in key) || key.default === undefined) return 'none'
  if (key.type === 'list') return 'all'
  return `\`${String(key.default)}\``
}

function limitText(key: ConfigKey): string {
  switch (key.type) {
    case 'integer':
      return ` (${key.min} to ${key.max})`
    case 'choice':
    case 'list':
      return ` (${key.choices.map((choice) => `\`${choice}\``).join(', ')})`
    default:
      return ''
  }
}
