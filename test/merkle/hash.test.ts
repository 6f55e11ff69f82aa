import t from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import { hashCompactRange } from '../../src/merkle/compact-range.js'
import {
  EMPTY_ROOT_HASH,
  HASH_BYTES,
  hashChain,
  hashLeaf,
  hashNode,
  type Sha256,
  type TreeHashes
} from '../../src/merkle/hash.js'
import { rootFromInclusionProof } from '../../src/merkle/inclusion-proof.js'
import { hashTileSlots } from '../../src/merkle/tile-hashes.js'
import { seededRandom } from '../helpers/random.js'
import { referenceLeafHash, sha256 } from '../helpers/rfc6962.js'

t.test('the published values of RFC 6962 trees', (t) => {
  // Hash of nothing, of the empty leaf, and of the leaf "L123456" with its two-leaf tree: Certificate Transparency's
  // own test values.
  t.equal(
    encodeHex(EMPTY_ROOT_HASH),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  )
  t.equal(
    encodeHex(hashLeaf(new Uint8Array(0))),
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
  )
  t.equal(
    encodeHex(hashLeaf(new TextEncoder().encode('L123456'))),
    '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56'
  )
  t.equal(
    encodeHex(hashNode(new TextEncoder().encode('N123'), new TextEncoder().encode('N456'))),
    'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb'
  )
  t.end()
})

t.test('agrees with another SHA-256, built in or handed over', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (let i = 0; i < 200; i++) {
    const value = random.bytes(random.below(300))
    const left = random.bytes(HASH_BYTES)
    const right = random.bytes(HASH_BYTES)
    const node = sha256(Uint8Array.of(1), left, right)
    t.same(hashLeaf(value), referenceLeafHash(value))
    t.same(hashLeaf(value, sha256), referenceLeafHash(value))
    t.same(hashNode(left, right), node)
    t.same(hashNode(left, right, sha256), node)
  }
  t.end()
})

t.test('a node cannot be passed off as a leaf', (t) => {
  const left = sha256(Uint8Array.of(1))
  const right = sha256(Uint8Array.of(2))
  t.not(encodeHex(hashLeaf(new Uint8Array([...left, ...right]))), encodeHex(hashNode(left, right)))
  t.end()
})

t.test('uses the function it is handed', (t) => {
  const seen: Uint8Array[] = []
  const spy = (message: Uint8Array): Uint8Array => {
    seen.push(message)
    return Uint8Array.of(7)
  }
  t.same(hashLeaf(Uint8Array.of(5), spy), Uint8Array.of(7))
  t.same(hashNode(Uint8Array.of(5), Uint8Array.of(6), spy), Uint8Array.of(7))
  t.same(seen, [Uint8Array.of(0, 5), Uint8Array.of(1, 5, 6)])
  t.end()
})

t.test('a chain is joined from the start, left and right', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const hashes = Array.from({ length: 54 }, () => random.bytes(HASH_BYTES))
  const [start = new Uint8Array(0), a = start, b = start, c = start] = hashes
  const node = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right)
  t.same(hashChain(start, [], 0), start)
  t.same(hashChain(start, [a], 0), node(start, a))
  t.same(hashChain(start, [a], 1), node(a, start))
  t.same(hashChain(start, [a, b, c], 0b101), node(c, node(node(a, start), b)))
  const left = hashes.slice(1).reduce((hash, sibling) => node(sibling, hash), start)
  t.same(hashChain(start, hashes.slice(1), 2 ** 53 - 1), left, 'the highest there is')
  t.end()
})

/** Hashes trees in pieces, by the functions it stands in for, and keeps which pieces. */
function inPieces(): { readonly hasher: Sha256; readonly asked: string[] } {
  const asked: string[] = []
  const note = <Result>(piece: string, result: Result): Result => (asked.push(piece), result)
  const tree: TreeHashes = {
    leaf: (value) => note('leaf', hashLeaf(value)),
    node: (left, right) => note('node', hashNode(left, right)),
    subtree: (hashes, first, count) => {
      const slots = { level: 0, tileIndex: 0, firstSlot: first, slots: count }
      return note(`subtree ${first} ${count}`, hashTileSlots(hashes, slots))
    },
    chain: (start, siblings, lefts) =>
      note(`chain ${siblings.length} ${lefts}`, hashChain(start, siblings, lefts))
  }
  const hasher = Object.assign(() => note('message', new Uint8Array(HASH_BYTES)), { tree })
  return { hasher, asked }
}

t.test('whole pieces are left to a hasher that has them', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const hashes = Array.from({ length: 5 }, () => random.bytes(HASH_BYTES))
  const [one = new Uint8Array(0), two = one] = hashes
  const tile = new Uint8Array(8 * HASH_BYTES).map(() => random.below(256))
  const slots = (firstSlot: number, count: number) => ({
    level: 0,
    tileIndex: 0,
    firstSlot,
    slots: count
  })
  for (const [pieces, run] of [
    [['leaf'], (hasher) => hashLeaf(tile, hasher)],
    [['node'], (hasher) => hashNode(one, two, hasher)],
    [[], (hasher) => hashChain(one, [], 0, hasher)],
    [['node'], (hasher) => hashChain(one, [two], 1, hasher)],
    [['chain 5 9'], (hasher) => hashChain(one, hashes, 9, hasher)],
    [['chain 4 15'], (hasher) => hashCompactRange(hashes, hasher)],
    [['node'], (hasher) => hashCompactRange([one, two], hasher)],
    [[], (hasher) => hashTileSlots(tile, slots(3, 1), hasher)],
    [['subtree 4 4'], (hasher) => hashTileSlots(tile, slots(4, 4), hasher)],
    [['chain 5 10'], (hasher) => rootFromInclusionProof(one, 10, 32, hashes, hasher)],
    [['chain 3 7'], (hasher) => rootFromInclusionProof(one, 19, 20, hashes.slice(0, 3), hasher)]
  ] as readonly (readonly [string[], (hasher?: Sha256) => Uint8Array | undefined])[]) {
    const { hasher, asked } = inPieces()
    t.same(run(hasher), run(), pieces.join())
    t.same(asked, pieces)
  }
  t.end()
})
