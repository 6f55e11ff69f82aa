import t from 'tap'
import { createJsonTokens, positionOf } from '../../src/encoding/json-tokens.js'
import { refusalText } from '../helpers/refusals.js'

function allTokens(text: string): string[] {
  const tokens = createJsonTokens(text)
  const read: string[] = []
  for (let token = tokens.next(); token.kind !== 'end'; token = tokens.next()) {
    read.push(`${token.kind} ${token.raw}`)
  }
  return read
}

t.test('tokens of every kind', (t) => {
  t.same(allTokens(' {"a" :[1,-2.5e+3 ,null,true,false]\t,\r\n"b":0}'), [
    '{ {',
    'string "a"',
    ': :',
    '[ [',
    'number 1',
    ', ,',
    'number -2.5e+3',
    ', ,',
    'word null',
    ', ,',
    'word true',
    ', ,',
    'word false',
    '] ]',
    ', ,',
    'string "b"',
    ': :',
    'number 0',
    '} }'
  ])
  t.same(allTokens(''), [])
  t.same(allTokens(' \n'), [])
  t.end()
})

t.test('a token that was looked at is still the next one', (t) => {
  const tokens = createJsonTokens('[]')
  t.equal(tokens.peek().kind, '[')
  t.equal(tokens.peek().kind, '[')
  t.equal(tokens.next().kind, '[')
  t.equal(tokens.next().kind, ']')
  t.equal(tokens.peek().kind, 'end')
  t.equal(tokens.next().kind, 'end')
  t.equal(tokens.next().kind, 'end')
  t.end()
})

t.test('what strings mean', (t) => {
  for (const [raw, text] of [
    ['""', ''],
    ['"\\u0061\\n\\"\\\\"', 'a\n"\\'],
    ['"\\ud83d\\ude00"', '😀'],
    ['"😀"', '😀']
  ] as const) {
    const token = createJsonTokens(raw).next()
    t.equal(token.text, text)
    t.equal(token.raw, raw)
  }
  t.end()
})

t.test('no tokens', async (t) => {
  for (const [text, message] of [
    ['"', 'proto: unexpected EOF'],
    ['"\\"', 'proto: unexpected EOF'],
    ['"\\', 'proto: unexpected EOF'],
    ['"\\x"', 'proto: syntax error (line 1:1): invalid character or escape code in string'],
    ['"a\nb"', 'proto: syntax error (line 1:1): invalid character or escape code in string'],
    [' "\\ud83d"', 'proto: syntax error (line 1:2): invalid Unicode in string'],
    ['"\\ude00\\ud83d"', 'proto: syntax error (line 1:1): invalid Unicode in string'],
    ['nul', 'proto: syntax error (line 1:1): invalid value nul'],
    ['nullx', 'proto: syntax error (line 1:1): invalid value nullx'],
    ['True', 'proto: syntax error (line 1:1): invalid value True'],
    ['01', 'proto: syntax error (line 1:1): invalid value 01'],
    ['1.', 'proto: syntax error (line 1:1): invalid value 1.'],
    ['5e', 'proto: syntax error (line 1:1): invalid value 5e'],
    ['-', 'proto: syntax error (line 1:1): invalid value -'],
    ['+1', 'proto: syntax error (line 1:1): invalid value +1'],
    ['NaN', 'proto: syntax error (line 1:1): invalid value NaN'],
    ["'a'", "proto: syntax error (line 1:1): invalid value '"],
    ['\n\n  /*', 'proto: syntax error (line 3:3): invalid value /'],
    ['\ufeff{}', 'proto: syntax error (line 1:1): invalid value \ufeff'],
    ['\u00a0', 'proto: syntax error (line 1:1): invalid value \u00a0'],
    ['x'.repeat(1000), `proto: syntax error (line 1:1): invalid value ${'x'.repeat(32)}`]
  ] as const) {
    t.equal(
      await refusalText(() => allTokens(text)),
      `invalid_request: ${message}`,
      JSON.stringify(text.slice(0, 20))
    )
  }
})

t.test('lines and columns count from one, columns in characters', (t) => {
  t.equal(positionOf('abc', 0), '(line 1:1)')
  t.equal(positionOf('"😀"x', 4), '(line 1:4)')
  t.equal(positionOf('a\nb\n c', 5), '(line 3:2)')
  t.equal(positionOf('é\n', 2), '(line 2:1)')
  t.end()
})

t.test('a long text takes one pass', (t) => {
  const text = `[${'"\\"",'.repeat(50_000)}"${'\\\\'.repeat(500_000)}",1${'0'.repeat(500_000)}]`
  t.equal(allTokens(text).length, 100_005)
  t.end()
})
