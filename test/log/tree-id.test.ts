import t from 'tap'
import { randomTreeId } from '../../src/log/tree-id.js'

t.test('tree IDs are positive int63 in decimal', async (t) => {
  const cases: [bytes: number[], treeId: string | undefined][] = [
    [[255, 255, 255, 255, 255, 255, 255, 255], '9223372036854775807'],
    [[0, 0, 0, 0, 0, 0, 0, 2], '1'],
    [[128, 0, 0, 0, 0, 0, 0, 1], '4611686018427387904'],
    [[0, 0, 0, 0, 0, 0, 0, 1], undefined],
    [[0, 0, 0, 0, 0, 0, 0, 0], undefined]
  ]
  for (const [bytes, treeId] of cases) {
    // Within a larger buffer, as node:crypto's small buffers are.
    const pool = new Uint8Array(24)
    pool.set(bytes, 9)
    const draw = () => randomTreeId(() => pool.subarray(9, 17))
    if (treeId === undefined) t.throws(draw, { code: 'internal' })
    else t.equal(draw(), treeId)
  }
})
