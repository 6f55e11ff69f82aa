import t from 'tap'
import { type ConfigInput, defaultPublicUrl, parseConfig } from '../../src/config/parse.js'
import {
  type Config,
  configKeys,
  ENTRY_TYPES,
  hasSource,
  type ConfigKey
} from '../../src/config/schema.js'
import { isLogError } from '../../src/errors.js'

/** Lines of the refusal. */
function problems(input: ConfigInput): string[] {
  try {
    parseConfig(input)
  } catch (err) {
    if (isLogError(err, 'invalid_request')) return err.message.split('\n')
    throw err
  }
  throw new Error('was accepted')
}

t.test('defaults', async (t) => {
  const config = parseConfig({})
  t.equal(config.dataDir, './data')
  t.strictSame(config.listen, { host: '127.0.0.1', port: 3000 })
  t.strictSame(config.metricsListen, { host: '127.0.0.1', port: 2112 })
  t.equal(config.publicUrl, 'http://127.0.0.1:3000')
  t.equal(config.maxRequestBodyBytes, 33_554_432)
  t.equal(config.log.hostname, undefined)
  t.equal(config.rekor.attestations.maxBytes, 102_400)
  t.strictSame(parseConfig({ file: null }), config)
})

t.test('the public URL follows the address', async (t) => {
  const cases: [listen: string, publicUrl: string][] = [
    ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['0.0.0.0:3000', 'http://localhost:3000'],
    ['[::]:3000', 'http://localhost:3000'],
    ['[::1]:3000', 'http://[::1]:3000'],
    ['Rekor.test:80', 'http://rekor.test']
  ]
  for (const [listen, publicUrl] of cases) {
    t.equal(parseConfig({ flags: { listen } }).publicUrl, publicUrl, listen)
  }
  t.equal(defaultPublicUrl({ host: '127.0.0.1', port: 0 }), 'http://127.0.0.1:0')
})

/** For every type a value unlike any default, as text and as YAML gives it. */
function sample({ type, ...key }: ConfigKey, path: string): { text: string; value: unknown } {
  switch (type) {
    case 'integer': {
      const value = (key as { min: number; max: number }).min + 1
      return { text: String(value), value }
    }
    case 'boolean': {
      const value = !(key as { default: boolean }).default
      return { text: String(value), value }
    }
    case 'list':
    case 'choice': {
      const choice = (key as { choices: readonly string[] }).choices[1] ?? ''
      return { text: choice, value: type === 'list' ? [choice] : choice }
    }
    case 'url':
      return { text: 'https://log.example.com', value: 'https://log.example.com' }
    case 'address':
    case 'optionalAddress':
      return { text: `127.0.0.2:${1000 + path.length}`, value: `127.0.0.2:${1000 + path.length}` }
    default:
      if (path.endsWith('Oid') || path.endsWith('Oids')) return { text: '1.2.3', value: '1.2.3' }
      return { text: '127.0.0', value: '127.0.0' } // also part of the default public URL
  }
}

function atPath(config: Config, path: string): unknown {
  return path.split('.').reduce<unknown>((node, name) => Reflect.get(node as object, name), config)
}

function nest(path: string, value: unknown): unknown {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value)
}

// Keys that mean something only beside others.
const URL_OF_LOG = { 'ca-ct-log-url': 'https://ct.example.com' }
const COMPANIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'ca.ctLog.url': { 'ca-ct-log-public-key-file': 'ct.pub' },
  'ca.ctLog.publicKeyFile': URL_OF_LOG,
  'ca.ctLog.caFile': { ...URL_OF_LOG, 'ca-ct-log-public-key-file': 'ct.pub' },
  'ct.enabled': { 'ca-sct': 'none' }
}

t.test('every key, from every source it may come from', async (t) => {
  const defaults = parseConfig({})
  let checked = 0
  for (const { path, flag, environment, key } of configKeys()) {
    const { text, value } = sample(key, path)
    const inputs: [source: 'file' | 'environment' | 'flag', ConfigInput][] = [
      ['file', { file: nest(path, value) }],
      ['environment', { environment: { [environment]: text } }],
      ['flag', { flags: { [flag]: text } }]
    ]
    for (const [source, input] of inputs) {
      if (!hasSource(key, source)) {
        t.match(problems(input), [/is a secret and only taken from the environment, as SIGSTEAD_/])
        continue
      }
      const flags = { ...COMPANIONS[path], ...input.flags }
      const got = atPath(parseConfig({ ...input, flags }), path)
      t.notSame(got, atPath(defaults, path), `${path} from ${source} is not the default`)
      if (key.type === 'address' || key.type === 'optionalAddress') {
        t.match(got, { host: '127.0.0.2' })
      } else {
        t.strictSame(got, value, `${path} from ${source}`)
      }
      checked++
    }
  }
  t.equal(checked, 3 * configKeys().length - 4)
})

