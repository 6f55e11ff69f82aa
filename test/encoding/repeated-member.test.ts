import t from 'tap'
import { findRepeatedMember } from '../../src/encoding/repeated-member.js'

t.test('names that stand twice in one object', (t) => {
  const cases: [text: string, name: string | undefined][] = [
    ['{}', undefined],
    ['"a"', undefined],
    ['{"a":1,"b":2}', undefined],
    ['{"a":1,"a":2}', 'a'],
    ['{"a" :1, "b":[{"c":1},{"c":2}], "\\u0061"\n:2}', 'a'],
    ['{"a":{"a":{"a":"a"}}}', undefined],
    ['{"a":{"b":1,"b":1}}', 'b'],
    ['[{"x":1,"x":2}]', 'x'],
    ['{"a":["b","b"],"b":"b"}', undefined],
    ['{"a\\"":1,"a\\\\":2,"a\\"":3}', 'a"'],
    ['{"a":"{\\"b\\":1,\\"b\\":2}"}', undefined],
    ['{"":1,"":2}', ''],
    ['{"a":1,"b":{},"a":[]}', 'a']
  ]
  for (const [text, name] of cases) {
    t.doesNotThrow(() => JSON.parse(text), `${text} is JSON`)
    t.equal(findRepeatedMember(text), name, text)
  }
  t.end()
})

t.test('a large text takes one pass', (t) => {
  const members = Array.from({ length: 50_000 }, (_, i) => `"${i}":"${'\\"'.repeat(10)}"`)
  t.equal(findRepeatedMember(`{${members.join()}}`), undefined)
  t.equal(findRepeatedMember(`{${members.join()},"7":0}`), '7')
  t.end()
})
