import t from 'tap'
import {
  MAX_JSON_DEPTH,
  MAX_JSON_VALUES,
  isJsonObject,
  parseJson
} from '../../src/encoding/json.js'
import { isLogError } from '../../src/errors.js'
import { seededRandom } from '../helpers/random.js'

t.test('reads what JSON.parse reads, from text or bytes', (t) => {
  const cases = [
    ['null', null],
    [' \t\r\n1 ', 1],
    ['-0.5e3', -500],
    ['"a\\u00e9\\ud83d\\ude00"', 'aé😀'],
    ['[]', []],
    ['{"a":{"b":[1,"]}",{"c":null}]}}', { a: { b: [1, ']}', { c: null }] } }],
    ['"\\\\"', '\\'],
    ['"\\""', '"'],
    ['["\\\\","[","\\"[","\\\\\\"["]', ['\\', '[', '"[', '\\"[']]
  ] as const
  for (const [text, want] of cases) {
    t.same(parseJson(text), want, text)
    t.same(parseJson(new TextEncoder().encode(text)), want, `${text} as bytes`)
  }
  t.end()
})

t.test('of repeated members the last one wins', (t) => {
  t.same(parseJson('{"a":1,"b":2,"a":3}'), { a: 3, b: 2 })
  t.end()
})

t.test('__proto__ is a member like others', (t) => {
  const value = parseJson('{"__proto__":{"polluted":true}}')
  t.same(Object.keys(value as object), ['__proto__'])
  t.notOk('polluted' in {})
  t.end()
})

const MALFORMED = {
  nothing: '',
  'white space': ' \n',
  'trailing data': '{}x',
  'two values': '{} {}',
  'trailing comma': '[1,]',
  'single quotes': "{'a':1}",
  'name without quotes': '{a:1}',
  comment: '/* */ 1',
  'leading zero': '01',
  'plus sign': '+1',
  'bare point': '.5',
  hexadecimal: '0x10',
  NaN: 'NaN',
  undefined: 'undefined',
  'capital literal': 'True',
  'string never closed': '"abc',
  'string closed by an escaped quote': '"abc\\"',
  'line break in a string': '"a\nb"',
  'control character in a string': '"\x01"',
  'bad escape': '"\\x41"',
  'cut unicode escape': '"\\u00"',
  'array never closed': '[1',
  'object never closed': '{"a":1',
  'closed by the wrong bracket': '[1}',
  'only a closing bracket': ']',
  'closing brackets to hide depth': `${']'.repeat(200)}${'['.repeat(200)}`,
  'byte order mark': '\ufeff{}',
  'no-break space': '\u00a0{}',
  'quote outside': '"a"b"',
  backslash: '\\',
  'backslash before a string': '\\"[[["'
}

t.test('malformed JSON is refused', (t) => {
  for (const [name, text] of Object.entries(MALFORMED)) {
    t.throws(
      () => parseJson(text),
      { name: 'LogError', code: 'invalid_request', message: /^not valid JSON: ./ },
      name
    )
    t.throws(() => parseJson(new TextEncoder().encode(text)), { code: 'invalid_request' }, name)
  }
  t.throws(() => parseJson('{'), { cause: { name: 'SyntaxError' } })
  t.throws(
    () => parseJson(Uint8Array.of(0x22, 0xff, 0x22)),
    { code: 'invalid_request', message: 'not valid UTF-8' },
    'bytes that are not UTF-8'
  )
  t.end()
})

t.test('no deeper than the limit', (t) => {
  t.equal(MAX_JSON_DEPTH, 100)
  const forms = {
    arrays: (depth: number) => '['.repeat(depth) + ']'.repeat(depth),
    objects: (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth),
    mixed: (depth: number) =>
      '[{"a":'.repeat(depth / 2) + '[]'.repeat(depth % 2) + '1' + '}]'.repeat(depth / 2),
    'after a string of brackets': (depth: number) =>
      `["${'['.repeat(500)}\\"${']'.repeat(500)}\\\\",${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}]`
  }
  for (const [name, form] of Object.entries(forms)) {
    t.doesNotThrow(() => parseJson(form(MAX_JSON_DEPTH)), `${name} at the limit`)
    t.throws(
      () => parseJson(form(MAX_JSON_DEPTH + 2)),
      {
        name: 'LogError',
        code: 'invalid_request',
        message: 'JSON nested deeper than 100 levels'
      },
      `${name} beyond the limit`
    )
  }
  t.throws(() => parseJson('['.repeat(101)), { message: 'JSON nested deeper than 100 levels' })
  t.throws(() => parseJson('['.repeat(100)), { message: /^not valid JSON/ })
  t.end()
})

t.test('a depth bomb is refused before it is parsed', (t) => {
  for (const bomb of [
    '['.repeat(5_000_000),
    '{"a":'.repeat(1_000_000),
    '[{"a":'.repeat(1_000_000)
  ]) {
    t.throws(() => parseJson(bomb), { code: 'invalid_request', message: /deeper/ })
  }
  t.end()
})

t.test('no more values than the limit, however short they are', (t) => {
  const elements = (count: number) => `[${'1,'.repeat(count - 1)}1]`
  const most = parseJson(elements(MAX_JSON_VALUES - 1)) as unknown[]
  t.equal(most.length, MAX_JSON_VALUES - 1, 'with the array itself as many as there may be')
  for (const bomb of [
    elements(MAX_JSON_VALUES),
    `[${'[],'.repeat(MAX_JSON_VALUES / 2)}1]`,
    `{${'"":1,'.repeat(MAX_JSON_VALUES)}"":1}`
  ]) {
    t.throws(() => parseJson(bomb), {
      code: 'invalid_request',
      message: 'JSON of more than 4000000 values'
    })
  }
  t.equal(
    parseJson(`"${','.repeat(MAX_JSON_VALUES + 1)}"`),
    ','.repeat(MAX_JSON_VALUES + 1),
    'text'
  )
  t.end()
})

t.test('width is not depth, and brackets in strings are text', (t) => {
  t.equal((parseJson(`[${'[],'.repeat(1000)}[]]`) as unknown[]).length, 1001)
  t.equal(parseJson(`"${'['.repeat(1000)}"`), '['.repeat(1000))
  t.equal(parseJson(`"${'\\\\'.repeat(999)}\\"["`), `${'\\'.repeat(999)}"[`)
  t.end()
})

t.test('fuzz: throws exactly when JSON.parse does, and nothing but LogError', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const pieces = [
    '[',
    ']',
    '{',
    '}',
    '"',
    '"',
    '\\',
    ',',
    ':',
    '1',
    'null',
    '"a"',
    ' ',
    'e',
    '-',
    'é'
  ]
  let parsed = 0
  for (let i = 0; i < 8000; i++) {
    const text = Array.from({ length: random.below(9) }, () => random.pick(pieces)).join('')
    let want: string | undefined
    try {
      want = JSON.stringify(JSON.parse(text))
    } catch {
      want = undefined
    }
    try {
      if (JSON.stringify(parseJson(text)) !== want) t.fail(text)
      parsed++
    } catch (err) {
      if (!isLogError(err, 'invalid_request') || want !== undefined)
        t.fail(`${text}: ${String(err)}`)
    }
  }
  t.ok(parsed > 100, `${parsed} of 8000 were JSON`)
  t.end()
})

t.test('isJsonObject', (t) => {
  for (const value of [{}, { a: 1 }, parseJson('{"a":[]}')]) t.ok(isJsonObject(value))
  for (const value of [null, undefined, [], [{}], 'a', 1, true]) t.notOk(isJsonObject(value))
  t.end()
})
