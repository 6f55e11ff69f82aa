import t from 'tap'
import { readFileSync } from 'node:fs'
import { decodeHex } from '../../src/encoding/hex.js'
import { isLogError } from '../../src/errors.js'
import {
  buildConsistencyProof,
  planConsistencyProof,
  rootsFromConsistencyProof,
  verifyConsistency
} from '../../src/merkle/consistency-proof.js'
import type { TreeHead } from '../../src/merkle/tree.js'
import { seededRandom } from '../helpers/random.js'
import { at, sha256 } from '../helpers/rfc6962.js'
import { LARGEST_SIZE, SIZES, damagedProofs, largestTree, readBound } from '../helpers/tile-tree.js'
import { VAST_SIZES, subproofRanges, vastTree } from '../helpers/vast-tree.js'

const { tree, reference } = largestTree()

function headAt(treeSize: number): TreeHead {
  return { treeSize, rootHash: reference.mth(0, treeSize) }
}

function sameHashes(got: readonly Uint8Array[], want: readonly Uint8Array[]): boolean {
  return (
    got.length === want.length && got.every((hash, i) => Buffer.compare(hash, at(want, i)) === 0)
  )
}

/** Whether the proof is refused, and as a wrong proof; any other error fails the test. */
function isRefused(first: TreeHead, second: TreeHead, proof: readonly Uint8Array[]): boolean {
  try {
    verifyConsistency(first, second, proof, sha256)
    return false
  } catch (err) {
    if (isLogError(err, 'proof_invalid')) return true
    throw err
  }
}

t.test('every pair of small sizes', (t) => {
  for (let second = 1; second <= 66; second++) {
    for (let first = 1; first <= second; first++) {
      const proof = reference.proof(first, second)
      const plan = planConsistencyProof(first, second)
      const planned = plan.map(({ start, end }) => reference.mth(start, end))
      if (!sameHashes(planned, proof)) t.fail(`plan from ${first} to ${second}`)
      verifyConsistency(headAt(first), headAt(second), proof, sha256)
    }
  }
  t.pass('plans agree with PROOF, and PROOF verifies')
  t.end()
})

t.test('proofs between earlier sizes, from the tiles of the grown tree', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const sizes = [
    ...SIZES.slice(1),
    ...Array.from({ length: 6 }, () => 1 + random.below(LARGEST_SIZE))
  ]
  let mostReads = 0
  for (const second of sizes) {
    const firsts = [...sizes, second, second - 1, Math.ceil(second / 2), 1 + random.below(second)]
    for (const first of new Set(firsts.filter((size) => size >= 1 && size <= second))) {
      tree.reads.length = 0
      const proof = await buildConsistencyProof(first, second, tree.fetchTile, sha256)
      if (!sameHashes(proof, reference.proof(first, second))) {
        t.fail(`proof from ${first} to ${second} is not PROOF`)
      }
      verifyConsistency(headAt(first), headAt(second), proof)
      if (new Set(tree.reads).size !== tree.reads.length) t.fail(`a tile read twice: ${tree.reads}`)
      if (tree.reads.length > readBound(second)) {
        t.fail(`${tree.reads.length} tiles read from ${first} to ${second}`)
      }
      mostReads = Math.max(mostReads, tree.reads.length)
    }
  }
  t.ok(mostReads <= 2 * 3, `at most ${mostReads} tiles within ${LARGEST_SIZE} leaves`)
})

