import type { KeyObject } from 'node:crypto'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { findEntryType } from '../entries/registry.js'
import { LogError } from '../errors.js'
import { type NativeCheck, nativeCrypto } from '../keys/native-crypto.js'
import { parsePublicKey } from '../keys/public-key.js'
import { badThing } from '../log/check-error.js'
import type { LeafChecks, PromisedLeaf } from '../log/leaf-checks.js'
import type { EntryPromise } from '../note/signed-entry-timestamp.js'
import type { TreeRecord } from '../store/log-store.js'
import { createPlainDeriver } from './plain-leaf.js'
import { areSetsGood, verifySet } from './set.js'
import { createCheckpointCheck, publicKeyOf, type VerifyTreeCheckpoint } from './signing.js'
import { logIdOf } from './statement.js'

interface TreeKey {
  readonly key: KeyObject
  /** For checks of many signatures at once; undefined for a key of no kind that does so. */
  readonly batchKey: NativeCheck['key'] | undefined
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
      batchKey: batchKeyOf(tree),
      logId: logIdOf(tree.publicKey),
      verifyCheckpoint: createCheckpointCheck(tree)
    }
    keys.set(tree.treeId, read)
    return read
  }

  const derivePlain = createPlainDeriver()

  async function verifyOne(tree: TreeRecord, leaf: PromisedLeaf): Promise<void> {
    const { key, logId } = keyOf(tree)
    await verifySet(key, promiseOf(tree, leaf, logId), leaf.inclusionPromise)
  }

  return {
    verifyCheckpoint: async (tree, { note }) => {
      await keyOf(tree).verifyCheckpoint(note)
    },
    verifyPromise: verifyOne,
    verifyPromises: async (tree, leaves) => {
      const { batchKey, logId } = keyOf(tree)
      const native = nativeCrypto()
      const good =
        batchKey === undefined || native === undefined || leaves.length === 0
          ? []
          : await areSetsGood(
              native,
              batchKey,
              leaves.map((leaf) => {
                return { promise: promiseOf(tree, leaf, logId), signature: leaf.inclusionPromise }
              })
            )
      // Node has the last word on what is not good, and the only one where nothing is checked at once.
      const problems = new Map<number, Promise<Error | undefined>>()
      for (const [i, leaf] of leaves.entries()) {
        if (good[i] === true) continue
        problems.set(
          i,
          verifyOne(tree, leaf).then(() => undefined, asError)
        )
      }
      const found = new Array<Error | undefined>(leaves.length).fill(undefined)
      for (const [i, problem] of problems) found[i] = await problem
      return found
    },
    derivePlain: ({ leafValue }) => derivePlain(leafValue),
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

function promiseOf(
  { offset }: TreeRecord,
  { leafValue, integratedTimeSeconds, leafIndex }: PromisedLeaf,
  logId: Uint8Array
): EntryPromise {
  return { leafValue, integratedTimeSeconds, logId, logIndex: offset + leafIndex }
}

function batchKeyOf({ publicKey }: TreeRecord): NativeCheck['key'] | undefined {
  try {
    const key = parsePublicKey(publicKey)
    return key.type === 'ecdsa' && nativeCrypto()?.verifies(key) === true ? key : undefined
  } catch {
    return undefined // it is read once more for single checks, which say what is wrong with it
  }
}

function asError(err: unknown): Error {
  return err instanceof Error ? err : new Error(String(err))
}
