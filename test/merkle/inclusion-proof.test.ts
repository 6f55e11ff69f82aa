import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import { decodeBase64 } from '../../src/encoding/base64.js'
import { decodeHex } from '../../src/encoding/hex.js'
import { isLogError } from '../../src/errors.js'
import { hashLeaf } from '../../src/merkle/hash.js'
import {
  buildInclusionProof,
  planInclusionProof,
  rootFromInclusionProof,
  verifyInclusion
} from '../../src/merkle/inclusion-proof.js'
import type { TreeHead } from '../../src/merkle/tree.js'
import { seededRandom } from '../helpers/random.js'
import { at, referenceTree, sha256 } from '../helpers/rfc6962.js'
import {
  LARGEST_SIZE,
  SIZES,
  damagedProofs,
  decimalLeafHashes,
  largestTree,
  readBound
} from '../helpers/tile-tree.js'
import { VAST_SIZES, pathRanges, vastTree } from '../helpers/vast-tree.js'

const { leafHashes, tree, reference } = largestTree()

function headAt(treeSize: number): TreeHead {
  return { treeSize, rootHash: reference.mth(0, treeSize) }
}

function sameHashes(got: readonly Uint8Array[], want: readonly Uint8Array[]): boolean {
  return (
    got.length === want.length && got.every((hash, i) => Buffer.compare(hash, at(want, i)) === 0)
  )
}

/** Whether the proof is refused, and as a wrong proof; any other error fails the test. */
function isRefused(
  leafHash: Uint8Array,
  leafIndex: number,
  head: TreeHead,
  proof: readonly Uint8Array[]
): boolean {
  try {
    verifyInclusion(leafHash, leafIndex, head, proof, sha256)
    return false
  } catch (err) {
    if (isLogError(err, 'proof_invalid')) return true
    throw err
  }
}

t.test('every leaf of every small tree', (t) => {
  for (let size = 1; size <= 66; size++) {
    for (let leafIndex = 0; leafIndex < size; leafIndex++) {
      const proof = reference.path(leafIndex, size)
      const plan = planInclusionProof(leafIndex, size)
      const planned = plan.map(({ start, end }) => reference.mth(start, end))
      if (!sameHashes(planned, proof)) t.fail(`plan for leaf ${leafIndex} of ${size}`)
      verifyInclusion(at(leafHashes, leafIndex), leafIndex, headAt(size), proof, sha256)
    }
  }
  t.pass('plans agree with PATH, and PATH verifies')
  t.end()
})

t.test('proofs at earlier sizes, from the tiles of the grown tree', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const sizes = [...SIZES, ...Array.from({ length: 10 }, () => 1 + random.below(LARGEST_SIZE))]
  let mostReads = 0
  for (const size of sizes) {
    const edges = [0, 1, 254, 255, 256, 257, 65535, 65536, size - 2, size - 1]
    const indexes = [...edges, ...Array.from({ length: 15 }, () => random.below(size))]
    for (const leafIndex of new Set(indexes.filter((index) => index >= 0 && index < size))) {
      tree.reads.length = 0
      const proof = await buildInclusionProof(leafIndex, size, tree.fetchTile, sha256)
      if (!sameHashes(proof, reference.path(leafIndex, size))) {
        t.fail(`proof for leaf ${leafIndex} of ${size} is not PATH`)
      }
      verifyInclusion(at(leafHashes, leafIndex), leafIndex, headAt(size), proof)
      if (new Set(tree.reads).size !== tree.reads.length) t.fail(`a tile read twice: ${tree.reads}`)
      if (tree.reads.length > readBound(size)) {
        t.fail(`${tree.reads.length} tiles read for leaf ${leafIndex} of ${size}`)
      }
      mostReads = Math.max(mostReads, tree.reads.length)
    }
  }
  t.ok(mostReads <= 2 * 3, `at most ${mostReads} tiles for one of ${LARGEST_SIZE} leaves`)
})