t.test('every proof that was tampered with is refused', async (t) => {
  const pairs = [
    [1, 2],
    [1, 3],
    [2, 3],
    [3, 7],
    [4, 7],
    [6, 7],
    [7, 8],
    [4, 8],
    [255, 257],
    [256, 257],
    [767, 1000],
    [65536, 65537],
    [65535, 70000],
    [64, 70000]
  ] as const
  for (const [first, second] of pairs) {
    const proof = await buildConsistencyProof(first, second, tree.fetchTile, sha256)
    const [older, newer] = [headAt(first), headAt(second)]
    t.notOk(isRefused(older, newer, proof), `${first} to ${second}`)
    const accepted = damagedProofs(proof).filter(([, damaged]) => !isRefused(older, newer, damaged))
    t.same(accepted, [], `damaged proofs from ${first} to ${second}`)

    const others: readonly (readonly [string, TreeHead, TreeHead])[] = [
      ['sizes exchanged', { ...older, treeSize: second }, { ...newer, treeSize: first }],
      ['heads exchanged', newer, older],
      [
        'roots exchanged',
        { ...older, rootHash: newer.rootHash },
        { ...newer, rootHash: older.rootHash }
      ],
      ['older root flipped', { ...older, rootHash: flip(older.rootHash, 7) }, newer],
      ['newer root flipped', older, { ...newer, rootHash: flip(newer.rootHash, 7) }],
      ['older root short', { ...older, rootHash: older.rootHash.slice(1) }, newer],
      ['newer root short', older, { ...newer, rootHash: newer.rootHash.slice(1) }],
      ['older tree one smaller', headAt(first - 1), newer],
      ['older tree one larger', headAt(first + 1), newer],
      ['newer tree one smaller', older, headAt(second - 1)],
      ['older root of another tree', { ...older, rootHash: reference.mth(1, first + 1) }, newer],
      ['newer root of another tree', older, { ...newer, rootHash: reference.mth(1, second) }],
      ['older size 0', { ...older, treeSize: 0 }, newer],
      ['older size fractional', { ...older, treeSize: first + 0.5 }, newer],
      ['older size NaN', { ...older, treeSize: NaN }, newer],
      ['older size beyond 2^53', { ...older, treeSize: first + 2 ** 53 }, newer],
      ['newer size infinite', older, { ...newer, treeSize: Infinity }],
      ['newer size beyond 2^53', older, { ...newer, treeSize: 2 ** 53 }],
      ['newer size negative', older, { ...newer, treeSize: -second }]
    ]
    for (const [name, a, b] of others) {
      t.ok(isRefused(a, b, proof), `${name}: ${first} to ${second}`)
    }
    t.ok(isRefused(older, newer, []), 'an empty proof between different sizes')
  }
})

t.test('forged paths: a fork that shares its beginning is refused', (t) => {
  // A log that replaced leaf 5 shows the newer tree to one and the older tree to another.
  const fork = vastTree(7n, new Map([[5n, sha256(Uint8Array.of(1))]]))
  const honest = vastTree(7n, new Map([[5n, sha256(Uint8Array.of(2))]]))
  for (let first = 6; first < 7; first++) {
    const older = { treeSize: first, rootHash: honest.mth(0n, BigInt(first)) }
    const newer = { treeSize: 7, rootHash: fork.mth(0n, 7n) }
    for (const source of [fork, honest]) {
      const proof = subproofRanges(BigInt(first), 0n, 7n).map(({ start, end }) =>
        source.mth(start, end)
      )
      t.ok(isRefused(older, newer, proof))
    }
  }
  // Before the replaced leaf the two agree, and then there is nothing to refuse.
  const proof = subproofRanges(5n, 0n, 7n).map(({ start, end }) => fork.mth(start, end))
  verifyConsistency(
    { treeSize: 5, rootHash: honest.mth(0n, 5n) },
    { treeSize: 7, rootHash: fork.mth(0n, 7n) },
    proof
  )
  t.end()
})

t.test('equal sizes need equal roots and no hashes', async (t) => {
  for (const size of [1, 2, 3, 256, 70000]) {
    t.same(await buildConsistencyProof(size, size, tree.fetchTile), [])
    verifyConsistency(headAt(size), headAt(size), [])
    t.ok(isRefused(headAt(size), { ...headAt(size), rootHash: sha256() }, []), 'another root')
    t.ok(isRefused(headAt(size), headAt(size), [headAt(size).rootHash]), 'a hash too many')
    const short = { treeSize: size, rootHash: headAt(size).rootHash.slice(1) }
    t.ok(isRefused(short, short, []), 'roots that are the same but no hashes')
  }
})

t.test('messages say got and want', (t) => {
  const hash = sha256()
  const cases: readonly (readonly [number, number, readonly Uint8Array[], string])[] = [
    [0, 5, [], 'consistency cannot be proved from an empty tree'],
    [0, 0, [], 'consistency cannot be proved from an empty tree'],
    [5, 4, [], 'first size 5 is larger than second size 4'],
    [-1, 4, [], 'no tree sizes: -1 and 4'],
    [2, 3, [], 'consistency proof from size 2 to 3 has 0 hashes, want 1'],
    [2, 3, [hash.slice(1)], 'consistency proof has hashes of other than 32 bytes'],
    [
      1,
      1,
      [],
      'consistency proof leads to root e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ' +
        'at size 1, want 0000000000000000000000000000000000000000000000000000000000000000'
    ]
  ]
  for (const [first, second, proof, message] of cases) {
    t.throws(
      () =>
        verifyConsistency(
          { treeSize: first, rootHash: hash },
          { treeSize: second, rootHash: new Uint8Array(32) },
          proof
        ),
      { name: 'LogError', code: 'proof_invalid', message },
      message
    )
  }
  t.end()
})

