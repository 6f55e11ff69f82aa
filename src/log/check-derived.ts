import { encodeHex } from '../encoding/hex.js'
import { equalBytes } from '../encoding/bytes.js'
import { isLogError } from '../errors.js'
import type { Database, LogStore, TreeRecord } from '../store/log-store.js'
import { digestSearchKeys, hashSearchKey } from '../store/search-key.js'
import type { AuditedLeaf } from '../store/store-audit.js'
import { badThing, expectGood } from './check-error.js'
import type { DerivedFromLeaf, LeafChecks, PromisedLeaf } from './leaf-checks.js'
import type { LeafDigests } from './leaf-digests.js'

/**
 * How search keys that are derived from a leaf are looked for in the index. `now`: each by itself. `later`: where they are all
 * that the leaf is found by, they go into its digest, to be held against the rows when the index is read in its own order,
 * which is a hundred times faster; each by itself where the leaf is found by more.
 */
export type KeyLookUp = 'now' | 'later'

/** @returns how many of the leaves have a promise */
export async function checkPromises(
  tree: TreeRecord,
  leaves: readonly AuditedLeaf[],
  checks: LeafChecks
): Promise<number> {
  const promised = leaves.filter((leaf) => hasPromise(leaf))
  if (checks.verifyPromises !== undefined) {
    const problems = await checks.verifyPromises(tree, promised)
    const bad = problems.findIndex((problem) => problem !== undefined)
    const [leaf] = bad < 0 ? [] : promised.slice(bad)
    if (leaf === undefined) return promised.length
    await expectPromise(tree, leaf, () => {
      throw problems[bad] as Error // found above
    })
  }
  await allInOrder(
    promised.map((leaf) => expectPromise(tree, leaf, () => checks.verifyPromise(tree, leaf)))
  )
  return promised.length
}

function expectPromise(
  { treeId }: TreeRecord,
  { leafIndex }: PromisedLeaf,
  check: () => void | Promise<void>
): Promise<void> {
  const problem = `inclusion promise of leaf ${leafIndex} of tree ${treeId}`
  return expectGood('promise', { treeId, index: leafIndex }, problem, check)
}

function hasPromise(leaf: AuditedLeaf): leaf is AuditedLeaf & PromisedLeaf {
  return leaf.inclusionPromise !== undefined
}

/** @returns how many of the leaves are submissions */
export async function checkDerived(
  database: Database,
  tree: TreeRecord,
  leaves: readonly AuditedLeaf[],
  checks: LeafChecks,
  digests: LeafDigests,
  lookUp: KeyLookUp
): Promise<number> {
  const { treeId } = tree
  if (checks.deriveFromLeaf === undefined) {
    assertNoExtraData(treeId, leaves)
    for (const { leafIndex, searchDigest } of leaves) digests.xor(leafIndex, searchDigest)
    return 0
  }
  const store = database.logStore(treeId)
  const derived = await deriveAll(database, tree, leaves, checks)
  let submissions = 0
  for (const [i, leaf] of leaves.entries()) {
    const { searchKeys = [], keyHashes, attestationKey, submissionHash } = derived[i] ?? {}
    const { leafIndex, attestation, searchDigest } = leaf
    const hashes = keyHashes ?? searchKeys.map(hashSearchKey)
    if (lookUp === 'later' && equalBytes(digestSearchKeys(hashes), searchDigest)) {
      digests.setKnown(leafIndex)
      for (const keyHash of hashes) digests.xorSearchKey(leafIndex, keyHash)
    } else {
      digests.xor(leafIndex, searchDigest)
      await assertSearched(database, treeId, leafIndex, searchKeys, hashes)
    }
    if (submissionHash !== undefined) {
      await assertFound(store, leafIndex, submissionHash)
      submissions++
    }
    if (typeof attestation === 'object' && attestation.key !== attestationKey) {
      const problem =
        `leaf ${leafIndex} of tree ${treeId} points to the attestation ${attestation.key}, ` +
        `its own is ${attestationKey}`
      throw badThing('attestation', { treeId, index: leafIndex }, problem)
    }
  }
  return submissions
}

