import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { type LogError, isLogError } from '../errors.js'
import { HASH_BYTES, hashLeaf } from '../merkle/hash.js'
import { TILE_WIDTH } from '../merkle/tiles.js'
import type { TreeHead } from '../merkle/tree.js'
import type { Checkpoint, Database, LogStore, StoredLeaf, TreeRecord } from '../store/log-store.js'
import { hashSearchKey } from '../store/search-key.js'
import { sha256 } from '../store/sha256.js'
import type { AuditedLeaf } from '../store/store-audit.js'
import { CheckpointChecker } from './check-checkpoints.js'
import { badThing, expectGood } from './check-error.js'
import { TileChecker, checkTileList } from './check-tiles.js'
import type { LeafDigests } from './leaf-digests.js'
import { RightEdge } from './right-edge.js'

/** A leaf with the promise made for it. */
export type PromisedLeaf = StoredLeaf & { readonly inclusionPromise: Uint8Array }

/** What can be derived again from a leaf alone. */
export interface DerivedFromLeaf {
  /** Search keys that must be in the index; it may hold more. */
  readonly searchKeys: readonly string[]
  /** Key an attestation of this leaf would have. */
  readonly attestationKey: string | undefined
  /** What the leaf is found by as a submission, 32 bytes; absent: by nothing, so there must be no row. */
  readonly submissionHash?: Uint8Array
}

/** Cryptography and meaning, which the log itself knows nothing of. Each throws when something is not good. */
export interface LeafChecks {
  verifyCheckpoint(tree: TreeRecord, checkpoint: Checkpoint): void | Promise<void>
  verifyPromise(tree: TreeRecord, leaf: PromisedLeaf): void | Promise<void>
  /**
   * Absent: the index is only held against the digest that is kept with each leaf, and there must be no submissions and
   * no extra data.
   * @param sideData as it is stored; what is wrong with it, also that there is any, is told by throwing
   */
  deriveFromLeaf?(
    tree: TreeRecord,
    leaf: StoredLeaf,
    sideData: CheckedSideData
  ): DerivedFromLeaf | Promise<DerivedFromLeaf>
}

/** What is kept with a leaf, for the check of its meaning. */
export interface CheckedSideData {
  readonly extraData: Uint8Array | undefined
  readonly attestationKey: string | undefined
  /** Value of the attestation; its key was or will be held against its hash. Undefined where there is none. */
  readAttestation(): Promise<Uint8Array | undefined>
}

/** What a tree was found to hold. */
export interface TreeReport {
  readonly treeId: string
  readonly log: TreeRecord['log']
  readonly treeSize: number
  /** Undefined when nothing was ever published. */
  readonly publishedSize: number | undefined
  readonly checkpoints: number
  readonly tiles: number
  readonly promises: number
  /** Leaves that are found as submissions, each by a row that leads to it. */
  readonly submissions: number
}

/**
 * Recomputes one tree from its stored leaf bytes, in one pass over the leaves, and compares everything that is stored
 * about it: leaf hashes, times, tiles, every checkpoint at its size, promises, head, and what is kept with leaves.
 *
 * @param digests gets what the index tables must hold about each leaf; as large as the tree
 * @param onLeaves is told how many leaves are done
 * @throws LogError `integrity` about the first bad thing
 */
