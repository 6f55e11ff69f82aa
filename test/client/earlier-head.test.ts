import t from 'tap'
import { headBefore } from '../../src/client/earlier-head.js'
import { referenceTree } from '../helpers/rfc6962.js'
import { decimalLeafHashes } from '../helpers/tile-tree.js'

t.test('the root before a leaf, for every leaf of every small tree', async (t) => {
  const hashes = decimalLeafHashes(40)
  const tree = referenceTree(hashes)
  for (let treeSize = 2; treeSize <= 40; treeSize++) {
    for (let leafIndex = 1; leafIndex < treeSize; leafIndex++) {
      const path = referenceTree(hashes.slice(0, treeSize)).path(leafIndex, treeSize)
      const rootHash = tree.mth(0, treeSize)
      const head = headBefore({ leafIndex, treeSize, rootHash, hashes: path, checkpoint: '' })
      t.equal(head.treeSize, leafIndex)
      t.strictSame(head.rootHash, tree.mth(0, leafIndex), `${leafIndex} of ${treeSize}`)
    }
  }
})
