import type { KeyObject } from 'node:crypto'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { findEntryType } from '../entries/registry.js'
import { LogError } from '../errors.js'
import { badThing } from '../log/check-error.js'
import type { LeafChecks } from '../log/check-tree.js'
import type { TreeRecord } from '../store/log-store.js'
import { verifySet } from './set.js'
import { createCheckpointCheck, publicKeyOf, type VerifyTreeCheckpoint } from './signing.js'
import { logIdOf } from './statement.js'

interface TreeKey {
  readonly key: KeyObject
  /** 32 bytes. */
  readonly logId: Uint8Array
  readonly verifyCheckpoint: VerifyTreeCheckpoint
}

/** What a checker of the whole log must know of Rekor: signatures, and what the body of an entry says. */
export function createRekorLeafChecks(): LeafChecks {
  // Reading a key costs half as much as verifying with it, and there is one for all leaves of a tree.
  const keys = new Map<string, TreeKey>()

  function keyOf(tree: TreeRecord): TreeKey {
    const known = keys.get(tree.treeId)
    if (known !== undefined) return known
    const read = {
      key: publicKeyOf(tree),
      logId: logIdOf(tree.publicKey),
      verifyCheckpoint: createCheckpointCheck(tree)
    }
    keys.set(tree.treeId, read)
    return read
  }

  return {
    verifyCheckpoint: async (tree, { note }) => {
      await keyOf(tree).verifyCheckpoint(note)
    },
    verifyPromise: (tree, leaf) => {
      const { leafValue, integratedTimeSeconds, inclusionPromise, leafIndex } = leaf
      const { key, logId } = keyOf(tree)
      const logIndex = tree.offset + leafIndex
      return verifySet(key, { leafValue, integratedTimeSeconds, logId, logIndex }, inclusionPromise)
    },
    deriveFromLeaf: async ({ treeId }, { leafIndex, leafValue }, { extraData }) => {
      if (extraData !== undefined) {
        const problem = `leaf ${leafIndex} of tree ${treeId} has extra data, and Rekor keeps none`
        throw badThing('extraData', { treeId, index: leafIndex }, problem)
      }
      const body = parseJson(leafValue)
      if (
        !isJsonObject(body) ||
        typeof body.kind !== 'string' ||
        typeof body.apiVersion !== 'string'
      ) {
        throw new LogError('invalid_request', 'the body is not an entry')
      }
      const entryType = findEntryType(body.kind, body.apiVersion)
      return {
        searchKeys: await entryType.storedSearchKeys(body.spec),
        attestationKey: entryType.attestationKey(body.spec)
      }
    }
  }
}
