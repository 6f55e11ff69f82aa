import { DEFAULT_CLIENT_ALGORITHMS, KNOWN_CLIENT_ALGORITHMS } from '../keys/algorithms.js'

/** `host:port`, split. */
export interface Address {
  /** Without the brackets of an IPv6 literal. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

/** Where a value may come from, weakest first. */
export type ConfigSource = 'file' | 'environment' | 'flag'

interface KeyBase {
  /** One or two sentences for operators; no line break. */
  readonly meaning: string
  /** What the table shows where the default is not a plain value. */
  readonly defaultText?: string
  /** Absent: all of them. */
  readonly sources?: readonly ConfigSource[]
}

/** One configuration key: pure data, from which parsing, flags, environment names and the README table follow. */
export type ConfigKey =
  | (KeyBase & { readonly type: 'text'; readonly default?: string })
  | (KeyBase & { readonly type: 'path'; readonly default?: string })
  | (KeyBase & { readonly type: 'secret' })
  | (KeyBase & { readonly type: 'url'; readonly default?: string })
  | (KeyBase & { readonly type: 'boolean'; readonly default: boolean })
  | (KeyBase & { readonly type: 'address'; readonly default: string })
  | (KeyBase & { readonly type: 'optionalAddress'; readonly default: string })
  | (KeyBase & {
      readonly type: 'integer'
      readonly default: number
      readonly min: number
      readonly max: number
    })
  | (KeyBase & {
      readonly type: 'choice'
      readonly default: string
      readonly choices: readonly string[]
    })
  | (KeyBase & {
      readonly type: 'list'
      readonly default: readonly string[]
      readonly choices: readonly string[]
    })

/** Keys and groups of keys, as they nest in the file. No group or key may be called `type`. */
export interface ConfigGroup {
  readonly [name: string]: ConfigKey | ConfigGroup
}

/** Operation names of the Rekor v1 API as operators of Rekor know them (rekor-v1 §13.1). */
export const REKOR_ENDPOINTS = [
  'createLogEntry',
  'getLogEntryByIndex',
  'getLogEntryByUUID',
  'searchLogQuery',
  'getLogInfo',
  'getPublicKey',
  'getLogProof',
  'searchIndex'
] as const

/** Kinds that may be submitted. */
export const ENTRY_TYPES = ['hashedrekord', 'rekord', 'intoto', 'dsse'] as const

const MIB = 1024 * 1024

/** Every key there is, described once. */
export const CONFIG_SCHEMA = {
  dataDir: {
    type: 'path',
    default: './data',
    meaning: 'Folder of the database and the keys. One server at a time.'
  },
  listen: {
    type: 'address',
    default: '127.0.0.1:3000',
    meaning: 'Where all services answer. Port 0 takes any free port.'
  },
  metricsListen: {
    type: 'optionalAddress',
    default: '127.0.0.1:2112',
    meaning: 'Where Prometheus reads `/metrics`; `off` or nothing disables it.'
  },
  publicUrl: {
    type: 'url',
    defaultText: '`http://` + `listen`',
    meaning:
      'Base URL under which clients reach the server. Without it a wildcard address becomes `localhost`.'
  },
  logLevel: {
    type: 'choice',
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    meaning: 'Least severe message that is written to standard error.'
  },
  maxRequestBodyBytes: {
    type: 'integer',
    default: 32 * MIB,
    min: 1024,
    // A body is one string while it is parsed, and V8's strings end at 2^29 - 24 characters.
    max: 256 * MIB,
    meaning: 'Larger request bodies are answered with 413 and this limit.'
  },
  healthMaxAgeMs: {
    type: 'integer',
    default: 60_000,
    min: 1000,
    max: 86_400_000,
    meaning:
      '`/healthz` answers 503 when the write path has not proved itself for longer than this.'
  },
  shutdownMs: {
    type: 'integer',
    // Below the ten seconds after which Docker kills what it stops.
    default: 8_000,
    min: 100,
    max: 600_000,
    meaning:
      'How long a stopping server may take to answer what it accepted and publish it before it gives up.'
  },
  log: {
    hostname: {
      type: 'text',
      defaultText: 'at `init`: host of `publicUrl`',
      meaning:
        'Host name in checkpoint origins, fixed when a tree is made. Must occur literally in `publicUrl`.'
    },
    keyPassphraseFile: {
      type: 'path',
      meaning:
        'File whose content, less one line end, decrypts the log key. With it `init` makes an encrypted key.'
    },
    keyPassphrase: {
      type: 'secret',
      sources: ['environment'],
      meaning: 'The passphrase itself, where a file is impractical.'
    },
    batch: {
      maxLeaves: {
        type: 'integer',
        default: 256,
        min: 1,
        max: 65_536,
        meaning: 'Leaves written and signed together at most.'
      },
      maxAgeMs: {
        type: 'integer',
        default: 20,
        min: 0,
        max: 10_000,
        meaning:
          'How long the first leaf of a batch may wait for company while another batch is being written. An idle log never waits.'
      }
    },
    queue: {
      maxLeaves: {
        type: 'integer',
        default: 4096,
        min: 1,
        max: 1_000_000,
        meaning: 'Leaves that may wait to be written; beyond it clients get 503 and Retry-After.'
      },
      maxBytes: {
        type: 'integer',
        default: 128 * MIB,
        min: MIB,
        max: 4096 * MIB,
        meaning: 'Bytes of leaves and attestations that may wait; likewise.'
      }
    }
  },
  rekor: {
    endpoints: {
      type: 'list',
      default: REKOR_ENDPOINTS,
      choices: REKOR_ENDPOINTS,
      meaning:
        'Operations that are on; the others answer 501. Read-only: leave out `createLogEntry`.'
    },
    entryTypes: {
      type: 'list',
      default: ENTRY_TYPES,
      choices: ENTRY_TYPES,
      meaning: 'Entry kinds that may be submitted. Reading is not affected.'
    },
    clientAlgorithms: {
      type: 'list',
      default: DEFAULT_CLIENT_ALGORITHMS,
      defaultText: "Rekor's: those with neither `pss` nor `sha2-256` on a larger curve",
      choices: KNOWN_CLIENT_ALGORITHMS,
      meaning: 'Key and hash pairs that hashedrekord entries may be signed with.'
    },
    attestations: {
      enabled: {
        type: 'boolean',
        default: true,
        meaning: 'Keep the payloads of intoto entries and hand them out with the entry.'
      },
      maxBytes: {
        type: 'integer',
        default: 102_400,
        min: 1,
        max: 64 * MIB,
        meaning: 'Larger payloads are not kept; the entry is accepted all the same.'
      }
    },
    verifyWorkers: {
      type: 'integer',
      default: 2,
      min: 0,
      max: 64,
      meaning: 'Threads that check signatures. 0: on the main thread.'
    }
  }
} as const satisfies ConfigGroup

type ValueOf<Key extends ConfigKey> = Key extends { readonly type: 'integer' }
  ? number
  : Key extends { readonly type: 'boolean' }
    ? boolean
    : Key extends { readonly type: 'list'; readonly choices: readonly (infer Choice)[] }
      ? readonly Choice[]
      : Key extends { readonly type: 'choice'; readonly choices: readonly (infer Choice)[] }
        ? Choice
        : Key extends { readonly type: 'address' }
          ? Address
          : Key extends { readonly type: 'optionalAddress' }
            ? Address | undefined
            : Key extends { readonly default: string }
              ? string
              : string | undefined

type ConfigOf<Group> = {
  readonly [Name in keyof Group]: Group[Name] extends ConfigKey
    ? ValueOf<Group[Name]>
    : ConfigOf<Group[Name]>
}

/** Everything the server was told, checked, with every default filled in. Frozen throughout. */
export type Config = Omit<ConfigOf<typeof CONFIG_SCHEMA>, 'publicUrl'> & {
  /** No slash at the end, no query, no user. */
  readonly publicUrl: string
}

/** Limits of the write path in the words of the log. */
export function batchLimits({ log: { batch, queue } }: Config) {
  return {
    maxLeaves: batch.maxLeaves,
    maxAgeMs: batch.maxAgeMs,
    maxQueuedLeaves: queue.maxLeaves,
    maxQueuedBytes: queue.maxBytes
  }
}

/** One key with its names in each source. */
export interface NamedKey {
  /** As in the file, groups separated by dots: `log.batch.maxLeaves`. */
  readonly path: string
  /** `SIGSTEAD_LOG_BATCH_MAX_LEAVES` */
  readonly environment: string
  /** `log-batch-max-leaves`, to be written after two dashes. */
  readonly flag: string
  readonly key: ConfigKey
}

/** All keys in the order of the schema. */
export function configKeys(): readonly NamedKey[] {
  return keysOf(CONFIG_SCHEMA, [])
}

export function isConfigKey(node: ConfigKey | ConfigGroup): node is ConfigKey {
  return typeof node.type === 'string'
}

/** Whether this key may be given this way. */
export function hasSource(key: ConfigKey, source: ConfigSource): boolean {
  return key.sources === undefined || key.sources.includes(source)
}

function keysOf(group: ConfigGroup, parents: readonly string[]): NamedKey[] {
  return Object.entries(group).flatMap(([name, node]) => {
    const names = [...parents, name]
    return isConfigKey(node) ? [nameKey(names, node)] : keysOf(node, names)
  })
}

function nameKey(names: readonly string[], key: ConfigKey): NamedKey {
  const flag = names
    .map((name) => name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`))
    .join('-')
  return {
    path: names.join('.'),
    environment: `SIGSTEAD_${flag.toUpperCase().replaceAll('-', '_')}`,
    flag,
    key
  }
}