t.test('no proof can be planned or built between impossible sizes', async (t) => {
  for (const [first, second] of [
    [0, 0],
    [0, 1],
    [2, 1],
    [-1, 1],
    [1, -1],
    [0.5, 1],
    [1, NaN],
    [1, 2 ** 53],
    [2 ** 53, 2 ** 53]
  ] as const) {
    t.throws(
      () => planConsistencyProof(first, second),
      { code: 'invalid_request' },
      `${first} to ${second}`
    )
    t.throws(() => buildConsistencyProof(first, second, tree.fetchTile), {
      code: 'invalid_request'
    })
  }
  await t.rejects(
    buildConsistencyProof(1, LARGEST_SIZE + 300, tree.fetchTile),
    { code: 'integrity' },
    'a tree larger than the tiles'
  )
})

t.test('size arithmetic beyond 32 bits', async (t) => {
  for (const second of VAST_SIZES) {
    const firsts = [
      1n,
      3n,
      2n ** 31n - 1n,
      2n ** 31n,
      2n ** 32n + 1n,
      second / 2n + 1n,
      second - 1n,
      second
    ]
    for (const first of new Set(firsts.filter((size) => size <= second))) {
      const ranges = subproofRanges(first, 0n, second)
      t.same(
        planConsistencyProof(Number(first), Number(second)),
        ranges.map(({ start, end }) => ({ start: Number(start), end: Number(end) })),
        `plan from ${first} to ${second}`
      )
      const marks = new Map([[first - 1n, sha256(Uint8Array.of(9))]])
      const vast = vastTree(second, marks)
      const older = { treeSize: Number(first), rootHash: vast.mth(0n, first) }
      const newer = { treeSize: Number(second), rootHash: vast.mth(0n, second) }
      let reads = 0
      const fetchTile = async (
        level: number,
        tileIndex: number
      ): Promise<Uint8Array | undefined> => {
        reads++
        return vast.tile(level, tileIndex)
      }
      const proof = await buildConsistencyProof(older.treeSize, newer.treeSize, fetchTile, sha256)
      t.ok(
        sameHashes(
          proof,
          ranges.map(({ start, end }) => vast.mth(start, end))
        ),
        'the proof is PROOF'
      )
      verifyConsistency(older, newer, proof, sha256)
      t.ok(reads <= readBound(newer.treeSize), `${reads} tiles read`)
      t.ok(isRefused({ ...older, rootHash: flip(older.rootHash, 1) }, newer, proof))
      t.ok(isRefused(older, { ...newer, rootHash: flip(newer.rootHash, 1) }, proof))
      if (first !== second) t.ok(isRefused(older, newer, proof.slice(1)))
    }
  }
})

t.test('rootsFromConsistencyProof computes both roots, with either SHA-256', (t) => {
  const proof = reference.proof(3, 7)
  const want = { firstRootHash: reference.mth(0, 3), secondRootHash: reference.mth(0, 7) }
  t.same(rootsFromConsistencyProof(headAt(3), 7, proof), want)
  t.same(rootsFromConsistencyProof(headAt(3), 7, proof, sha256), want)
  const wrongFirst = { treeSize: 3, rootHash: sha256() }
  t.same(
    rootsFromConsistencyProof(wrongFirst, 7, proof),
    want,
    'whatever the older root was said to be'
  )
  t.end()
})

t.test('the cases of rekor-cli', (t) => {
  const vector = JSON.parse(
    readFileSync('test/vectors/rekor/inline/verify_consistency.json', 'utf8')
  ) as {
    proofReturnedByServer: string[]
    cases: { name: string; old: [number, string]; new: [number, string]; ok: boolean }[]
  }
  const served = vector.proofReturnedByServer.map((hash) => decodeHex(hash))
  t.ok(vector.cases.length >= 6)
  for (const { name, old, new: newer, ok } of vector.cases) {
    const first = { treeSize: old[0], rootHash: decodeHex(old[1]) }
    const second = { treeSize: newer[0], rootHash: decodeHex(newer[1]) }
    // rekor-cli asks for a proof only between different sizes.
    const proof = first.treeSize === second.treeSize ? [] : served
    t.equal(isRefused(first, second, proof), !ok, name)
  }
  t.end()
})

function flip(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.with(index, (bytes[index] ?? 0) ^ 0x10)
}
