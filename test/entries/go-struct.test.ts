import t from 'tap'
import type { JsonValue } from '../../src/encoding/canonical-json.js'
import { goMember, matchesShape, type Shape } from '../../src/entries/go-struct.js'

const SHAPE: Shape = {
  text: 'text',
  flag: 'boolean',
  map: 'texts',
  when: 'time',
  whatever: 'any',
  list: [{ text: 'text' }]
}

t.test('what Go decodes without a type error', (t) => {
  const good: readonly JsonValue[] = [
    {},
    { unknown: 1 },
    { text: null, flag: null, map: null, when: null, list: null },
    { text: '', flag: true, map: { a: 'b', c: null }, list: [null, {}, { text: 'x' }] },
    { whatever: [1, { a: 2 }] },
    { when: '2024-02-29T12:00:00Z' },
    { when: '2024-02-29T12:00:00.123456+01:00' },
    { TEXT: 'x', Text: 'y' }
  ]
  for (const value of good) t.ok(matchesShape(value, SHAPE), JSON.stringify(value))
  const bad: readonly JsonValue[] = [
    { text: 1 },
    { text: {} },
    { flag: 'true' },
    { map: [] },
    { map: { a: 1 } },
    { map: 'x' },
    { when: 0 },
    { when: 'yesterday' },
    { when: '2024-02-29 12:00:00Z' },
    { list: {} },
    { list: ['x'] },
    { list: [{ text: 1 }] },
    { text: 'x', Text: 1 },
    [],
    'x',
    1
  ]
  for (const value of bad) t.notOk(matchesShape(value, SHAPE), JSON.stringify(value))
  t.ok(matchesShape(undefined, SHAPE))
  t.end()
})

t.test('the member Go assigns', (t) => {
  t.equal(goMember({ sig: 'a' }, 'sig'), 'a')
  t.equal(goMember({ SIG: 'a' }, 'sig'), 'a')
  t.equal(goMember({ payloadtype: 'a' }, 'payloadType'), 'a')
  t.equal(goMember({ sig: 'a', Sig: 'b' }, 'sig'), 'b', 'the last one')
  t.equal(goMember({ sig: 'a', Sig: null }, 'sig'), 'a', 'null assigns nothing')
  t.equal(goMember({ ſig: 'a' }, 'sig'), 'a', 'long s')
  t.equal(goMember({ '\u212aeyid': 'a' }, 'keyid'), 'a', 'Kelvin sign')
  t.equal(goMember({ sig: null }, 'sig'), undefined)
  t.equal(goMember({ sig: undefined }, 'sig'), undefined)
  t.equal(goMember({}, 'sig'), undefined)
  t.equal(goMember(['sig'], 'sig'), undefined)
  t.equal(goMember(undefined, 'sig'), undefined)
  t.end()
})
