import t from 'tap'
import type { PendingLeaf } from '../../src/store/log-store.js'
import {
  packAppended,
  packLeaves,
  packPromises,
  unpackAppended,
  unpackLeaves,
  unpackPromises
} from '../../src/store/packed-batch.js'

/** Small seeded generator: the same leaves in every run. */
function generator(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * limit)
  }
}

function randomLeaf(random: (limit: number) => number): PendingLeaf {
  const bytes = (limit: number): Uint8Array =>
    Uint8Array.from({ length: random(limit) }, () => random(256))
  const text = (): string => String.fromCharCode(...bytes(20), random(0xd800))
  return {
    leafHash: bytes(40),
    leafValue: bytes(300),
    integratedTimeSeconds: random(2 ** 30) * 1000,
    searchKeys: Array.from({ length: random(4) }, text),
    ...(random(2) === 0 ? {} : { attestation: { key: text(), value: bytes(100) } }),
    ...(random(2) === 0 ? {} : { submissionHash: bytes(33) }),
    ...(random(2) === 0 ? {} : { extraData: bytes(2) })
  }
}

t.test('leaves arrive as they were', (t) => {
  const random = generator(1)
  for (let round = 0; round < 300; round++) {
    const batch = Array.from({ length: random(9) }, () => randomLeaf(random))
    t.strictSame(unpackLeaves(structuredClone(packLeaves(batch))), batch)
  }
  t.end()
})

t.test('what a leaf is a view of stays behind', (t) => {
  const large = new Uint8Array(100_000)
  const leaf = { ...randomLeaf(generator(2)), leafValue: large.subarray(10, 20) }
  t.ok(packLeaves([leaf]).bytes.buffer.byteLength < 1000)
  t.end()
})

t.test('promises and results arrive as they were', (t) => {
  const promises = [
    { leafIndex: 2 ** 39, promise: Uint8Array.of(1, 2, 3) },
    { leafIndex: 0, promise: new Uint8Array(0) },
    { leafIndex: 7, promise: Uint8Array.of(255) }
  ]
  t.strictSame(unpackPromises(structuredClone(packPromises(promises))), promises)
  t.strictSame(unpackPromises(packPromises([])), [])
  const appended = [
    { leafIndex: 2 ** 39, integratedTimeSeconds: 2 ** 40, duplicate: true },
    { leafIndex: 0, integratedTimeSeconds: 0, duplicate: false }
  ]
  t.strictSame(unpackAppended(structuredClone(packAppended(appended))), appended)
  t.strictSame(unpackAppended(packAppended([])), [])
  t.end()
})

t.test('what is cut short is noticed', (t) => {
  const packed = packLeaves([{ ...randomLeaf(generator(3)), searchKeys: ['a', 'b'] }])
  const cutShort = { code: 'internal', message: 'a message between threads is cut short' }
  t.throws(() => unpackLeaves({ ...packed, bytes: packed.bytes.slice(1) }), cutShort)
  t.throws(() => unpackLeaves({ ...packed, texts: [] }), cutShort)
  const promises = packPromises([{ leafIndex: 1, promise: Uint8Array.of(1, 2) }])
  t.throws(() => unpackPromises({ ...promises, bytes: promises.bytes.slice(1) }), cutShort)
  t.end()
})
