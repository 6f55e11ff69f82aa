import t from 'tap'
import { SECRET_BYTES, createLeafDigests } from '../../src/log/leaf-digests.js'
import { seededRandom } from '../helpers/random.js'

const random = seededRandom()
t.comment(`TEST_SEED=${random.seed}`)
const SECRET = random.bytes(SECRET_BYTES)
const hash = (bytes = 16): Uint8Array => random.bytes(bytes)

t.test('what goes in twice is gone', async (t) => {
  const digests = createLeafDigests(3, SECRET)
  t.equal(digests.firstDifference(), undefined)
  const bytes = hash(32)
  digests.xor(1, bytes)
  t.equal(digests.firstDifference(), 1)
  const within = Uint8Array.from([9, ...bytes, 9])
  digests.xor(1, within, 1, 33)
  t.equal(digests.firstDifference(), undefined)
})

t.test('a plain XOR folds search keys, as the digest beside a leaf does', async (t) => {
  const digests = createLeafDigests(1, SECRET)
  const key = hash()
  digests.xorSearchKey(0, key)
  digests.xor(
    0,
    key.slice(0, 8).map((byte, i) => byte ^ (key[8 + i] ?? 0))
  )
  t.equal(digests.firstDifference(), undefined)
})

t.test('known search keys are mixed: other rows with the same fold do not do', async (t) => {
  const digests = createLeafDigests(2, SECRET)
  digests.setKnown(1)
  const key = hash()
  digests.xorSearchKey(1, key)
  const swapped = Uint8Array.from([...key.slice(8), ...key.slice(0, 8)])
  digests.xorSearchKey(1, swapped)
  t.equal(digests.firstDifference(), 1)
  digests.xorSearchKey(1, swapped)
  digests.xorSearchKey(1, Uint8Array.from([1, ...key]), 1)
  t.equal(digests.firstDifference(), undefined)
})

t.test('mixing is HalfSipHash-2-4', async (t) => {
  for (let round = 0; round < 50; round++) {
    const secret = hash(SECRET_BYTES)
    const digests = createLeafDigests(1, secret)
    digests.setKnown(0)
    const key = hash()
    digests.xorSearchKey(0, key)
    const words = [...new Uint32Array(digests.memory.words)]
    t.strictSame(words, literalHalfSipHash(secret, key))
  }
})

t.test('leaves can be forgotten', async (t) => {
  const digests = createLeafDigests(4, SECRET)
  digests.setKnown(2)
  for (const leaf of [1, 2, 3]) digests.xorSearchKey(leaf, hash())
  digests.clear(1, 3)
  t.equal(digests.firstDifference(), 3)
  const key = hash()
  digests.xorSearchKey(2, key)
  digests.xor(2, key)
  digests.clear(3, 4)
  t.equal(digests.firstDifference(), undefined, 'and are not known any more')
})

/** As its authors describe it, word by word, but for the last block, which says how long the message was. */
function literalHalfSipHash(secret: Uint8Array, message: Uint8Array): readonly number[] {
  const word = (bytes: Uint8Array, at: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)
  const rotate = (value: number, bits: number): number =>
    Number(((BigInt(value) << BigInt(bits)) | (BigInt(value) >> BigInt(32 - bits))) & 0xffffffffn)
  const add = (a: number, b: number): number => (a + b) % 2 ** 32
  const xor = (a: number, b: number): number => (a ^ b) >>> 0
  const [k0, k1] = [word(secret, 0), word(secret, 4)]
  let [v0, v1, v2, v3] = [k0, xor(k1, 0xee), xor(k0, 0x6c796765), xor(k1, 0x74656462)]
  const sipRound = (): void => {
    v0 = add(v0, v1)
    v1 = xor(rotate(v1, 5), v0)
    v0 = rotate(v0, 16)
    v2 = add(v2, v3)
    v3 = xor(rotate(v3, 8), v2)
    v0 = add(v0, v3)
    v3 = xor(rotate(v3, 7), v0)
    v2 = add(v2, v1)
    v1 = xor(rotate(v1, 13), v2)
    v2 = rotate(v2, 16)
  }
  for (const at of [0, 4, 8, 12]) {
    v3 = xor(v3, word(message, at))
    sipRound()
    sipRound()
    v0 = xor(v0, word(message, at))
  }
  v2 = xor(v2, 0xee)
  for (let i = 0; i < 4; i++) sipRound()
  const left = xor(v1, v3)
  v1 = xor(v1, 0xdd)
  for (let i = 0; i < 4; i++) sipRound()
  return [left, xor(v1, v3)]
}
