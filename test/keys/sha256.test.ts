import { createHash } from 'node:crypto'
import t from 'tap'
import { type NativeAddon, nativeAddon, useNative } from '../../src/keys/native-addon.js'
import { sha256 } from '../../src/keys/sha256.js'
import { addonUnderTest } from '../helpers/native.js'
import { seededRandom } from '../helpers/random.js'

const random = seededRandom()
t.comment(`TEST_SEED=${random.seed}`)

const addon = addonUnderTest() as NativeAddon // nothing with `withAddon` runs without it
const withAddon = {
  skip: nativeAddon() === undefined && 'TEST_WITHOUT_NATIVE=1: THE ADDON IS NOT TESTED HERE'
}

const expected = (...parts: readonly Uint8Array[]) =>
  Uint8Array.from(createHash('sha256').update(Buffer.concat(parts)).digest())
const node = (left: Uint8Array, right: Uint8Array) => expected(Uint8Array.of(1), left, right)

/** Alone in its memory, in the middle of more, and in the heap of V8 if it is short. */
const placed = (bytes: Uint8Array): readonly Uint8Array[] => [
  Uint8Array.from(bytes),
  Uint8Array.of(1, 2, 3, ...bytes, 4).subarray(3, 3 + bytes.length),
  Buffer.from(bytes)
]

t.test('a message of any length, with the addon and without', async (t) => {
  t.teardown(() => useNative(true))
  for (const isNative of [true, false]) {
    useNative(isNative)
    for (const length of [0, 1, 31, 32, 55, 56, 63, 64, 65, 119, 128, 1000, 100_000]) {
      const message = random.bytes(length)
      for (const bytes of placed(message)) {
        const digest = sha256(bytes)
        t.ok(digest.constructor === Uint8Array && digest.length === 32)
        t.same(digest, expected(message), `${length} bytes`)
      }
    }
  }
})

t.test('what was given stays what it was', async (t) => {
  const messages = Array.from({ length: 1000 }, (_, i) => random.bytes(i % 100))
  const digests = messages.map((message) => sha256(message))
  t.same(
    digests,
    messages.map((message) => expected(message))
  )
})

t.test('pieces of trees', withAddon, async (t) => {
  const { tree } = sha256
  if (tree === undefined) throw new Error('the addon offers them')
  t.equal(sha256.tree, tree)
  for (const length of [0, 1, 32, 63, 64, 65, 1000]) {
    const value = random.bytes(length)
    for (const bytes of placed(value)) {
      t.same(tree.leaf(bytes), expected(Uint8Array.of(0), value), `leaf of ${length} bytes`)
    }
  }
  const hashes = Array.from({ length: 256 }, () => random.bytes(32))
  for (let i = 0; i < 20; i++) {
    const [left, right] = [random.pick(hashes), random.pick(hashes)]
    t.same(tree.node(left, right), node(left, right))
  }
  const whole = Buffer.concat(hashes)
  for (let count = 1; count <= 256; count *= 2) {
    const first = random.below(256 / count) * count
    let row = hashes.slice(first, first + count)
    while (row.length > 1) {
      row = row
        .filter((_, i) => i % 2 === 0)
        .map((left, i) => node(left, row[2 * i + 1] as Uint8Array))
    }
    t.same(tree.subtree(whole, first, count), row[0], `${count} hashes`)
  }
  for (const length of [0, 1, 2, 17, 31, 32, 33, 52, 53]) {
    const start = random.pick(hashes)
    const siblings = Array.from({ length }, () => random.pick(hashes))
    const sides = siblings.map(() => random.below(2))
    const lefts = sides.reduce((sum, side, i) => sum + side * 2 ** i, 0)
    const want = siblings.reduce(
      (hash, sibling, i) => (sides[i] === 1 ? node(sibling, hash) : node(hash, sibling)),
      start
    )
    t.same(tree.chain(start, siblings, lefts), want, `${length} siblings`)
  }
  const hash = random.bytes(32)
  for (const [name, action] of [
    ['a short left', () => tree.node(random.bytes(31), hash)],
    ['a long right', () => tree.node(hash, random.bytes(33))],
    ['a short sibling', () => tree.chain(hash, [hash, random.bytes(0)], 0)],
    ['54 siblings', () => tree.chain(hash, new Array<Uint8Array>(54).fill(hash), 0)],
    ['three hashes', () => tree.subtree(whole, 0, 3)],
    ['hashes that are not there', () => tree.subtree(whole, 255, 2)]
  ] as const) {
    t.throws(action, { name: 'RangeError' }, name)
  }
})

t.test('there are none without the addon', async (t) => {
  t.teardown(() => useNative(true))
  useNative(false)
  t.equal(sha256.tree, undefined)
})

t.test('the addon writes where it is told and nowhere else', withAddon, async (t) => {
  const memory = new Uint8Array(256).fill(7)
  const output = memory.subarray(64, 96)
  for (const [name, want, action] of [
    [
      'sha256',
      expected(memory.subarray(0, 70)),
      () => addon.sha256(memory.subarray(0, 70), output)
    ],
    ['hashLeaf', expected(Uint8Array.of(0), output), () => addon.hashLeaf(output, output)],
    ['hashSubtree', node(output, output), () => addon.hashSubtree(output, 0, 1, output)],
    ['hashChain', output, () => addon.hashChain(output, 0, 0, output)]
  ] as const) {
    const before = Uint8Array.from(output)
    action()
    const isCopy = name === 'hashSubtree' || name === 'hashChain' // of one hash
    t.same(output, isCopy ? before : want, name)
    t.ok(
      [...memory.subarray(0, 64), ...memory.subarray(96)].every((byte) => byte === 7),
      'the rest is as it was'
    )
    memory.fill(7)
  }
  const hashes = new Uint8Array(96)
  const nothing = undefined as unknown as Uint8Array
  for (const [name, problem, action] of [
    ['no message', 'TypeError', () => addon.sha256(nothing, output)],
    ['no output', 'TypeError', () => addon.hashLeaf(hashes, nothing)],
    ['a short output', 'RangeError', () => addon.sha256(hashes, memory.subarray(0, 31))],
    ['a count of 0', 'RangeError', () => addon.hashSubtree(hashes, 0, 0, output)],
    ['a count of 3', 'RangeError', () => addon.hashSubtree(hashes, 0, 3, output)],
    [
      'a count of 512',
      'RangeError',
      () => addon.hashSubtree(new Uint8Array(16384), 0, 512, output)
    ],
    ['too few', 'RangeError', () => addon.hashSubtree(hashes, 2, 2, output)],
    ['a first below 0', 'RangeError', () => addon.hashSubtree(hashes, -1, 1, output)],
    ['half a hash', 'RangeError', () => addon.hashSubtree(hashes, 0.5, 1, output)],
    ['no number', 'RangeError', () => addon.hashSubtree(hashes, NaN, 1, output)],
    ['text', 'TypeError', () => addon.hashSubtree(hashes, '0' as never, 1, output)],
    ['too few siblings', 'RangeError', () => addon.hashChain(hashes, 3, 0, output)],
    ['54 siblings', 'RangeError', () => addon.hashChain(new Uint8Array(1760), 54, 0, output)],
    ['lefts beyond 2^53', 'RangeError', () => addon.hashChain(hashes, 1, 2 ** 53, output)]
  ] as const) {
    t.throws(action, { name: problem }, name)
  }
  t.ok(memory.every((byte) => byte === 7))
})
