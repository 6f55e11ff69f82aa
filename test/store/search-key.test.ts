import { createHash } from 'node:crypto'
import t from 'tap'
import { digestSearchKeys, hashSearchKey } from '../../src/store/search-key.js'

t.test('hash of a key', async (t) => {
  const reference = (text: string): Uint8Array =>
    new Uint8Array(createHash('sha256').update(text).digest().subarray(0, 16))
  for (const key of ['', 'a', 'jäger@example.com', 'x'.repeat(512)]) {
    t.strictSame(hashSearchKey(key), reference(key))
  }
  t.strictSame(hashSearchKey('x'.repeat(600)), reference('x'.repeat(512)))
})

t.test('digest over the keys of a leaf', async (t) => {
  const keys = ['a', 'b', 'c'].map(hashSearchKey)
  const [a, b, c] = keys as [Uint8Array, Uint8Array, Uint8Array]
  t.strictSame(digestSearchKeys([]), new Uint8Array(8))
  t.strictSame(
    digestSearchKeys([a]),
    a.slice(0, 8).map((byte, i) => byte ^ (a[8 + i] ?? 0))
  )
  t.strictSame(digestSearchKeys([a, b, c]), digestSearchKeys([c, a, b]), 'in any order')
  t.notSame(digestSearchKeys([a, b]), digestSearchKeys([a, b, c]))
  for (let bit = 0; bit < 128; bit++) {
    const flipped = b.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.notSame(digestSearchKeys([a, flipped, c]), digestSearchKeys(keys), `bit ${bit}`)
  }
})
