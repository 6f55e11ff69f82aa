import t from 'tap'
import { leastJsonLength } from '../../src/encoding/json-length.js'
import type { JsonValue } from '../../src/encoding/canonical-json.js'

t.test('never more than the text has, and not much less', (t) => {
  const values: readonly JsonValue[] = [
    null,
    true,
    0,
    -1.5e300,
    '',
    'a"\u2028\ud83d\ude00',
    [],
    [[]],
    [1, 'a', null],
    {},
    { '': {} },
    { a: 1, b: [2, { c: 'd' }], é: null }
  ]
  const wrong = values.filter((value) => {
    const least = leastJsonLength(value, 1000)
    return least < 1 || least > Buffer.byteLength(JSON.stringify(value))
  })
  t.same(wrong, [])
  const digits = { a: 1, b: [2, { c: 'd' }], e: [3, 4, 5] }
  t.equal(leastJsonLength(digits, 1000), JSON.stringify(digits).length)
  t.equal(leastJsonLength({ a: undefined }, 1000), 7, 'as if it were a digit')
  t.end()
})

t.test('what is beyond the limit is not looked at', (t) => {
  const trap = Object.defineProperty({ a: 'x'.repeat(20) }, 'b', {
    enumerable: true,
    get: () => {
      throw new Error('looked at')
    }
  })
  t.throws(() => leastJsonLength(trap, 100), /looked at/)
  t.ok(leastJsonLength(trap, 20) > 20)
  t.ok(leastJsonLength([['x'.repeat(20), trap], trap], 20) > 20)
  t.end()
})
