import t from 'tap'
import {
  assertSchema,
  atLeastOneItem,
  atMostItems,
  inside,
  matching,
  oneOf,
  required,
  type Violation
} from '../../src/entries/schema.js'
import { refusalText } from '../helpers/refusals.js'

const text = (...violations: readonly (Violation | undefined)[]) =>
  refusalText(() => assertSchema(...violations))

t.test('the words of go-swagger', async (t) => {
  for (const [violation, line] of [
    [required('a', undefined), 'a in body is required'],
    [atLeastOneItem('a.b', []), 'a.b in body should have at least 1 items'],
    [atMostItems('a', [1, 2], 1), 'a in body should have at most 1 items'],
    [oneOf('a', 'x', ['sha256', 'sha512']), 'a in body should be one of [sha256 sha512]'],
    [matching('a', 'x', /^\d$/), "a in body should match '^\\d$'"]
  ] as const) {
    t.equal(await text(violation), `invalid_request: validation failure list:\n${line}`)
  }
})

t.test('nothing wrong', (t) => {
  assertSchema(
    required('a', ''),
    atLeastOneItem('a', [1]),
    atMostItems('a', [1], 1),
    oneOf('a', 'x', ['x']),
    matching('a', '1', /^\d$/),
    atLeastOneItem('a', undefined),
    oneOf('a', undefined, ['x']),
    matching('a', undefined, /^\d$/),
    inside('a', undefined)
  )
  t.pass()
  t.end()
})

t.test('names are put before names; all of the top level are told', async (t) => {
  t.equal(
    await text(
      inside('data', inside('data.hash', required('data.hash.value', undefined))),
      required('other', 1),
      required('signature', undefined)
    ),
    'invalid_request: validation failure list:\n' +
      'data.data.hash.data.hash.value in body is required\nsignature in body is required'
  )
})
