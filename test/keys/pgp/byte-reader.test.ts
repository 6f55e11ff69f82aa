import t from 'tap'
import { createByteReader } from '../../../src/keys/pgp/byte-reader.js'
import { refusalText } from '../../helpers/refusals.js'

t.test('fields in order', async (t) => {
  const reader = createByteReader(Uint8Array.of(1, 0x01, 0x02, 0xff, 0xff, 0xff, 0xff, 9, 8, 7))
  t.equal(reader.uint(1), 1)
  t.equal(reader.uint(2), 0x0102)
  t.equal(reader.uint(4), 0xffffffff)
  t.equal(reader.offset(), 7)
  t.equal(reader.left(), 3)
  t.same([...reader.bytes(2)], [9, 8])
  t.same([...reader.bytes(0)], [])
  t.equal(await refusalText(() => reader.uint(2)), 'invalid_request: unexpected EOF')
  t.equal(reader.left(), 1, 'a refused read takes nothing')
})

t.test('integers are as long as their bits need', async (t) => {
  const cases: readonly (readonly [input: number[], expected: number[]])[] = [
    [[0, 0], []],
    [[0, 1, 1], [1]],
    [[0, 8, 0xff], [0xff]],
    [
      [0, 9, 1, 2],
      [1, 2]
    ],
    // Longer than it had to be: kept as it is.
    [
      [0, 16, 0, 2],
      [0, 2]
    ]
  ]
  for (const [input, expected] of cases) {
    t.same([...createByteReader(Uint8Array.from(input)).mpi()], expected)
  }
  for (const input of [[], [0], [0, 1], [0xff, 0xff, 1]]) {
    const reader = createByteReader(Uint8Array.from(input))
    t.equal(await refusalText(() => reader.mpi()), 'invalid_request: unexpected EOF')
  }
})
