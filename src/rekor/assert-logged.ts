import { LogError } from '../errors.js'
import { createCheckQueue } from '../keys/check-queue.js'
import { parsePublicKey } from '../keys/public-key.js'
import type { AddedLeaf } from '../log/contract.js'
import { verifyInclusion } from '../merkle/inclusion-proof.js'
import { equalBytes } from '../encoding/bytes.js'
import type { ParsedCheckpoint } from '../note/checkpoint.js'
import { sha256 } from '../store/sha256.js'
import { verifySetQueued } from './set.js'
import { createCheckpointCheck } from './signing.js'
import type { TreeView } from './tree-view.js'

export interface LoggedLeaf {
  readonly leafHash: Uint8Array
  readonly leafValue: Uint8Array
  readonly added: AddedLeaf
  readonly inclusionProof: readonly Uint8Array[]
}

/**
 * Checks what we are about to promise as a client would: the leaf is in the tree of the checkpoint, the checkpoint and
 * the SET are signed by the key of the tree. Whatever is wrong in store, cache or key, nobody gets a bad answer.
 */
export function createLoggedCheck(view: TreeView): (logged: LoggedLeaf) => Promise<void> {
  const queue = createCheckQueue()
  const verifyCheckpoint = createCheckpointCheck(view.record, queue)
  const key = parsePublicKey(view.record.publicKey)
  // All entries of a batch come at once and with the same checkpoint: it is checked once. Owned by this closure.
  let last: { readonly note: string; readonly read: Promise<ParsedCheckpoint> } | undefined

  async function checkCheckpoint({ note, treeHead }: AddedLeaf['checkpoint']): Promise<void> {
    if (last?.note !== note) last = { note, read: verifyCheckpoint(note) }
    const { treeSize, rootHash } = await last.read
    if (treeSize !== treeHead.treeSize || !equalBytes(rootHash, treeHead.rootHash)) {
      throw new LogError('verification_failed', 'checkpoint differs from its tree head')
    }
  }

  return async ({ leafHash, leafValue, added, inclusionProof }) => {
    const { leafIndex, integratedTimeSeconds, checkpoint, inclusionPromise } = added
    try {
      verifyInclusion(leafHash, leafIndex, checkpoint.treeHead, inclusionProof, sha256)
      const logIndex = view.record.offset + leafIndex
      const promise = { leafValue, integratedTimeSeconds, logId: view.logId, logIndex }
      await Promise.all([
        checkCheckpoint(checkpoint),
        verifySetQueued(key, promise, inclusionPromise, queue)
      ])
    } catch (err) {
      const text = `our own proof for leaf ${leafIndex} of tree ${view.record.treeId} does not hold`
      throw new LogError('integrity', text, { cause: err })
    }
  }
}
