import { LogError, isLogError } from '../errors.js'
import { didYouMean } from './near-miss.js'
import {
  type Address,
  CONFIG_SCHEMA,
  type Config,
  type ConfigGroup,
  type ConfigKey,
  type NamedKey,
  configKeys,
  hasSource,
  isConfigKey
} from './schema.js'
import { type RawValue, formatAddress, readValue, show } from './value.js'

/** What was found in each place, still unread. */
export interface ConfigInput {
  /** The parsed YAML document; undefined or null when there is none. */
  readonly file?: unknown
  /** All environment variables; only those named SIGSTEAD_… are looked at. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Flags without their dashes. */
  readonly flags?: Readonly<Record<string, string>>
}

const PREFIX = 'SIGSTEAD_'

/** Names the file for `loadConfig`; not a key of the configuration itself. */
export const CONFIG_FILE_VARIABLE = 'SIGSTEAD_CONFIG'

// Kubernetes gives every pod such variables for every service; one called "sigstead" would make these.
const SERVICE_LINK =
  /^SIGSTEAD_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/

/**
 * The whole configuration from all sources: a flag beats the environment, that the file, that the default. Pure.
 *
 * @throws LogError `invalid_request` with one line `config: …` for every problem in any source
 */
export function parseConfig(input: ConfigInput): Config {
  const keys = configKeys()
  const problems: string[] = []
  const found = new Map<string, unknown>()
  readFile(input.file, keys, found, problems)
  readEnvironment(input.environment ?? {}, keys, found, problems)
  readFlags(input.flags ?? {}, keys, found, problems)
  const config = buildConfig(keys, found)
  problems.push(...contradictions(config, found))
  if (problems.length > 0) {
    throw new LogError('invalid_request', problems.map((text) => `config: ${text}`).join('\n'))
  }
  return deepFreeze(config)
}

/** Public URL of a server that was told none: where it listens, with a name that clients can connect to. */
export function defaultPublicUrl(listen: Address): string {
  const wildcard = listen.host === '0.0.0.0' || listen.host === '::'
  const address = { host: wildcard ? 'localhost' : listen.host, port: listen.port }
  return new URL(`http://${formatAddress(address)}`).href.replace(/\/+$/, '')
}

function readFile(
  file: unknown,
  keys: readonly NamedKey[],
  found: Map<string, unknown>,
  problems: string[]
): void {
  if (file === undefined || file === null) return
  const byPath = new Map(keys.map((named) => [named.path, named]))
  const walk = (node: unknown, group: ConfigGroup, prefix: string): void => {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) {
      const name = prefix === '' ? 'the file' : prefix.slice(0, -1)
      problems.push(`${name} must be a map of keys (got ${show(node)})`)
      return
    }
    for (const [name, value] of Object.entries(node)) {
      const path = `${prefix}${name}`
      const child = Object.hasOwn(group, name) ? group[name] : undefined
      if (child === undefined) {
        const siblings = Object.keys(group).map((sibling) => `${prefix}${sibling}`)
        const all = [...siblings, ...keys.map((named) => named.path)]
        problems.push(`${path} is not a known key${didYouMean(path, all)}`)
      } else if (!isConfigKey(child)) {
        walk(value, child, `${path}.`)
      } else {
        const named = byPath.get(path)
        if (named !== undefined) take(named, path, 'file', { value }, found, problems)
      }
    }
  }
  walk(file, CONFIG_SCHEMA, '')
}

function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  keys: readonly NamedKey[],
  found: Map<string, unknown>,
  problems: string[]
): void {
  const byName = new Map(keys.map((named) => [named.environment, named]))
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || text === undefined) continue
    if (name === CONFIG_FILE_VARIABLE || SERVICE_LINK.test(name)) continue
    const named = byName.get(name)
    if (named === undefined) {
      problems.push(`${name} is not a known variable${didYouMean(name, [...byName.keys()])}`)
    } else {
      take(named, name, 'environment', { text }, found, problems)
    }
  }
}

function readFlags(
  flags: Readonly<Record<string, string>>,
  keys: readonly NamedKey[],
  found: Map<string, unknown>,
  problems: string[]
): void {
  const byFlag = new Map(keys.map((named) => [named.flag, named]))
  for (const [flag, text] of Object.entries(flags)) {
    const named = byFlag.get(flag)
    if (named === undefined) {
      problems.push(
        `--${flag} is not a known flag${didYouMean(
          `--${flag}`,
          [...byFlag.keys()].map((known) => `--${known}`)
        )}`
      )
    } else {
      take(named, `--${flag}`, 'flag', { text }, found, problems)
    }
  }
}

