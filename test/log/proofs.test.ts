import t from 'tap'
import { createProver, treeHeadAtSize } from '../../src/log/proofs.js'
import { verifyConsistency } from '../../src/merkle/consistency-proof.js'
import { verifyInclusion } from '../../src/merkle/inclusion-proof.js'
import type { LogStore } from '../../src/store/log-store.js'
import { createTestLog, openTestLog, testLeaves } from '../helpers/test-log.js'

t.test('proofs of any past size, read from tiles alone', async (t) => {
  const { store, key } = await createTestLog(t)
  const leaves = testLeaves(777)
  const log = await openTestLog(store, key)
  await Promise.all(leaves.map((leaf) => log.add(leaf)))
  await log.close()

  let tilesRead = 0
  const forbidden = async (): Promise<never> => {
    throw new Error('a proof reads no leaves')
  }
  const watched: LogStore = {
    ...store,
    tile: (level, tileIndex) => {
      tilesRead++
      return store.tile(level, tileIndex)
    },
    leaf: forbidden,
    leaves: forbidden
  }
  const last = await treeHeadAtSize(watched, 777)
  t.strictSame(last, await store.treeHead())
  for (const treeSize of [1, 2, 255, 256, 257, 511, 512, 767, 776, 777]) {
    const head = await treeHeadAtSize(watched, treeSize)
    for (const leafIndex of [0, treeSize >> 1, treeSize - 1]) {
      tilesRead = 0
      const proof = await createProver(watched).inclusion(leafIndex, treeSize)
      t.ok(tilesRead <= 4, `${tilesRead} tiles for leaf ${leafIndex} of ${treeSize}`)
      const leafHash = leaves[leafIndex]?.leafHash as Uint8Array // below the number of leaves
      verifyInclusion(leafHash, leafIndex, head, proof)
      t.throws(() => verifyInclusion(leafHash.slice().reverse(), leafIndex, head, proof), {
        code: 'proof_invalid'
      })
    }
    const proof = await createProver(watched).consistency(treeSize, 777)
    verifyConsistency(head, last, proof)
    const forged = { ...head, rootHash: head.rootHash.slice().reverse() }
    t.throws(() => verifyConsistency(forged, last, proof), { code: 'proof_invalid' })
  }
})

t.test('refuses sizes the tree never had', async (t) => {
  const { store } = await createTestLog(t)
  const asks: readonly (() => Promise<unknown>)[] = [
    () => createProver(store).inclusion(0, 1),
    () => createProver(store).inclusion(0, NaN),
    () => createProver(store).consistency(1, 2),
    () => treeHeadAtSize(store, 1)
  ]
  for (const ask of asks) await t.rejects(ask(), { code: 'invalid_request' })
})
