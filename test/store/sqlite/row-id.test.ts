import t from 'tap'
import {
  MAX_TREE_KEY,
  firstIdOf,
  leafIdOf,
  leafIndexOf,
  tileIdOf,
  tilePlaceOf,
  treeKeyOf
} from '../../../src/store/sqlite/row-id.js'

const PLACES = [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 40 - 1]

t.test('leaf ids', async (t) => {
  for (const treeKey of [1, 2, 4097, MAX_TREE_KEY]) {
    for (const leafIndex of PLACES) {
      const id = leafIdOf(treeKey, leafIndex)
      t.ok(Number.isSafeInteger(id))
      t.equal(treeKeyOf(id), treeKey)
      t.equal(leafIndexOf(id), leafIndex)
      t.ok(id >= firstIdOf(treeKey) && id < firstIdOf(treeKey + 1))
    }
  }
  for (const bad of [-1, 0.5, 2 ** 40, Number.NaN, Infinity]) {
    t.throws(() => leafIdOf(1, bad), { code: 'invalid_request' }, `${bad}`)
  }
})

t.test('tile ids', async (t) => {
  const ids: number[] = []
  for (const level of [0, 1, 5, 255]) {
    for (const tileIndex of [0, 1, 2 ** 31 + 1, 2 ** 32 - 1]) {
      const id = tileIdOf(3, level, tileIndex)
      t.strictSame(tilePlaceOf(id), { level, tileIndex })
      t.equal(treeKeyOf(id), 3)
      ids.push(id)
    }
  }
  t.strictSame(
    ids,
    ids.toSorted((a, b) => a - b),
    'level by level, left to right'
  )
  t.throws(() => tileIdOf(1, 256, 0), { code: 'invalid_request' })
  t.throws(() => tileIdOf(1, 0, 2 ** 32), { code: 'invalid_request' })
  t.throws(() => tileIdOf(1, -1, 0), { code: 'invalid_request' })
})