export async function checkTree(
  database: Database,
  tree: TreeRecord,
  checks: LeafChecks,
  digests: LeafDigests,
  onLeaves: (done: number) => void
): Promise<TreeReport> {
  const { treeId } = tree
  const { audit } = database
  const store = database.logStore(treeId)
  const head = await store.treeHead()
  const publishedSize = (await store.checkpoint())?.treeHead.treeSize
  const edge = new RightEdge()
  const tiles = new TileChecker(store)
  const checkpoints = new CheckpointChecker(store, tree, (checkpoint) =>
    checks.verifyCheckpoint(tree, checkpoint)
  )
  let lastTime = Number.NEGATIVE_INFINITY
  let promises = 0
  let submissions = 0
  let extraData = 0

  await checkpoints.compareAt(edge)
  for await (const page of audit.leaves(treeId)) {
    // Everything that is cheap in order of leaves; then signatures, of all leaves before the first finding.
    const good: AuditedLeaf[] = []
    let finding: LogError | undefined
    try {
      for (const leaf of page) {
        checkLeaf(treeId, leaf, edge.treeSize, head, lastTime)
        await assertHash(store, leaf)
        checkPromiseIsThere(treeId, leaf, publishedSize ?? 0)
        lastTime = leaf.integratedTimeSeconds
        good.push(leaf)
        edge.push(leaf.leafHash, (height, hash) => tiles.addNode(height, hash))
        digests.xor(leaf.leafIndex, leaf.leafHash)
        digests.xor(leaf.leafIndex, leaf.searchDigest)
        if (edge.treeSize % TILE_WIDTH === 0) await tiles.compareFull()
        await checkpoints.compareAt(edge)
      }
    } catch (err) {
      if (!isLogError(err)) throw err
      finding = err
    }
    promises += await checkPromises(tree, good, checks)
    submissions += await checkDerived(database, tree, good, checks)
    extraData += good.filter((leaf) => leaf.extraData !== undefined).length
    if (finding !== undefined) throw finding
    onLeaves(edge.treeSize)
  }
  assertHead(treeId, edge, head)
  await checkpoints.assertNoneLeft()
  await tiles.compareRest()
  const tileCount = await checkTileList(audit, treeId, head.treeSize)
  const storedPromises = await audit.promiseCount(treeId)
  if (storedPromises !== promises) {
    throw badThing(
      'promise',
      { treeId },
      `tree ${treeId} has ${storedPromises} inclusion promises for ${promises} leaves`
    )
  }
  const storedExtraData = await audit.extraDataCount(treeId)
  if (storedExtraData !== extraData) {
    throw badThing(
      'extraData',
      { treeId },
      `tree ${treeId} has ${storedExtraData} rows of extra data for ${extraData} leaves`
    )
  }
  return {
    treeId,
    log: tree.log,
    treeSize: head.treeSize,
    publishedSize,
    checkpoints: checkpoints.count,
    tiles: tileCount,
    promises,
    submissions
  }
}

function checkLeaf(
  treeId: string,
  { leafIndex, leafHash, integratedTimeSeconds, attestation }: AuditedLeaf,
  expectedIndex: number,
  { treeSize }: TreeHead,
  lastTime: number
): void {
  const place = { treeId, index: expectedIndex }
  if (leafIndex !== expectedIndex) {
    const problem = `leaf ${expectedIndex} of tree ${treeId} is missing, next is ${leafIndex}`
    throw badThing('leaf', place, problem)
  }
  if (leafIndex >= treeSize) {
    const problem = `leaf ${leafIndex} lies beyond the head of tree ${treeId} at size ${treeSize}`
    throw badThing('leaf', place, problem)
  }
  if (leafHash.length !== HASH_BYTES) {
    throw badThing(
      'leaf',
      place,
      `leaf hash ${leafIndex} of tree ${treeId} is not ${HASH_BYTES} bytes`
    )
  }
  if (!(integratedTimeSeconds >= lastTime)) {
    const problem =
      `leaf ${leafIndex} of tree ${treeId} has the time ${integratedTimeSeconds}, ` +
      `before the one in front of it (${lastTime})`
    throw badThing('leaf', place, problem)
  }
  if (attestation === 'missing') {
    const problem = `the attestation of leaf ${leafIndex} of tree ${treeId} is missing`
    throw badThing('attestation', place, problem)
  }
}