t.test('every proof that was tampered with is refused', async (t) => {
  const cases = [
    [0, 1],
    [0, 2],
    [1, 2],
    [2, 3],
    [5, 7],
    [6, 7],
    [7, 8],
    [255, 256],
    [256, 257],
    [300, 1000],
    [65536, 65537],
    [69998, 69999],
    [12345, 69999]
  ] as const
  for (const [leafIndex, size] of cases) {
    const leafHash = at(leafHashes, leafIndex)
    const proof = await buildInclusionProof(leafIndex, size, tree.fetchTile, sha256)
    t.notOk(isRefused(leafHash, leafIndex, headAt(size), proof), `leaf ${leafIndex} of ${size}`)
    const accepted = damagedProofs(proof).filter(
      ([, damaged]) => !isRefused(leafHash, leafIndex, headAt(size), damaged)
    )
    t.same(accepted, [], `damaged proofs for leaf ${leafIndex} of ${size}`)

    const root = headAt(size).rootHash
    const others: readonly (readonly [string, Uint8Array, number, TreeHead])[] = [
      [
        'another leaf',
        at(leafHashes, leafIndex === 0 ? 1 : leafIndex - 1),
        leafIndex,
        headAt(size)
      ],
      ['flipped leaf', flip(leafHash, 0), leafIndex, headAt(size)],
      ['short leaf', leafHash.slice(1), leafIndex, headAt(size)],
      ['index below', leafHash, leafIndex - 1, headAt(size)],
      ['index above', leafHash, leafIndex + 1, headAt(size)],
      ['index of the size', leafHash, size, headAt(size)],
      ['negative index', leafHash, -1, headAt(size)],
      ['fractional index', leafHash, leafIndex + 0.5, headAt(size)],
      ['index beyond 2^53', leafHash, leafIndex + 2 ** 53, headAt(size)],
      ['tree one smaller', leafHash, leafIndex, headAt(size - 1)],
      ['tree one larger', leafHash, leafIndex, headAt(size + 1)],
      ['empty tree', leafHash, leafIndex, { treeSize: 0, rootHash: root }],
      ['twice the size', leafHash, leafIndex, { treeSize: 2 * size, rootHash: root }],
      ['size NaN', leafHash, leafIndex, { treeSize: NaN, rootHash: root }],
      ['size infinite', leafHash, leafIndex, { treeSize: Infinity, rootHash: root }],
      ['size beyond 2^53', leafHash, leafIndex, { treeSize: 2 ** 53, rootHash: root }],
      ['flipped root', leafHash, leafIndex, { treeSize: size, rootHash: flip(root, 31) }],
      ['short root', leafHash, leafIndex, { treeSize: size, rootHash: root.slice(0, 31) }],
      ['no root', leafHash, leafIndex, { treeSize: size, rootHash: new Uint8Array(0) }]
    ]
    for (const [name, leaf, index, head] of others) {
      t.ok(isRefused(leaf, index, head, proof), `${name}: leaf ${leafIndex} of ${size}`)
    }
  }
})

t.test('every other index is refused for every leaf of small trees', (t) => {
  let tried = 0
  for (const size of [1, 2, 3, 7, 8, 13]) {
    for (let leafIndex = 0; leafIndex < size; leafIndex++) {
      const proof = reference.path(leafIndex, size)
      for (let other = 0; other < size; other++) {
        if (other === leafIndex) continue
        tried++
        if (!isRefused(at(leafHashes, leafIndex), other, headAt(size), proof)) {
          t.fail(`leaf ${leafIndex} of ${size} passed for ${other}`)
        }
      }
    }
  }
  t.ok(tried > 200, `${tried} wrong indexes`)
  t.end()
})

