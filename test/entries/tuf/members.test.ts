import t from 'tap'
import { ZERO_TIME_MS } from '../../../src/entries/tuf/go-time.js'
import {
  arrayMember,
  integerMember,
  objectMember,
  textMember,
  timeMember
} from '../../../src/entries/tuf/members.js'
import { refusalText } from '../../helpers/refusals.js'

t.test('members', async (t) => {
  t.equal(textMember({ a: 'x' }, 'a'), 'x')
  t.equal(textMember({ A: 'x' }, 'a'), 'x', 'as in Go')
  t.equal(integerMember({ a: -3 }, 'a'), -3)
  t.equal(integerMember({ a: 2 ** 53 - 1 }, 'a'), 2 ** 53 - 1)
  t.equal(timeMember({ a: '1970-01-01T00:00:01Z' }, 'a'), 1000)
  t.same(objectMember({ a: { b: 1 } }, 'a'), { b: 1 })
  t.same(arrayMember({ a: [1, 2] }, 'a', 2), [1, 2])
})

t.test('what is absent or null has the zero value', async (t) => {
  for (const object of [{}, { a: null }, { a: undefined }]) {
    t.equal(textMember(object, 'a'), '')
    t.equal(integerMember(object, 'a'), 0)
    t.equal(timeMember(object, 'a'), ZERO_TIME_MS)
    t.equal(objectMember(object, 'a'), undefined)
    t.same(arrayMember(object, 'a', 0), [])
  }
})

t.test('what has another type', async (t) => {
  const refused = async (action: () => unknown, expected: string) =>
    t.equal(await refusalText(action), `invalid_request: tuf: a must be ${expected}`)
  for (const a of [0, false, [], {}]) await refused(() => textMember({ a }, 'a'), 'a string')
  for (const a of ['1', true, [], {}, 1.5, 2 ** 53, -(2 ** 53), 1e300]) {
    await refused(() => integerMember({ a }, 'a'), 'an integer below 2^53')
  }
  for (const a of [0, '', 'tomorrow', [], {}]) {
    await refused(() => timeMember({ a }, 'a'), 'a time as RFC 3339 has it')
  }
  for (const a of [0, '', [], true]) await refused(() => objectMember({ a }, 'a'), 'an object')
  for (const a of [0, '', {}, true]) await refused(() => arrayMember({ a }, 'a', 9), 'a list')
  await refused(() => arrayMember({ a: [1, 2] }, 'a', 1), 'a list of at most 1')
})

t.test('two members for one', async (t) => {
  const refused = 'invalid_request: tuf: more than one member is a'
  t.equal(await refusalText(() => textMember({ a: 'x', A: 'y' }, 'a')), refused)
  t.equal(await refusalText(() => integerMember({ A: 1, a: 1 }, 'a')), refused, 'even of one value')
  t.equal(await refusalText(() => objectMember({ a: {}, A: {} }, 'a')), refused)
  t.equal(await refusalText(() => arrayMember({ a: [], A: [] }, 'a', 1)), refused)
  t.equal(await refusalText(() => timeMember({ a: '', A: '' }, 'a')), refused)
  t.equal(textMember({ a: 'x', A: null }, 'a'), 'x', 'null is none')
  t.equal(textMember({ a: 'x', b: 'y', B: 'z' }, 'a'), 'x')
})