/** Whether the bytes hash to what is stored; if not, the tile says which of the two was changed. */
async function assertHash(store: LogStore, leaf: AuditedLeaf): Promise<void> {
  const computed = hashLeaf(leaf.leafValue, sha256)
  if (equalBytes(computed, leaf.leafHash)) return
  const tile = await store.tile(0, Math.floor(leaf.leafIndex / TILE_WIDTH))
  const offset = (leaf.leafIndex % TILE_WIDTH) * HASH_BYTES
  const inTile = tile?.subarray(offset, offset + HASH_BYTES) ?? new Uint8Array(0)
  const changed = equalBytes(inTile, computed)
    ? 'its leaf hash was changed'
    : equalBytes(inTile, leaf.leafHash)
      ? 'its bytes were changed'
      : 'the tile agrees with neither'
  throw badThing(
    'leaf',
    { treeId: store.treeId, index: leaf.leafIndex },
    `leaf ${leaf.leafIndex} of tree ${store.treeId} hashes to ${encodeHex(computed)}, stored is ` +
      `${encodeHex(leaf.leafHash)}: ${changed}`
  )
}

/** Promises and the checkpoint that first commits to their leaves are stored together. */
function checkPromiseIsThere(treeId: string, leaf: AuditedLeaf, publishedSize: number): void {
  const published = leaf.leafIndex < publishedSize
  if (published === (leaf.inclusionPromise !== undefined)) return
  throw badThing(
    'promise',
    { treeId, index: leaf.leafIndex },
    published
      ? `leaf ${leaf.leafIndex} of tree ${treeId} is published without an inclusion promise`
      : `leaf ${leaf.leafIndex} of tree ${treeId} has an inclusion promise but is not published`
  )
}

/** @returns how many of the leaves have a promise */
async function checkPromises(
  tree: TreeRecord,
  leaves: readonly AuditedLeaf[],
  checks: LeafChecks
): Promise<number> {
  const promised = leaves.filter((leaf) => hasPromise(leaf))
  await allInOrder(
    promised.map((leaf) =>
      expectGood(
        'promise',
        { treeId: tree.treeId, index: leaf.leafIndex },
        `inclusion promise of leaf ${leaf.leafIndex} of tree ${tree.treeId}`,
        () => checks.verifyPromise(tree, leaf)
      )
    )
  )
  return promised.length
}

function hasPromise(leaf: AuditedLeaf): leaf is AuditedLeaf & PromisedLeaf {
  return leaf.inclusionPromise !== undefined
}

/** @returns how many of the leaves are submissions */
async function checkDerived(
  database: Database,
  tree: TreeRecord,
  leaves: readonly AuditedLeaf[],
  checks: LeafChecks
): Promise<number> {
  const { treeId } = tree
  if (checks.deriveFromLeaf === undefined) {
    assertNoExtraData(treeId, leaves)
    return 0
  }
  const store = database.logStore(treeId)
  const derived = await allInOrder(leaves.map((leaf) => derive(database, tree, leaf, checks)))
  let submissions = 0
  for (const [i, leaf] of leaves.entries()) {
    const { searchKeys = [], attestationKey, submissionHash } = derived[i] ?? {}
    const { leafIndex, attestation } = leaf
    for (const searchKey of searchKeys) {
      const keyHash = hashSearchKey(searchKey)
      if (!(await database.audit.hasSearchRow(treeId, leafIndex, keyHash))) {
        const problem = `leaf ${leafIndex} of tree ${treeId} is not found by ${searchKey}`
        throw badThing('searchIndex', { treeId, index: leafIndex }, problem)
      }
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

function assertHead(treeId: string, edge: RightEdge, head: TreeHead): void {
  if (edge.treeSize !== head.treeSize) {
    throw badThing(
      'leaf',
      { treeId, index: edge.treeSize },
      `leaf ${edge.treeSize} of tree ${treeId} is missing, the head is at size ${head.treeSize}`
    )
  }
  const rootHash = edge.rootHash()
  if (!equalBytes(rootHash, head.rootHash)) {
    throw badThing(
      'treeHead',
      { treeId, index: head.treeSize },
      `the head of tree ${treeId} has root ${encodeHex(head.rootHash)}, its entries give ${encodeHex(rootHash)}`
    )
  }
}
