import t from 'tap'
import { type JsonValue, canonicalJson } from '../../src/encoding/canonical-json.js'
import { parseJson } from '../../src/encoding/json.js'
import { seededRandom } from '../helpers/random.js'

t.test('RFC 8785 section 3.2.2 and 3.2.3: the example object', (t) => {
  const input = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`
  t.equal(
    canonicalJson(parseJson(input)),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`
  )
  t.end()
})

t.test('RFC 8785 section 3.2.3: names sort by UTF-16 code units', (t) => {
  const input = String.raw`{
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis"
  }`
  const names = Object.keys(JSON.parse(canonicalJson(parseJson(input))) as object)
  // JSON.parse puts "1" first by itself, so look at the text for the order of the rest.
  const text = canonicalJson(parseJson(input))
  const order = ['\\r', '1', '\u0080', 'ö', '€', '😀', '\ufb33'].map((name) =>
    text.indexOf(`"${name}":`)
  )
  t.equal(names.length, 7)
  t.ok(order.every((position) => position > 0))
  t.same(
    order,
    [...order].sort((a, b) => a - b)
  )
  t.end()
})

// Bits of the double, as in RFC 8785 appendix B, and its text.
const NUMBERS = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2']
] as const

t.test('RFC 8785 appendix B: numbers', (t) => {
  for (const [bits, want] of NUMBERS) {
    const value = Buffer.from(bits, 'hex').readDoubleBE()
    t.equal(canonicalJson(value), want, bits)
    t.equal(canonicalJson(parseJson(want)), want, `${want} read and written again`)
  }
  t.end()
})

t.test('numbers that JSON cannot hold are refused', (t) => {
  const values: readonly JsonValue[] = [
    NaN,
    Infinity,
    -Infinity,
    parseJson('1e999'),
    [{ a: Infinity }]
  ]
  for (const value of values) {
    t.throws(() => canonicalJson(value), {
      name: 'LogError',
      code: 'invalid_request',
      message: 'JSON number out of range'
    })
  }
  t.end()
})

t.test('strings: what is escaped and what is not', (t) => {
  const cases = [
    ['empty', '', '""'],
    ['quote and backslash', '"\\', '"\\"\\\\"'],
    ['short escapes', '\b\t\n\f\r', '"\\b\\t\\n\\f\\r"'],
    ['other control characters', '\0\x01\x0b\x1f', '"\\u0000\\u0001\\u000b\\u001f"'],
    ['DEL and above', '\x7f\x80', '"\x7f\x80"'],
    ['what HTML would escape', '<&>/', '"<&>/"'],
    ['line and paragraph separator', '\u2028\u2029', '"\u2028\u2029"'],
    ['astral', '😀', '"😀"'],
    ['lone high surrogate', 'a\ud800b', '"a\ufffdb"'],
    ['lone low surrogate', '\udc00', '"\ufffd"'],
    ['surrogates in the wrong order', '\udc00\ud800', '"\ufffd\ufffd"'],
    ['byte order mark', '\ufeff', '"\ufeff"'],
    ['no normalisation', 'e\u0301', '"e\u0301"']
  ] as const
  for (const [name, value, want] of cases) {
    t.equal(canonicalJson(value), want, name)
    t.equal(canonicalJson({ [value]: 1 }), `{${want}:1}`, `${name}, as a name`)
  }
  t.end()
})

t.test('values of every kind', (t) => {
  const cases: readonly (readonly [JsonValue, string])[] = [
    [null, 'null'],
    [true, 'true'],
    [false, 'false'],
    [[], '[]'],
    [{}, '{}'],
    [[1, [2, [3]], {}], '[1,[2,[3]],{}]'],
    [{ b: 1, a: { d: [], c: null } }, '{"a":{"c":null,"d":[]},"b":1}'],
    [{ a: undefined, b: 1 }, '{"b":1}'],
    [{ '': 1, ' ': 2 }, '{"":1," ":2}'],
    [{ 10: 'ten', 9: 'nine', a: 1 }, '{"10":"ten","9":"nine","a":1}'],
    [JSON.parse('{"__proto__":1,"constructor":2}') as JsonValue, '{"__proto__":1,"constructor":2}'],
    [JSON.parse('{"__proto__":{"a":1}}') as JsonValue, '{"__proto__":{"a":1}}']
  ]
  for (const [value, want] of cases) t.equal(canonicalJson(value), want)
  t.end()
})

t.test('names are sorted and merged as they will be written', (t) => {
  // U+D800 sorts before U+E000, but what is written is U+FFFD, which sorts after it.
  t.equal(canonicalJson({ '\ud800': 1, '\ue000': 2 }), '{"\ue000":2,"\ufffd":1}')
  t.equal(canonicalJson({ '\ud800': 1, '\udbff': 2, '\ufffd': 3 }), '{"\ufffd":3}')
  t.equal(canonicalJson({ '\ufffd': 3, '\ud800': undefined }), '{"\ufffd":3}')
  t.end()
})

t.test('fuzz: canonical text reads back to the same value and the same text', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const strings = [
    '',
    'a',
    'b',
    'é',
    '€',
    '😀',
    '\ufb33',
    '"',
    '\\',
    '\n',
    '\u2028',
    '1',
    '10',
    '9'
  ]
  const value = (depth: number): JsonValue => {
    switch (random.below(depth > 4 ? 4 : 6)) {
      case 0:
        return random.pick([null, true, false])
      case 1:
        return (random.below(2 ** 32) - 2 ** 31) * 10 ** (random.below(40) - 20)
      case 2:
      case 3:
        return random.pick(strings) + random.pick(strings)
      case 4:
        return Array.from({ length: random.below(4) }, () => value(depth + 1))
      default:
        return Object.fromEntries(
          Array.from({ length: random.below(5) }, () => [
            random.pick(strings) + random.pick(strings),
            value(depth + 1)
          ])
        )
    }
  }
  for (let i = 0; i < 2000; i++) {
    const original = value(0)
    const text = canonicalJson(original)
    const back = parseJson(text)
    if (canonicalJson(back) !== text) t.fail(text)
    if (JSON.stringify(sorted(back)) !== JSON.stringify(sorted(original))) t.fail(text)
  }
  t.pass('2000 values')
  t.end()
})

/** The value with members in one order, to compare by JSON.stringify. */
function sorted(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .map(([name, member]) => [name, sorted(member ?? null)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
