import t from 'tap'
import { createSubtreeMemory } from '../../src/merkle/subtree-memory.js'

const hash = (value: number): Uint8Array => new Uint8Array(32).fill(value)

t.test('subtrees of all heights and positions are told apart', async (t) => {
  const memory = createSubtreeMemory(100)
  const subtrees = [0, 1, 2, 3, 63].flatMap((height) =>
    [0, 1, 2, 2 ** 40].map((index) => ({ height, index }))
  )
  t.same(
    subtrees.map((subtree) => memory.get(subtree)),
    subtrees.map(() => undefined)
  )
  subtrees.forEach((subtree, i) => memory.set(subtree, hash(i)))
  t.same(
    subtrees.map((subtree) => memory.get(subtree)),
    subtrees.map((_, i) => hash(i))
  )
})

t.test('what was asked for lately stays, and the rest goes', async (t) => {
  const memory = createSubtreeMemory(10)
  const at = (index: number) => ({ height: 0, index })
  for (let index = 0; index < 1000; index++) {
    memory.set(at(index), hash(index % 256))
    t.same(memory.get(at(0)), hash(0), 'asked for all the time')
  }
  t.same(memory.get(at(999)), hash(999 % 256))
  const kept = Array.from({ length: 1000 }, (_, index) => memory.get(at(index))).filter(
    (found) => found !== undefined
  )
  t.ok(kept.length >= 10 && kept.length <= 21, `${kept.length} are kept`)
})

t.test('what has no number of its own is not kept', async (t) => {
  const memory = createSubtreeMemory(10)
  const beyond = { height: 1, index: 2 ** 50 }
  memory.set(beyond, hash(1))
  t.equal(memory.get(beyond), undefined)
})

t.test('what is remembered is a copy', async (t) => {
  const memory = createSubtreeMemory(10)
  const large = new Uint8Array(1 << 20)
  const at = (index: number) => ({ height: 0, index })
  for (let index = 0; index < 15; index++) memory.set(at(index), large.subarray(0, 32).fill(index))
  large.fill(255)
  for (const index of [14, 10, 0, 1, 2]) {
    const kept = memory.get(at(index))
    t.same(kept, hash(index))
    t.ok((kept?.buffer.byteLength ?? 0) <= 8192, 'of a small buffer')
  }
})
