import t from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import { EMPTY_ROOT_HASH, HASH_BYTES, hashLeaf, hashNode } from '../../src/merkle/hash.js'
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