/** Most leaves have nothing beside them and are read at once: a promise for each would take longer than the rest. */
async function deriveAll(
  database: Database,
  tree: TreeRecord,
  leaves: readonly AuditedLeaf[],
  checks: LeafChecks
): Promise<readonly (DerivedFromLeaf | undefined)[]> {
  const { derivePlain } = checks
  const derived = leaves.map((leaf) =>
    leaf.attestation === undefined && leaf.extraData === undefined ? derivePlain?.(leaf) : undefined
  )
  const rest = leaves.filter((_, i) => derived[i] === undefined)
  if (rest.length === 0) return derived
  const others = await allInOrder(rest.map((leaf) => derive(database, tree, leaf, checks)))
  let next = 0
  return derived.map((known) => known ?? others[next++])
}

async function assertSearched(
  { audit }: Database,
  treeId: string,
  leafIndex: number,
  searchKeys: readonly string[],
  hashes: readonly Uint8Array[]
): Promise<void> {
  for (const [i, searchKey] of searchKeys.entries()) {
    const keyHash = hashes[i] ?? hashSearchKey(searchKey)
    if (await audit.hasSearchRow(treeId, leafIndex, keyHash)) continue
    const problem = `leaf ${leafIndex} of tree ${treeId} is not found by ${searchKey}`
    throw badThing('searchIndex', { treeId, index: leafIndex }, problem)
  }
}

function assertNoExtraData(treeId: string, leaves: readonly AuditedLeaf[]): void {
  const leaf = leaves.find(({ extraData }) => extraData !== undefined)
  if (leaf === undefined) return
  const problem = `leaf ${leaf.leafIndex} of tree ${treeId} has extra data, and this log keeps none`
  throw badThing('extraData', { treeId, index: leaf.leafIndex }, problem)
}

/** Whether the leaf is what its submission leads to: then it has its own row, since hashes are unique in a tree. */
async function assertFound(
  store: LogStore,
  leafIndex: number,
  submissionHash: Uint8Array
): Promise<void> {
  const { treeId } = store
  const found = await store.findSubmission(submissionHash)
  if (found === leafIndex) return
  const problem =
    `leaf ${leafIndex} of tree ${treeId} is not found by what is kept as submitted, ` +
    `${encodeHex(submissionHash)}` +
    (found === undefined ? '' : `, which leads to leaf ${found}`)
  throw badThing('submission', { treeId, index: leafIndex }, problem)
}

/** What the leaf should be found by; when that cannot be told, the leaf or what is kept with it is bad. */
async function derive(
  database: Database,
  tree: TreeRecord,
  leaf: AuditedLeaf,
  { deriveFromLeaf }: LeafChecks
): Promise<DerivedFromLeaf | undefined> {
  const { leafIndex, attestation, extraData } = leaf
  const { treeId } = tree
  const attestationKey = typeof attestation === 'object' ? attestation.key : undefined
  try {
    return await deriveFromLeaf?.(tree, leaf, {
      extraData,
      attestationKey,
      readAttestation: async () =>
        attestationKey === undefined ? undefined : database.attestation(attestationKey)
    })
  } catch (err) {
    if (isLogError(err, 'integrity')) throw err
    const detail = err instanceof Error ? err.message : String(err)
    const problem = `leaf ${leafIndex} of tree ${treeId} is no entry of this log: ${detail}`
    throw badThing('leaf', { treeId, index: leafIndex }, problem, err)
  }
}

/** Waits for all, then throws what the first one in order threw. */
async function allInOrder<T>(all: readonly Promise<T>[]): Promise<readonly T[]> {
  return (await Promise.allSettled(all)).map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
