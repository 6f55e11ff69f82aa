import t from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { MAX_PROTO_LIST, messageShape, parseProtoJson } from '../../src/encoding/proto-json.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const INNER = messageShape('test.Inner', { rawBytes: { type: 'bytes' } })
const OUTER = messageShape('test.Outer', {
  theText: { type: 'text' },
  raw: { type: 'bytes' },
  keptName: { type: 'text', protoName: 'keptName' },
  colour: { type: 'enum', values: { NONE: 0, RED: 1, GREEN: 2 } },
  inner: { type: 'message', of: INNER },
  innerV002: { type: 'message', of: INNER, oneof: 'choice' },
  otherChoice: { type: 'text', oneof: 'choice' },
  items: { type: 'list', of: INNER }
})

const read = (text: string) => parseProtoJson(text, OUTER)
const bytesOf = (text: string) => {
  const { raw } = read(JSON.stringify({ raw: text }))
  return raw === undefined ? undefined : encodeHex(raw)
}

t.test('every kind of field', (t) => {
  t.same(
    read(`{"theText":"a","raw":"AQI=","colour":"RED","inner":{"rawBytes":"AQ=="},
      "innerV002":{},"items":[{},{"rawBytes":"Ag=="}], "keptName": ""}`),
    {
      theText: 'a',
      raw: Uint8Array.of(1, 2),
      colour: 1,
      inner: { rawBytes: Uint8Array.of(1) },
      innerV002: {},
      items: [{}, { rawBytes: Uint8Array.of(2) }],
      keptName: ''
    }
  )
  t.same(read(' {\t}\r\n'), {})
  t.same(read('{"items":[]}'), { items: [] })
  t.end()
})

t.test('names of the .proto file', (t) => {
  t.same(
    read('{"the_text":"a","inner_v002":{"raw_bytes":""},"\\u0063olour":"NONE","keptName":"b"}'),
    {
      theText: 'a',
      innerV002: { rawBytes: new Uint8Array(0) },
      colour: 0,
      keptName: 'b'
    }
  )
  t.end()
})

t.test('null is absent, also in a oneof', (t) => {
  t.same(
    read(
      '{"theText":null,"raw":null,"colour":null,"inner":null,"items":null,"innerV002":null,"otherChoice":"a"}'
    ),
    { otherChoice: 'a' }
  )
  t.same(read('{"otherChoice":"a","innerV002":null}'), { otherChoice: 'a' })
  t.end()
})

t.test('base64 in every spelling', (t) => {
  for (const [text, hex] of [
    ['', ''],
    ['+/8=', 'fbff'],
    ['+/8', 'fbff'],
    ['-_8=', 'fbff'],
    ['-_8', 'fbff'],
    ['AQ==', '01'],
    ['AQ', '01'],
    ['AR==', '01'], // stray bits, as in Go
    ['AAAA', '000000']
  ] as const) {
    t.equal(bytesOf(text), hex, text)
  }
  t.end()
})

t.test('no base64', async (t) => {
  for (const text of [
    'A',
    'AAAAA',
    'AQ=',
    'AQ=A',
    '====',
    '=',
    '+_8=',
    'AQ==\n',
    'AAAA\nAAAA',
    'AA\r\nAA',
    ' AAAA',
    'AAAA ',
    'AA*A',
    'é'
  ]) {
    t.equal(
      await refusalText(() => bytesOf(text)),
      `invalid_request: proto: (line 1:8): invalid value for bytes field raw: ${JSON.stringify(text)}`
    )
  }
})

t.test('enums by number', async (t) => {
  for (const [number, value] of [
    ['2', 2],
    ['2.0', 2],
    ['20e-1', 2],
    ['0.2e1', 2],
    ['-0', 0],
    ['77', 77],
    ['-2147483648', -2147483648],
    ['2147483647', 2147483647]
  ] as const) {
    t.same(read(`{"colour":${number}}`), { colour: value }, number)
  }
  for (const wrong of [
    '2147483648',
    '-2147483649',
    '1.5',
    '1e400',
    '1.0000000000000000000001',
    '"PURPLE"',
    '"red"',
    '"1"',
    '"toString"',
    '"__proto__"',
    'true',
    '[',
    '{',
    '}'
  ]) {
    t.equal(
      await refusalText(() => read(`{"colour":${wrong}}`)),
      `invalid_request: proto: (line 1:11): invalid value for enum field colour: ${wrong}`
    )
  }
})