t.test('flag beats environment beats file beats default', async (t) => {
  const file = { log: { batch: { maxLeaves: 10 } } }
  const environment = { SIGSTEAD_LOG_BATCH_MAX_LEAVES: '20' }
  const flags = { 'log-batch-max-leaves': '30' }
  t.equal(parseConfig({}).log.batch.maxLeaves, 256)
  t.equal(parseConfig({ file }).log.batch.maxLeaves, 10)
  t.equal(parseConfig({ file, environment }).log.batch.maxLeaves, 20)
  t.equal(parseConfig({ file, environment, flags }).log.batch.maxLeaves, 30)
  t.equal(parseConfig({ file, flags }).log.batch.maxLeaves, 30)
  t.equal(
    parseConfig({ file: { metricsListen: '127.0.0.1:1' }, flags: { 'metrics-listen': 'off' } })
      .metricsListen,
    undefined,
    'off is a value too'
  )
})

t.test('all problems of all sources at once', async (t) => {
  t.strictSame(
    problems({
      file: {
        witnes: true,
        lisen: '127.0.0.1:1',
        dataDir: 7,
        log: { batch: { maxAgeMs: -1, maxLeafs: 1 }, queue: 'big', keyPassphrase: 'hunter2' },
        rekor: null
      },
      environment: {
        SIGSTEAD_LOG_BATCH_MAX_LEAVES: '0',
        SIGSTEAD_LISEN: '127.0.0.1:1',
        SIGSTEAD_LOG_HOSTNAME: 'a b',
        OTHER: 'x'
      },
      flags: {
        'rekor-entry-types': 'hashedrekord,nope',
        'data-dri': 'x',
        'log-key-passphrase': 'x'
      }
    }),
    [
      'config: witnes is not a known key',
      'config: lisen is not a known key (did you mean listen?)',
      'config: dataDir must be a path (got 7)',
      'config: log.batch.maxAgeMs must be >= 0 (got -1)',
      'config: log.batch.maxLeafs is not a known key (did you mean log.batch.maxLeaves?)',
      'config: log.queue must be a map of keys (got "big")',
      'config: log.keyPassphrase is a secret and only taken from the environment, as SIGSTEAD_LOG_KEY_PASSPHRASE',
      'config: rekor must be a map of keys (got null)',
      'config: SIGSTEAD_LOG_BATCH_MAX_LEAVES must be >= 1 (got "0")',
      'config: SIGSTEAD_LISEN is not a known variable (did you mean SIGSTEAD_LISTEN?)',
      `config: --rekor-entry-types must be one of ${ENTRY_TYPES.join(', ')} (got "nope")`,
      'config: --data-dri is not a known flag (did you mean --data-dir?)',
      'config: --log-key-passphrase is a secret and only taken from the environment, as SIGSTEAD_LOG_KEY_PASSPHRASE',
      'config: log.hostname must not contain white space or + (got "a b")'
    ]
  )
})

t.test('a bad value is reported even where a stronger source overrides it', async (t) => {
  t.strictSame(problems({ file: { listen: 'x' }, flags: { listen: '127.0.0.1:1' } }), [
    'config: listen must be host:port (got "x")'
  ])
})