/** Reads one value into `found`, where a stronger source overwrites what a weaker one left. */
function take(
  { key, path, environment }: NamedKey,
  name: string,
  source: 'file' | 'environment' | 'flag',
  raw: RawValue,
  found: Map<string, unknown>,
  problems: string[]
): void {
  if (!hasSource(key, source)) {
    problems.push(`${name} is a secret and only taken from the environment, as ${environment}`)
    return
  }
  try {
    found.set(path, readValue(key, raw))
  } catch (err) {
    if (!isLogError(err, 'invalid_request')) throw err
    problems.push(`${name} ${err.message}`)
  }
}

function buildConfig(keys: readonly NamedKey[], found: ReadonlyMap<string, unknown>): Config {
  const root: Record<string, unknown> = {}
  for (const { path, key } of keys) {
    const names = path.split('.')
    const last = names.pop() ?? path
    let group = root
    for (const name of names) {
      group = (group[name] ??= {}) as Record<string, unknown> // groups are only made here
    }
    group[last] = found.has(path) ? found.get(path) : defaultValue(key)
  }
  const config = root as unknown as Config // shape and values follow the schema the type is derived from
  return { ...config, publicUrl: config.publicUrl ?? defaultPublicUrl(config.listen) }
}

function defaultValue(key: ConfigKey): unknown {
  if (!('default' in key) || key.default === undefined) return undefined
  return typeof key.default === 'string'
    ? readValue(key, { text: key.default })
    : readValue(key, { value: key.default })
}

/** Rules over more than one key. */
function contradictions(config: Config, found: ReadonlyMap<string, unknown>): string[] {
  const problems: string[] = []
  const { listen, metricsListen, publicUrl, log } = config
  const hostname = log.hostname ?? new URL(publicUrl).hostname
  // One word, because it is the name of a signed note and the first word of its first line.
  if (/[\s+]/.test(hostname)) {
    problems.push(`log.hostname must not contain white space or + (got ${show(hostname)})`)
  } else if (!publicUrl.includes(hostname)) {
    problems.push(
      `log.hostname must occur literally in publicUrl, because some clients check it ` +
        `(got ${hostname} and ${publicUrl})`
    )
  }
  if (log.keyPassphrase !== undefined && log.keyPassphraseFile !== undefined) {
    problems.push('log.keyPassphraseFile and SIGSTEAD_LOG_KEY_PASSPHRASE exclude each other')
  }
  problems.push(...authorityContradictions(config, found), ...policyProblems(config))
  if (
    metricsListen !== undefined &&
    listen.port !== 0 &&
    formatAddress(listen) === formatAddress(metricsListen)
  ) {
    problems.push(`metricsListen must differ from listen (got ${formatAddress(listen)} for both)`)
  }
  // Only complain about what somebody wrote: a small queue alone is a sensible thing to ask for.
  if (log.batch.maxLeaves > log.queue.maxLeaves && found.has('log.batch.maxLeaves')) {
    problems.push(
      `log.batch.maxLeaves must be <= log.queue.maxLeaves ` +
        `(got ${log.batch.maxLeaves} and ${log.queue.maxLeaves})`
    )
  }
  return problems
}

function authorityContradictions(
  { ca, ct }: Config,
  found: ReadonlyMap<string, unknown>
): string[] {
  const problems: string[] = []
  if (ca.keyPassphrase !== undefined && ca.keyPassphraseFile !== undefined) {
    problems.push('ca.keyPassphraseFile and SIGSTEAD_CA_KEY_PASSPHRASE exclude each other')
  }
  const { url, publicKeyFile } = ca.ctLog
  if (url !== undefined && publicKeyFile === undefined) {
    problems.push('ca.ctLog.publicKeyFile is required when ca.ctLog.url is set')
  }
  for (const name of ['publicKeyFile', 'caFile'] as const) {
    if (url === undefined && found.has(`ca.ctLog.${name}`)) {
      problems.push(`ca.ctLog.${name} has a meaning only together with ca.ctLog.url`)
    }
  }
  if (ca.enabled && ca.sct !== 'none' && url === undefined && !ct.enabled) {
    problems.push('ct.enabled is false, so ca.ctLog.url is required unless ca.sct is "none"')
  }
  return problems
}

/** `1.2.3`, as RFC 3161 policies are named. */
const OID = /^[0-2](\.(0|[1-9]\d{0,9})){1,20}$/

function policyProblems({ tsa }: Config): string[] {
  const lists = [
    ['tsa.defaultPolicyOid', [tsa.defaultPolicyOid]],
    [
      'tsa.acceptedPolicyOids',
      (tsa.acceptedPolicyOids ?? '').split(',').filter((oid) => oid !== '')
    ]
  ] as const
  return lists.flatMap(([name, oids]) =>
    oids
      .filter((oid) => !OID.test(oid.trim()))
      .map((oid) => `${name} must hold object identifiers such as 1.2.3 (got ${show(oid)})`)
  )
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member)
  }
  return Object.freeze(value)
}
