import t from 'tap'
import { nodeBuffer, plainBytes } from '../../src/encoding/node-buffer.js'

t.test('found where it is, and only as what it is', (t) => {
  t.equal(nodeBuffer(), Buffer)
  t.equal(nodeBuffer({}), undefined)
  t.equal(nodeBuffer({ Buffer: { from: () => new Uint8Array(0) } }), undefined)
  t.end()
})

t.test('plain bytes are the same memory, without what Buffer changes', (t) => {
  const buffer = Buffer.from([1, 2, 3, 4]).subarray(1, 3)
  const bytes = plainBytes(buffer)
  t.equal(bytes.constructor, Uint8Array)
  t.same([...bytes], [2, 3])
  const copy = bytes.slice()
  buffer[0] = 9
  t.same([...bytes], [9, 3])
  t.same([...copy], [2, 3])
  t.end()
})
