import t from 'tap'
import { compareBytes, concatBytes, equalBytes, startsWith } from '../../src/encoding/bytes.js'
import { seededRandom } from '../helpers/random.js'

t.test('concatBytes joins in order and copies', (t) => {
  t.same(concatBytes(), new Uint8Array(0))
  const first = Uint8Array.of(1, 2)
  const joined = concatBytes(first, new Uint8Array(0), Uint8Array.of(3))
  first.fill(9)
  t.same(joined, Uint8Array.of(1, 2, 3))
  t.equal(joined.buffer.byteLength, 3)
  t.end()
})

const CASES = [
  ['both empty', [], [], 0],
  ['empty before anything', [], [0], -1],
  ['prefix before longer', [1, 2], [1, 2, 0], -1],
  ['first difference decides', [1, 2, 9], [1, 3, 0], -1],
  ['bytes are unsigned', [127], [128], -1],
  ['same', [1, 2, 3], [1, 2, 3], 0]
] as const

t.test('compareBytes orders, equalBytes agrees', (t) => {
  for (const [name, left, right, want] of CASES) {
    const [a, b] = [Uint8Array.from(left), Uint8Array.from(right)]
    t.equal(Math.sign(compareBytes(a, b)), want, name)
    t.equal(Math.sign(compareBytes(b, a)), want === 0 ? 0 : -want, `${name}, exchanged`)
    t.equal(equalBytes(a, b), want === 0, `${name}, equality`)
  }
  t.end()
})

t.test('agrees with Buffer on random bytes', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let equal = 0
  for (let i = 0; i < 5000; i++) {
    const a = Uint8Array.from({ length: random.below(4) }, () => random.below(3) * 127)
    const b = Uint8Array.from({ length: random.below(4) }, () => random.below(3) * 127)
    const want = Buffer.compare(a, b)
    if (want === 0) equal++
    if (Math.sign(compareBytes(a, b)) !== want) t.fail(`compare [${a}] with [${b}]`)
    if (equalBytes(a, b) !== (want === 0)) t.fail(`equality of [${a}] and [${b}]`)
    if (Buffer.compare(concatBytes(a, b), Buffer.concat([a, b])) !== 0) t.fail(`[${a}] with [${b}]`)
  }
  t.ok(equal > 50 && equal < 4950, `${equal} equal pairs among 5000`)
  t.end()
})

t.test('what bytes begin with', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let found = 0
  for (let i = 0; i < 3000; i++) {
    const bytes = Uint8Array.from({ length: random.below(4) }, () => random.below(2))
    const prefix = Uint8Array.from({ length: random.below(4) }, () => random.below(2))
    const want = equalBytes(bytes.slice(0, prefix.length), prefix)
    if (want) found++
    if (startsWith(bytes, prefix) !== want) t.fail(`[${bytes}] and [${prefix}]`)
  }
  t.ok(found > 50 && found < 2950, `${found} of 3000`)
  t.end()
})
