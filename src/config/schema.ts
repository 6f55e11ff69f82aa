import { DEFAULT_MAX_APK_METADATA_BYTES } from '../archive/apk.js'
import { DEFAULT_MAX_JAR_METADATA_BYTES } from '../archive/jar-files.js'
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
export const ENTRY_TYPES = [
  'hashedrekord',
  'rekord',
  'intoto',
  'dsse',
  'rpm',
  'alpine',
  'rfc3161',
  'cose',
  'jar',
  'helm',
  'tuf'
] as const

/** Key and hash pairs that a client of the certificate authority may bring (fulcio §11.4). */
export const CA_CLIENT_ALGORITHMS = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256',
  'rsa-sign-pkcs1-3072-sha256',
  'rsa-sign-pkcs1-4096-sha256',
  'ed25519'
] as const

/** What an issuing key can be: no Ed25519, which some clients do not take from an authority. */
export const SIGNING_ALGORITHMS = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256',
  'rsa-sign-pkcs1-3072-sha256',
  'rsa-sign-pkcs1-4096-sha256'
] as const

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
  http: {
    threads: {
      type: 'integer',
      default: 1,
      min: 1,
      max: 64,
      meaning:
        'Threads that share the work of requests. 1: one does everything. More: one writes the log, the others answer.'
    }
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
        'File whose content, less one line end, decrypts the keys of the logs. With it `init` makes encrypted keys.'
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
        default: 5,
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
    maxApkMetadataBytes: {
      type: 'integer',
      default: DEFAULT_MAX_APK_METADATA_BYTES,
      min: 0,
      max: 16 * MIB,
      meaning:
        'Larger signatures and `.PKGINFO` files inside alpine packages are refused. 0: no limit of their own.'
    },
    maxJarMetadataBytes: {
      type: 'integer',
      default: DEFAULT_MAX_JAR_METADATA_BYTES,
      min: 0,
      max: 16 * MIB,
      meaning: 'Larger files in `META-INF` of JAR files are refused. 0: no limit of their own.'
    },
    verifyWorkers: {
      type: 'integer',
      default: 2,
      min: 0,
      max: 64,
      meaning:
        'Threads that check entries. 0: the main thread does, where one that takes long holds up everybody.'
    }
  },
  ca: {
    enabled: {
      type: 'boolean',
      default: true,
      meaning: 'Serve the certificate authority (Fulcio API).'
    },
    issuersFile: {
      type: 'path',
      meaning:
        "Whose ID tokens are believed: Fulcio's own configuration file, JSON or YAML. Without it every token is refused."
    },
    organization: {
      type: 'text',
      default: 'sigstead',
      meaning: 'O in the subject of certificates and requests made by `init` and `ca csr`.'
    },
    commonName: {
      type: 'text',
      default: 'sigstead-ca',
      meaning: 'CN in the same subject.'
    },
    keyAlgorithm: {
      type: 'choice',
      default: 'ecdsa-sha2-256-nistp256',
      choices: SIGNING_ALGORITHMS,
      meaning: 'Kind of issuing key that `init` and `ca csr` make.'
    },
    rootValidityDays: {
      type: 'integer',
      default: 3650,
      min: 1,
      max: 36_500,
      meaning: 'Lifetime of the root certificate that `init` makes.'
    },
    clientAlgorithms: {
      type: 'list',
      default: CA_CLIENT_ALGORITHMS,
      choices: CA_CLIENT_ALGORITHMS,
      meaning: 'Key and hash pairs that clients may bring.'
    },
    sct: {
      type: 'choice',
      default: 'embedded',
      choices: ['embedded', 'detached', 'none'],
      meaning:
        'How certificates show that they were logged. `detached` suits old clients only, `none` those told to ignore SCTs.'
    },
    ctLog: {
      url: {
        type: 'url',
        defaultText: 'the CT log of this server',
        meaning: 'Base URL of a remote certificate log to submit to; `/ct/v1/…` is appended.'
      },
      publicKeyFile: {
        type: 'path',
        meaning: 'PEM of the key of that remote log. Required with it: every SCT is checked.'
      },
      caFile: {
        type: 'path',
        meaning: "PEM of TLS roots for that remote log, beside Node's own."
      }
    },
    keyPassphraseFile: {
      type: 'path',
      defaultText: 'that of the logs',
      meaning: 'File whose content, less one line end, decrypts the issuing key.'
    },
    keyPassphrase: {
      type: 'secret',
      sources: ['environment'],
      meaning: 'The passphrase itself, where a file is impractical.'
    }
  },
  ct: {
    enabled: {
      type: 'boolean',
      default: true,
      meaning: 'Run a certificate transparency log (RFC 6962) under `/ct/v1/`.'
    },
    extraRootsFile: {
      type: 'path',
      meaning:
        'PEM of further roots whose certificates may be submitted, beside those of our own authority.'
    },
    maxForeignSubmissions: {
      type: 'integer',
      default: 64,
      min: 0,
      max: 100_000,
      meaning:
        'Submissions of strangers that may be under way at once; beyond it they get 503. Our own are not counted.'
    }
  },
  tsa: {
    enabled: {
      type: 'boolean',
      default: true,
      meaning: 'Run a timestamp authority (RFC 3161) under `/api/v1/timestamp`.'
    },
    organization: {
      type: 'text',
      default: 'sigstead',
      meaning: 'O in the subjects of the certificates that `init` makes for it.'
    },
    commonName: {
      type: 'text',
      default: 'sigstead-tsa',
      meaning: 'CN of its signing certificate; its root has `-root` behind it.'
    },
    validityDays: {
      type: 'integer',
      default: 3650,
      min: 1,
      max: 36_500,
      meaning: 'Lifetime of both certificates.'
    },
    defaultPolicyOid: {
      type: 'text',
      default: '1.3.6.1.4.1.57264.2',
      meaning: 'Policy of timestamps for requests that name none.'
    },
    acceptedPolicyOids: {
      type: 'text',
      meaning: 'Further policies that requests may name, separated by commas.'
    },
    accuracySeconds: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 3600,
      meaning:
        'Accuracy stated in timestamps. 0: none is stated, because some clients subtract it and then find fresh certificates too young.'
    },
    allowExtensions: {
      type: 'boolean',
      default: false,
      meaning: 'Copy extensions of requests into timestamps instead of refusing such requests.'
    },
    includeChain: {
      type: 'boolean',
      default: false,
      meaning: 'Where a request asks for the certificate, add those that issued it.'
    },
    maxPending: {
      type: 'integer',
      default: 4096,
      min: 1,
      max: 1_000_000,
      meaning: 'Timestamps that may be signed at once; beyond it clients get 503 and Retry-After.'
    },
    maxClockStepBackSeconds: {
      type: 'integer',
      default: 2,
      min: 0,
      max: 60,
      meaning: 'A clock set back by more than this stops timestamps until it is right again.'
    },
    ntp: {
      servers: {
        type: 'text',
        meaning:
          'Time servers to compare the clock with, separated by commas, each with a port or without. None: nobody is asked.'
      },
      onDisagreement: {
        type: 'choice',
        default: 'report',
        choices: ['report', 'refuse'],
        meaning:
          'What happens while they disagree with the clock: it is only told, or no timestamps are made.'
      }
    }
  },
  trust: {
    operator: {
      type: 'text',
      defaultText: 'host of `publicUrl`',
      meaning: 'Who runs the services, as the signing config tells clients.'
    },
    oidcIssuer: {
      type: 'url',
      defaultText: 'the first `email` issuer, or the first of any type',
      meaning: 'Issuer that the signing config sends clients to for ID tokens.'
    },
    watchFiles: {
      type: 'text',
      meaning:
        'PEM files of further certificates that can expire, such as that of a TLS proxy, separated by commas: they are in the expiry calendar.'
    }
  },
  tuf: {
    enabled: {
      type: 'boolean',
      default: true,
      meaning: 'Publish the trust material in a TUF repository under `/tuf/`.'
    },
    lifetimes: {
      type: 'choice',
      default: 'standard',
      choices: ['standard', 'air-gap'],
      meaning:
        'How long metadata are good for. `standard`: root and targets 2 years, snapshot and timestamp 30 days, signed again long before. `air-gap`: 10 and 5 years.'
    },
    rootDays: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 36_500,
      meaning: 'Lifetime of root metadata. 0: as `tuf.lifetimes` says; so with the next three.'
    },
    targetsDays: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 36_500,
      meaning: 'Lifetime of targets metadata.'
    },
    snapshotDays: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 36_500,
      meaning: 'Lifetime of snapshot metadata.'
    },
    timestampDays: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 36_500,
      meaning: 'Lifetime of timestamp metadata.'
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
