import { canonicalize } from '@tufjs/canonical-json'
import t from 'tap'
import type { JsonValue } from '../../src/encoding/canonical-json.js'
import { parseJson } from '../../src/encoding/json.js'
import { olpcJson } from '../../src/encoding/olpc-json.js'
import { type Random, seededRandom } from '../helpers/random.js'
import { refusalText } from '../helpers/refusals.js'
import { rekorVectorText } from '../helpers/vectors.js'

t.test('values', async (t) => {
  const cases: readonly (readonly [value: JsonValue, text: string])[] = [
    [null, 'null'],
    [true, 'true'],
    [false, 'false'],
    [0, '0'],
    [-7, '-7'],
    [2 ** 53 - 1, '9007199254740991'],
    ['', '""'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\n\u0000é<&>\u2028', '"\n\u0000é<&>\u2028"'],
    ['\ud800x', '"\ufffdx"'],
    [[], '[]'],
    [[1, 'a', [null]], '[1,"a",[null]]'],
    [{}, '{}'],
    [{ b: 1, a: { d: [], c: undefined } }, '{"a":{"d":[]},"b":1}'],
    [{ 'q"': 1, '': 2 }, '{"":2,"q\\"":1}']
  ]
  for (const [value, text] of cases) t.equal(olpcJson(value), text)
  t.equal(olpcJson(parseJson('{"x": 1.0, "y": 1e2}')), '{"x":1,"y":100}', 'one spelling')
})

t.test('names sort by code points, not by code units', async (t) => {
  const names = ['', '\u0000', 'a', 'aa', 'ab', 'b', '\ud7ff', '\ue000', '\uffff', '😀', '😁']
  const shuffled = Object.fromEntries([...names].reverse().map((name) => [name, 0]))
  t.equal(olpcJson(shuffled), `{${names.map((name) => `"${name}":0`).join(',')}}`)
  t.not([...names].sort().join(), names.join(), 'which is another order')
  t.equal(olpcJson({ '\ud800': 1, '\udfff': 2 }), '{"\ufffd":2}', 'the last of the same name')
})

t.test('numbers that not every reader holds exactly', async (t) => {
  for (const number of [0.5, -1.5, 1e-9, 2 ** 53, -(2 ** 53), 1e21, NaN, Infinity]) {
    t.equal(
      await refusalText(() => olpcJson([{ version: number }])),
      `invalid_request: canonical JSON holds integers below 2^53 only, not ${number}`
    )
  }
  t.match(await refusalText(() => olpcJson(-0)), /only, not -0$/)
})

t.test('another encoder agrees', async (t) => {
  for (const file of ['pki/tuf/1.root.json', 'pki/tuf/other_root.json', 'tuf/test_root.json']) {
    const value = parseJson(rekorVectorText(file))
    t.equal(olpcJson(value), canonicalize(value), file)
  }
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const different: string[] = []
  for (let i = 0; i < 3000; i++) {
    const value = randomValue(random, 4)
    if (olpcJson(value) !== canonicalize(value)) different.push(JSON.stringify(value))
  }
  t.same(different, [])
})

/** Names of one plane: the other encoder sorts by code units. */
function randomValue(random: Random, levels: number): JsonValue {
  const text = (): string =>
    Array.from({ length: random.below(4) }, () =>
      random.pick(['a', '"', '\\', '\n', 'é', '1'])
    ).join('')
  const kind = random.below(levels > 0 ? 6 : 4)
  if (kind === 0) return null
  if (kind === 1) return random.below(2) === 0
  if (kind === 2) return random.below(2 ** 32) - 2 ** 31
  if (kind === 3) return text()
  const items = Array.from({ length: random.below(4) }, () => randomValue(random, levels - 1))
  return kind === 4 ? items : Object.fromEntries(items.map((item) => [text(), item]))
}
