// A thread that makes leaves of hashedrekord entries: told how many, it answers with as many (see packed-leaves.mjs).
import { parentPort } from 'node:worker_threads'
import { createLeafMaker } from './leaves.mjs'
import { packLeaves } from './packed-leaves.mjs'

const makeLeaf = createLeafMaker()

parentPort.on('message', (count) => {
  const packed = packLeaves(Array.from({ length: count }, makeLeaf))
  parentPort.postMessage(packed, [packed.sizes.buffer, packed.bytes.buffer])
})
