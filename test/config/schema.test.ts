import t from 'tap'
import { ENTRY_KINDS } from '../../src/entries/registry.js'
import { REKOR_OPERATIONS } from '../../src/http/rekor-v1.js'
import { DEFAULT_CA_CLIENT_ALGORITHMS } from '../../src/ca/client-key/algorithm-policy.js'
import {
  CA_CLIENT_ALGORITHMS,
  batchLimits,
  configKeys,
  CONFIG_SCHEMA,
  ENTRY_TYPES,
  hasSource,
  isConfigKey,
  REKOR_ENDPOINTS
} from '../../src/config/schema.js'
import { parseConfig } from '../../src/config/parse.js'
import { readValue } from '../../src/config/value.js'

const keys = configKeys()

t.test('flags and variables follow from the path', async (t) => {
  const names = new Map(keys.map((named) => [named.path, [named.flag, named.environment]]))
  t.strictSame(names.get('dataDir'), ['data-dir', 'SIGSTEAD_DATA_DIR'])
  t.strictSame(names.get('listen'), ['listen', 'SIGSTEAD_LISTEN'])
  t.strictSame(names.get('metricsListen'), ['metrics-listen', 'SIGSTEAD_METRICS_LISTEN'])
  t.strictSame(names.get('publicUrl'), ['public-url', 'SIGSTEAD_PUBLIC_URL'])
  t.strictSame(names.get('log.hostname'), ['log-hostname', 'SIGSTEAD_LOG_HOSTNAME'])
  t.strictSame(names.get('log.keyPassphraseFile'), [
    'log-key-passphrase-file',
    'SIGSTEAD_LOG_KEY_PASSPHRASE_FILE'
  ])
  t.strictSame(names.get('log.batch.maxAgeMs'), [
    'log-batch-max-age-ms',
    'SIGSTEAD_LOG_BATCH_MAX_AGE_MS'
  ])
})

t.test('no two keys share a name', async (t) => {
  for (const name of ['path', 'flag', 'environment'] as const) {
    t.equal(new Set(keys.map((named) => named[name])).size, keys.length, name)
  }
})

t.test('every key says what it means and has a default that it accepts', async (t) => {
  for (const { path, key } of keys) {
    t.match(key.meaning, /^[^\n|]{10,}[.]$/, `${path}: a sentence that fits a table cell`)
    if (!('default' in key) || key.default === undefined) continue
    const raw = typeof key.default === 'string' ? { text: key.default } : { value: key.default }
    t.doesNotThrow(() => readValue(key, raw), path)
  }
})

t.test('a secret has no flag and no place in the file', async (t) => {
  const secrets = keys.filter(({ key }) => key.type === 'secret')
  t.strictSame(
    secrets.map(({ path }) => path),
    ['log.keyPassphrase', 'ca.keyPassphrase']
  )
  for (const { key } of secrets) {
    t.equal(hasSource(key, 'file'), false)
    t.equal(hasSource(key, 'flag'), false)
    t.equal(hasSource(key, 'environment'), true)
  }
})

t.test('groups and keys are told apart', async (t) => {
  t.equal(isConfigKey(CONFIG_SCHEMA.listen), true)
  t.equal(isConfigKey(CONFIG_SCHEMA.log), false)
})

t.test('lists that are written down elsewhere too, where config may not import them', async (t) => {
  t.strictSame([...ENTRY_TYPES].sort(), [...ENTRY_KINDS].sort(), 'kinds of the registry')
  t.strictSame(
    CA_CLIENT_ALGORITHMS,
    DEFAULT_CA_CLIENT_ALGORITHMS,
    'what clients of the CA may bring'
  )
  t.strictSame(REKOR_ENDPOINTS, Object.keys(REKOR_OPERATIONS), 'operations of the API')
})

t.test('limits in the words of the log', async (t) => {
  t.strictSame(batchLimits(parseConfig({})), {
    maxLeaves: 256,
    maxAgeMs: 5,
    maxQueuedLeaves: 4096,
    maxQueuedBytes: 134_217_728
  })
})
