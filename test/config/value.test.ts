import t from 'tap'
import type { ConfigKey } from '../../src/config/schema.js'
import { formatAddress, readValue, type RawValue, show } from '../../src/config/value.js'
import { isLogError } from '../../src/errors.js'

const meaning = 'Test.'
const keys = {
  text: { type: 'text', meaning },
  path: { type: 'path', meaning },
  secret: { type: 'secret', meaning },
  url: { type: 'url', meaning },
  boolean: { type: 'boolean', default: false, meaning },
  address: { type: 'address', default: '127.0.0.1:1', meaning },
  optionalAddress: { type: 'optionalAddress', default: 'off', meaning },
  integer: { type: 'integer', default: 5, min: 1, max: 10, meaning },
  choice: { type: 'choice', default: 'a', choices: ['a', 'b'], meaning },
  list: { type: 'list', default: ['a'], choices: ['a', 'b', 'c'], meaning }
} as const satisfies Record<string, ConfigKey>

type Type = keyof typeof keys

const text = (text: string): RawValue => ({ text })
const value = (value: unknown): RawValue => ({ value })

const good: [type: Type, raw: RawValue, read: unknown][] = [
  ['text', text('a b'), 'a b'],
  ['text', value('x'), 'x'],
  ['path', text('./data'), './data'],
  ['secret', text(' with spaces '), ' with spaces '],
  ['url', text('http://127.0.0.1:3000'), 'http://127.0.0.1:3000'],
  ['url', text('https://Rekor.example.com/'), 'https://rekor.example.com'],
  ['url', value('https://example.com/rekor//'), 'https://example.com/rekor'],
  ['boolean', text('true'), true],
  ['boolean', text('false'), false],
  ['boolean', value(true), true],
  ['address', text('127.0.0.1:3000'), { host: '127.0.0.1', port: 3000 }],
  ['address', text('localhost:0'), { host: 'localhost', port: 0 }],
  ['address', text('[::1]:65535'), { host: '::1', port: 65535 }],
  ['optionalAddress', text('off'), undefined],
  ['optionalAddress', text(''), undefined],
  ['optionalAddress', value('off'), undefined],
  ['optionalAddress', text('0.0.0.0:2112'), { host: '0.0.0.0', port: 2112 }],
  ['integer', text('1'), 1],
  ['integer', value(10), 10],
  ['choice', text('b'), 'b'],
  ['list', text('b, a'), ['b', 'a']],
  ['list', value(['c']), ['c']]
]

t.test('reads', async (t) => {
  for (const [type, raw, expected] of good) {
    t.strictSame(readValue(keys[type], raw), expected, `${type} ${JSON.stringify(raw)}`)
  }
})

const url = 'must be an http or https URL without user, query and fragment'
const bad: [type: Type, raw: RawValue, message: string][] = [
  ['text', text(''), 'must be text of at least one character (got "")'],
  ['text', value(5), 'must be text of at least one character (got 5)'],
  ['text', value(null), 'must be text of at least one character (got null)'],
  ['path', value(['a']), 'must be a path (got ["a"])'],
  ['path', text('a\0b'), 'must be a path (got "a\\u0000b")'],
  ['secret', text(''), 'must be text of at least one character'],
  ['url', text('rekor.example.com'), `${url} (got "rekor.example.com")`],
  ['url', text('ftp://a'), `${url} (got "ftp://a")`],
  ['url', text('http://u:p@a'), `${url} (got "http://u:p@a")`],
  ['url', text('http://a?b'), `${url} (got "http://a?b")`],
  ['url', text('http://a#'), `${url} (got "http://a#")`],
  ['url', value(3000), `${url} (got 3000)`],
  ['boolean', text('yes'), 'must be true or false (got "yes")'],
  ['boolean', text('1'), 'must be true or false (got "1")'],
  ['boolean', value('true'), 'must be true or false (got "true")'],
  ['boolean', value(1), 'must be true or false (got 1)'],
  ['address', text('3000'), 'must be host:port (got "3000")'],
  ['address', value(3000), 'must be host:port (got 3000)'],
  ['address', text(':3000'), 'must be host:port (got ":3000")'],
  ['address', text('::1:3000'), 'must be host:port (got "::1:3000")'],
  ['address', text('a:65536'), 'must be host:port (got "a:65536")'],
  ['address', text('http://a:1'), 'must be host:port (got "http://a:1")'],
  ['address', text('off'), 'must be host:port (got "off")'],
  ['optionalAddress', text('on'), 'must be host:port or off (got "on")'],
  ['optionalAddress', value(false), 'must be host:port or off (got false)'],
  ['optionalAddress', value(null), 'must be host:port or off (got null)'],
  ['integer', text('0'), 'must be >= 1 (got "0")'],
  ['integer', value(11), 'must be <= 10 (got 11)'],
  ['integer', text('1.5'), 'must be an integer (got "1.5")'],
  ['integer', text('1e1'), 'must be an integer (got "1e1")'],
  ['integer', text(''), 'must be an integer (got "")'],
  ['integer', text('99999999999999999999'), 'must be an integer (got "99999999999999999999")'],
  ['integer', value('5'), 'must be an integer (got "5")'],
  ['integer', value(1.5), 'must be an integer (got 1.5)'],
  ['integer', value(true), 'must be an integer (got true)'],
  ['choice', text('c'), 'must be one of a, b (got "c")'],
  ['choice', value(null), 'must be one of a, b (got null)'],
  ['list', text(''), 'must be one of a, b, c (got "")'],
  ['list', value([]), 'must be a list of names (got [])'],
  ['list', value('a'), 'must be a list of names (got "a")'],
  ['list', value(['a', 1]), 'must be one of a, b, c (got 1)'],
  ['list', text('a,d'), 'must be one of a, b, c (got "d")'],
  ['list', text('a,a'), 'must be a list without repetition (got "a,a")']
]

t.test('refuses', async (t) => {
  for (const [type, raw, message] of bad) {
    const name = `${type} ${JSON.stringify(raw)}`
    try {
      readValue(keys[type], raw)
      t.fail(name)
    } catch (err) {
      t.ok(isLogError(err, 'invalid_request'), name)
      t.equal((err as Error).message, message, name)
    }
  }
})

t.test('a secret is never shown', async (t) => {
  t.throws(() => readValue(keys.secret, value(['hunter2'])), {
    message: /^must be text of at least one character$/
  })
})

t.test('addresses are written as they are read', async (t) => {
  for (const address of ['127.0.0.1:3000', '[::1]:0', 'localhost:1']) {
    const read = readValue(keys.address, text(address)) as { host: string; port: number }
    t.equal(formatAddress(read), address)
  }
})

t.test('long values are cut in messages', async (t) => {
  t.equal(show('x'.repeat(1000)).length, 61)
  t.equal(show(undefined), 'undefined')
})