t.test('messages say got and want', (t) => {
  const leafHash = at(leafHashes, 0)
  t.throws(() => verifyInclusion(leafHash, 3, headAt(3), []), {
    name: 'LogError',
    code: 'proof_invalid',
    message: 'leaf index 3 outside tree of size 3'
  })
  t.throws(() => verifyInclusion(leafHash, 0, headAt(3), []), {
    code: 'proof_invalid',
    message: 'inclusion proof has 0 hashes, want 2'
  })
  t.throws(() => verifyInclusion(leafHash, 0, headAt(2), [new Uint8Array(31)]), {
    code: 'proof_invalid',
    message: 'inclusion proof has hashes of other than 32 bytes'
  })
  t.throws(() => verifyInclusion(leafHash, 0, { treeSize: 1, rootHash: sha256() }, []), {
    code: 'proof_invalid',
    message:
      'inclusion proof leads to root db3426e878068d28d269b6c87172322ce5372b65756d0789001d34835f601c03, ' +
      'want e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  })
  t.end()
})

t.test('no proof can be planned or built for a leaf that is not there', async (t) => {
  for (const [leafIndex, size] of [
    [0, 0],
    [1, 1],
    [-1, 1],
    [0.5, 2],
    [NaN, 2],
    [0, NaN],
    [0, -1],
    [0, 1.5],
    [0, 2 ** 53],
    [2 ** 53, 2 ** 53]
  ] as const) {
    t.throws(
      () => planInclusionProof(leafIndex, size),
      { code: 'invalid_request', message: `leaf index ${leafIndex} outside tree of size ${size}` },
      `leaf ${leafIndex} of ${size}`
    )
    t.throws(() => buildInclusionProof(leafIndex, size, tree.fetchTile), {
      code: 'invalid_request'
    })
  }
  await t.rejects(
    buildInclusionProof(0, LARGEST_SIZE + 300, tree.fetchTile),
    { code: 'integrity' },
    'a tree larger than the tiles'
  )
})

t.test('index arithmetic beyond 32 bits', async (t) => {
  for (const size of VAST_SIZES) {
    const indexes = [0n, 1n, size / 2n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, size - 2n, size - 1n]
    for (const leafIndex of new Set(indexes.filter((index) => index < size))) {
      const ranges = pathRanges(leafIndex, 0n, size)
      const plan = planInclusionProof(Number(leafIndex), Number(size))
      t.same(
        plan,
        ranges.map(({ start, end }) => ({ start: Number(start), end: Number(end) })),
        `plan for leaf ${leafIndex} of ${size}`
      )
      await assertVastProof(t, leafIndex, size, ranges)
    }
  }
})

/** Builds and verifies a proof for a marked leaf of a tree that is all filler otherwise. */
async function assertVastProof(
  t: Test,
  leafIndex: bigint,
  size: bigint,
  ranges: readonly { readonly start: bigint; readonly end: bigint }[]
): Promise<void> {
  const leafHash = sha256(Uint8Array.of(0), new TextEncoder().encode(`leaf ${leafIndex}`))
  const vast = vastTree(size, new Map([[leafIndex, leafHash]]))
  const head = { treeSize: Number(size), rootHash: vast.mth(0n, size) }
  let reads = 0
  const proof = await buildInclusionProof(
    Number(leafIndex),
    head.treeSize,
    async (level, tileIndex) => {
      reads++
      return vast.tile(level, tileIndex)
    },
    sha256
  )
  t.ok(
    sameHashes(
      proof,
      ranges.map(({ start, end }) => vast.mth(start, end))
    ),
    'the proof is PATH'
  )
  verifyInclusion(leafHash, Number(leafIndex), head, proof, sha256)
  t.ok(reads <= readBound(head.treeSize), `${reads} tiles read`)
  for (const wrong of [
    leafIndex - 1n,
    leafIndex + 1n,
    leafIndex ^ (2n ** 32n),
    leafIndex % 2n ** 32n
  ]) {
    if (wrong !== leafIndex) {
      t.ok(isRefused(leafHash, Number(wrong), head, proof), `refused for leaf ${wrong}`)
    }
  }
  t.ok(isRefused(leafHash, Number(leafIndex), head, proof.slice(1)))
}

t.test('rootFromInclusionProof computes, with either SHA-256', (t) => {
  const small = referenceTree(decimalLeafHashes(7))
  const got = rootFromInclusionProof(at(leafHashes, 4), 4, 7, small.path(4, 7))
  t.same(got, small.mth(0, 7))
  t.same(rootFromInclusionProof(at(leafHashes, 4), 4, 7, small.path(4, 7), sha256), got)
  t.same(rootFromInclusionProof(at(leafHashes, 0), 0, 1, []), at(leafHashes, 0))
  t.end()
})

t.test('an inclusion proof of a real log', (t) => {
  const vector = JSON.parse(
    readFileSync('test/vectors/rekor/inline/verify_inclusion.json', 'utf8')
  ) as {
    body: string
    verification: {
      inclusionProof: { logIndex: number; treeSize: number; rootHash: string; hashes: string[] }
    }
  }
  const { logIndex, treeSize, rootHash, hashes } = vector.verification.inclusionProof
  const head = { treeSize, rootHash: decodeHex(rootHash) }
  const proof = hashes.map((hash) => decodeHex(hash))
  const leafValue = decodeBase64(vector.body)
  verifyInclusion(hashLeaf(leafValue), logIndex, head, proof)
  t.ok(isRefused(hashLeaf(flip(leafValue, 0)), logIndex, head, proof), 'altered body')
  t.ok(isRefused(hashLeaf(new Uint8Array(0)), logIndex, head, proof), 'no body')
  t.ok(isRefused(leafValue, logIndex, head, proof), 'body instead of its hash')
  t.end()
})

function flip(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.with(index, (bytes[index] ?? 0) ^ 0x10)
}