t.test('refused, in the words of protojson', async (t) => {
  for (const [text, message] of [
    ['', 'unexpected EOF'],
    ['null', 'syntax error (line 1:1): unexpected token null'],
    ['[]', 'syntax error (line 1:1): unexpected token ['],
    ['"{}"', 'syntax error (line 1:1): unexpected token "{}"'],
    ['{', 'unexpected EOF'],
    ['{"theText"', 'unexpected EOF'],
    ['{"theText":', 'unexpected EOF'],
    ['{"theText":"a"', 'unexpected EOF'],
    ['{"items":[', 'unexpected EOF'],
    ['{"items":[{}', 'unexpected EOF'],
    ['{} {}', 'syntax error (line 1:4): unexpected token {'],
    ['{}x', 'syntax error (line 1:3): invalid value x'],
    ['{}null', 'syntax error (line 1:3): unexpected token null'],
    ['{,}', 'syntax error (line 1:2): unexpected token ,'],
    ['{"theText":"a",}', 'syntax error (line 1:16): unexpected token }'],
    ['{"theText":"a" "raw":""}', 'syntax error (line 1:16): unexpected token "raw"'],
    ['{"theText":"a"]', 'syntax error (line 1:15): unexpected token ]'],
    [
      '{"theText" "a"}',
      'syntax error (line 1:12): unexpected character ", missing ":" after field name'
    ],
    ['{theText:"a"}', 'syntax error (line 1:2): invalid value theText'],
    ['{1:"a"}', 'syntax error (line 1:2): unexpected token 1'],
    ['{null:"a"}', 'syntax error (line 1:2): unexpected token null'],
    ['{"foo":1}', '(line 1:2): unknown field "foo"'],
    ['{"foo":null}', '(line 1:2): unknown field "foo"'],
    ['{\n "inner":{"foo":1}}', '(line 2:11): unknown field "foo"'],
    ['{"TheText":"a"}', '(line 1:2): unknown field "TheText"'],
    ['{"thetext":"a"}', '(line 1:2): unknown field "thetext"'],
    ['{"kept_name":"a"}', '(line 1:2): unknown field "kept_name"'],
    ['{"__proto__":{}}', '(line 1:2): unknown field "__proto__"'],
    ['{"constructor":{}}', '(line 1:2): unknown field "constructor"'],
    ['{"[ext.name]":1}', '(line 1:2): unknown field "[ext.name]"'],
    ['{"theText":"a","theText":"a"}', '(line 1:16): duplicate field "theText"'],
    ['{"theText":"a","the_text":"a"}', '(line 1:16): duplicate field "the_text"'],
    ['{"theText":null,"theText":"a"}', '(line 1:17): duplicate field "theText"'],
    ['{"theText":"a","\\u0074heText":null}', '(line 1:16): duplicate field "\\u0074heText"'],
    [
      '{"innerV002":{},"otherChoice":"a"}',
      '(line 1:17): error parsing "otherChoice", oneof test.Outer.choice is already set'
    ],
    [
      '{"other_choice":"","inner_v002":{}}',
      '(line 1:20): error parsing "inner_v002", oneof test.Outer.choice is already set'
    ],
    ['{"theText":1}', '(line 1:12): invalid value for string field theText: 1'],
    ['{"theText":{}}', '(line 1:12): invalid value for string field theText: {'],
    ['{"theText":["a"]}', '(line 1:12): invalid value for string field theText: ['],
    ['{"raw":[1,2]}', '(line 1:8): invalid value for bytes field raw: ['],
    ['{"raw":7}', '(line 1:8): invalid value for bytes field raw: 7'],
    ['{"inner":"a"}', 'syntax error (line 1:10): unexpected token "a"'],
    ['{"inner":[]}', 'syntax error (line 1:10): unexpected token ['],
    ['{"items":{}}', 'syntax error (line 1:10): unexpected token {'],
    ['{"items":[null]}', 'syntax error (line 1:11): unexpected token null'],
    ['{"items":[{},]}', 'syntax error (line 1:14): unexpected token ]'],
    ['{"items":[{}{}]}', 'syntax error (line 1:13): unexpected token {'],
    ['{"items":["a"]}', 'syntax error (line 1:11): unexpected token "a"'],
    ['{"theText":"\\ud800"}', 'syntax error (line 1:12): invalid Unicode in string'],
    [
      `{"raw":"${'*'.repeat(100)}"}`,
      `(line 1:8): invalid value for bytes field raw: "${'*'.repeat(63)}…`
    ]
  ] as const) {
    t.equal(await refusalText(() => read(text)), `invalid_request: proto: ${message}`, text)
  }
})

t.test('lists end somewhere', async (t) => {
  const listOf = (items: number) => `{"items":[${Array(items).fill('{}').join()}]}`
  t.equal(read(listOf(MAX_PROTO_LIST)).items?.length, MAX_PROTO_LIST)
  t.equal(
    await refusalText(() => read(listOf(MAX_PROTO_LIST + 1))),
    `invalid_request: proto: (line 1:10): list of more than ${MAX_PROTO_LIST} messages`
  )
})

t.test('deep nesting is not followed', async (t) => {
  for (const text of ['['.repeat(100_000), '{"inner":'.repeat(100_000)]) {
    t.match(await refusalText(() => read(text)), /^invalid_request: proto: /)
    t.match(await refusalText(() => read(`{"foo":${text}`)), /unknown field/)
    t.match(await refusalText(() => read(`{"raw":${text}`)), /invalid value for bytes field/)
  }
})

t.test('mutated texts are read, with what JSON.parse makes of them, or refused', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const text = encodeUtf8(
    '{"theText":"a\\n","raw":"AQI=","colour":"RED","inner":{"raw_bytes":"AQ=="},"items":[{}]}'
  )
  const wrong: string[] = []
  let accepted = 0
  for (let i = 0; i < 2000; i++) {
    const mutated = Buffer.from(mutate(text, random)).toString('latin1')
    const value = await unlessRefused(() => read(mutated))
    if (value === undefined) continue
    accepted++
    const theText = (JSON.parse(mutated) as { theText?: string | null }).theText ?? undefined
    if (value.theText !== theText && !mutated.includes('the_')) wrong.push(mutated)
  }
  t.same(wrong, [])
  t.comment(`${accepted} accepted`)
})
