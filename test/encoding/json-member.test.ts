import t from 'tap'
import { rawJsonMember } from '../../src/encoding/json-member.js'
import { seededRandom } from '../helpers/random.js'

t.test('values as they stand', (t) => {
  const huge = '9'.repeat(300)
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['{}', undefined],
    ['{"other":1}', undefined],
    [`{"n":${huge}}`, huge],
    ['{"n":1}', '1'],
    ['{"a":0, "n" :\n -12.50e3 , "z":1}', '-12.50e3'],
    ['{"n":1,"n":2}', '2'],
    ['{"\\u006e":3}', '3'],
    ['{"a":{"n":1},"b":[{"n":2}]}', undefined],
    ['{"a":{"n":1},"n":[1,{"n":2},"},"]}', '[1,{"n":2},"},"]'],
    ['{"n":"a\\"b,}"}', '"a\\"b,}"'],
    ['{"a":"n","b":1}', undefined],
    ['{"a":"\\\\","n":4}', '4'],
    ['{"n":null}', 'null'],
    ['{"a":["n",1]}', undefined]
  ]
  for (const [text, raw] of cases) t.equal(rawJsonMember(text, 'n'), raw, text.slice(0, 40))
  t.end()
})

t.test('what JSON.parse reads is what stands there', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const value = (depth: number): unknown => {
    const kind = random.below(depth > 3 ? 3 : 5)
    if (kind === 0) return random.below(1000) / 8
    if (kind === 1) return random.pick(['', 'n', '"', '\\', '{"n":', ',', '\u2028', null, true])
    if (kind === 2) return random.pick([[], {}])
    const inner = Array.from({ length: random.below(4) }, () => value(depth + 1))
    if (kind === 3) return inner
    return Object.fromEntries(inner.map((item) => [random.pick(['n', 'a', '"', '\\n']), item]))
  }
  for (let i = 0; i < 2000; i++) {
    const object: { n?: unknown } = {
      ...{ a: value(0) },
      ...(random.below(2) === 0 ? {} : { n: value(0) }),
      ...{ b: value(0) }
    }
    const text = JSON.stringify(object, null, random.below(3))
    const raw = rawJsonMember(text, 'n')
    const read: unknown = raw === undefined ? undefined : JSON.parse(raw)
    if (JSON.stringify(read) !== JSON.stringify(object.n)) t.fail(text)
  }
  t.end()
})

t.test('a kilobyte of anything takes no time', (t) => {
  const startedMs = performance.now()
  rawJsonMember(`{"a":${'['.repeat(500)}${']'.repeat(500)},"n":1}`, 'n')
  rawJsonMember(`{${'"n":1 ,'.repeat(150)}"n":2}`, 'n')
  rawJsonMember(`{"n"${' '.repeat(1000)}:1}`, 'n')
  t.ok(performance.now() - startedMs < 200)
  t.end()
})