t.test('rules over several keys', async (t) => {
  const url = 'https://rekor.example.com'
  const cases: [name: string, input: ConfigInput, expected: RegExp][] = [
    [
      'host name outside the public URL',
      { flags: { 'public-url': url, 'log-hostname': 'rekor.example.org' } },
      /^config: log.hostname must occur literally in publicUrl, .* \(got rekor.example.org and https:\/\/rekor.example.com\)$/
    ],
    [
      'host name no checkpoint can carry',
      { flags: { 'public-url': 'http://a+b' } },
      /^config: log.hostname must not contain white space or \+ \(got "a\+b"\)$/
    ],
    [
      'two passphrases',
      { environment: { SIGSTEAD_LOG_KEY_PASSPHRASE: 'a', SIGSTEAD_LOG_KEY_PASSPHRASE_FILE: 'b' } },
      /exclude each other$/
    ],
    [
      'one address for two listeners',
      { flags: { listen: '127.0.0.1:2112' } },
      /^config: metricsListen must differ from listen \(got 127.0.0.1:2112 for both\)$/
    ],
    [
      'batch larger than the queue',
      { flags: { 'log-batch-max-leaves': '11', 'log-queue-max-leaves': '10' } },
      /^config: log.batch.maxLeaves must be <= log.queue.maxLeaves \(got 11 and 10\)$/
    ],
    [
      'two passphrases for the issuing key',
      { environment: { SIGSTEAD_CA_KEY_PASSPHRASE: 'a', SIGSTEAD_CA_KEY_PASSPHRASE_FILE: 'b' } },
      /^config: ca.keyPassphraseFile and SIGSTEAD_CA_KEY_PASSPHRASE exclude each other$/
    ],
    [
      'a remote log whose timestamps could not be checked',
      { flags: URL_OF_LOG },
      /^config: ca.ctLog.publicKeyFile is required when ca.ctLog.url is set$/
    ],
    [
      'a key of no log',
      { flags: { 'ca-ct-log-public-key-file': 'ct.pub' } },
      /^config: ca.ctLog.publicKeyFile has a meaning only together with ca.ctLog.url$/
    ],
    [
      'roots of no log',
      { flags: { 'ca-ct-log-ca-file': 'roots.pem' } },
      /^config: ca.ctLog.caFile has a meaning only together with ca.ctLog.url$/
    ],
    [
      'policies that are none',
      { flags: { 'tsa-default-policy-oid': '1', 'tsa-accepted-policy-oids': '1.2, x' } },
      /^config: tsa.defaultPolicyOid must hold object identifiers such as 1.2.3 \(got /
    ],
    [
      'nowhere to log certificates',
      { flags: { 'ct-enabled': 'false' } },
      /^config: ct.enabled is false, so ca.ctLog.url is required unless ca.sct is "none"$/
    ]
  ]
  for (const [name, input, expected] of cases) t.match(problems(input)[0], expected, name)
  t.equal(
    parseConfig({ flags: { 'public-url': url, 'log-hostname': 'rekor.example.com' } }).log.hostname,
    'rekor.example.com'
  )
  t.equal(parseConfig({ flags: { 'log-queue-max-leaves': '10' } }).log.queue.maxLeaves, 10)
  t.ok(parseConfig({ flags: { listen: '127.0.0.1:0', 'metrics-listen': '127.0.0.1:0' } }))
})

t.test('variables that Kubernetes invents for a service called sigstead are ignored', async (t) => {
  const environment = {
    SIGSTEAD_SERVICE_HOST: '10.0.0.1',
    SIGSTEAD_SERVICE_PORT: '3000',
    SIGSTEAD_SERVICE_PORT_HTTP: '3000',
    SIGSTEAD_PORT: 'tcp://10.0.0.1:3000',
    SIGSTEAD_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
    SIGSTEAD_PORT_3000_TCP_PROTO: 'tcp',
    SIGSTEAD_CONFIG: 'read by loadConfig',
    SIGSTEAD_LISTEN: undefined
  }
  t.strictSame(parseConfig({ environment }), parseConfig({}))
})

t.test('names that every object has are not keys', async (t) => {
  for (const name of ['constructor', 'toString', '__proto__', 'type']) {
    const file: unknown = JSON.parse(`{"log": {"${name}": {"x": 1}}}`)
    t.match(problems({ file }), [`config: log.${name} is not a known key`], name)
  }
})

t.test('the file must be a map', async (t) => {
  for (const file of ['x', 5, ['listen'], true]) {
    t.match(problems({ file }), [/^config: the file must be a map of keys \(got /])
  }
})

t.test('the result is frozen throughout', async (t) => {
  const config = parseConfig({}) as { listen: { port: number }; log: { batch: object } }
  t.throws(() => {
    config.listen.port = 1
  }, TypeError)
  t.equal(Object.isFrozen(config.log.batch), true)
})
