import t from 'tap'
import { coverRange, hashCompactRange, splitPoint } from '../../src/merkle/compact-range.js'
import { decimalLeafHashes } from '../helpers/tile-tree.js'
import { at, referenceTree, sha256 } from '../helpers/rfc6962.js'
import { VAST_SIZES } from '../helpers/vast-tree.js'

t.test('splitPoint is the largest power of two below the size', (t) => {
  const cases = [
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 4],
    [8, 4],
    [9, 8],
    [2 ** 31, 2 ** 30],
    [2 ** 31 + 1, 2 ** 31],
    [2 ** 32 - 1, 2 ** 31],
    [2 ** 32, 2 ** 31],
    [2 ** 32 + 1, 2 ** 32],
    [2 ** 40, 2 ** 39],
    [2 ** 40 + 1, 2 ** 40],
    [2 ** 53 - 1, 2 ** 52]
  ] as const
  for (const [size, want] of cases) t.equal(splitPoint(size), want, `split of ${size}`)
  t.end()
})

t.test('coverRange, by example', (t) => {
  const cases = [
    [0, 0, []],
    [0, 1, [[0, 0]]],
    [0, 8, [[3, 0]]],
    [0, 7, [[2, 0], [1, 2], [0, 6]]], // prettier-ignore
    [4, 7, [[1, 2], [0, 6]]], // prettier-ignore
    [2 ** 32, 2 ** 32 + 3, [[1, 2 ** 31], [0, 2 ** 32 + 2]]], // prettier-ignore
    [0, 2 ** 40 + 2 ** 33, [[40, 0], [33, 128]]] // prettier-ignore
  ] as const
  for (const [start, end, want] of cases) {
    t.same(
      coverRange({ start, end }),
      want.map(([height, index]) => ({ height, index })),
      `[${start}, ${end})`
    )
  }
  t.end()
})

t.test('a cover has no gap, no overlap and strictly decreasing heights', (t) => {
  const sizes = [...Array(300).keys(), ...VAST_SIZES.map(Number)]
  for (const end of sizes) {
    const subtrees = coverRange({ start: 0, end })
    let covered = 0n
    let heightBefore = 64
    for (const { height, index } of subtrees) {
      const leaves = 2n ** BigInt(height)
      if (BigInt(index) * leaves !== covered) t.fail(`gap or overlap at ${covered} of ${end}`)
      if (height >= heightBefore) t.fail(`heights do not decrease in ${end}`)
      covered += leaves
      heightBefore = height
    }
    t.equal(covered, BigInt(end), `cover of ${end}`)
  }
  t.end()
})

t.test('hash of a compact range is the hash of the range', (t) => {
  const leafHashes = decimalLeafHashes(130)
  const reference = referenceTree(leafHashes)
  t.equal(hashCompactRange([]), undefined)
  for (let end = 1; end <= leafHashes.length; end++) {
    const range = coverRange({ start: 0, end }).map(({ height, index }) =>
      reference.mth(index * 2 ** height, (index + 1) * 2 ** height)
    )
    t.same(hashCompactRange(range), reference.mth(0, end), `root of ${end} leaves`)
    t.same(hashCompactRange(range, sha256), reference.mth(0, end))
  }
  // One side of a node: leaves 64 to 70 of a tree of 70.
  const side = coverRange({ start: 64, end: 70 }).map(({ height, index }) =>
    reference.mth(index * 2 ** height, (index + 1) * 2 ** height)
  )
  t.same(hashCompactRange(side), reference.mth(64, 70))
  t.same(hashCompactRange([at(leafHashes, 3)]), at(leafHashes, 3))
  t.end()
})
