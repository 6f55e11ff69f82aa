import { randomBytes } from 'node:crypto'
import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { type LogError, isLogError } from '../errors.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { sha256 } from '../store/sha256.js'
import type { HashRange } from '../store/store-audit.js'
import type { KeyLookUp } from './check-derived.js'
import { badThing } from './check-error.js'
import { type IndexedTree, strayRow } from './check-index.js'
import { type CheckRunner, createLocalRunner } from './check-runner.js'
import { type TreeReport, checkTree } from './check-tree.js'
import type { LeafChecks, LeafChecksOfLogs } from './leaf-checks.js'
import { SECRET_BYTES, createLeafDigests } from './leaf-digests.js'

/** Every log there can be. */
const LOGS: readonly TreeRecord['log'][] = ['rekor', 'ct']

export type CheckPhase =
  'storage' | 'leaves' | 'leafHashIndex' | 'submissions' | 'searchIndex' | 'attestations'

export interface CheckProgress {
  readonly phase: CheckPhase
  /** Rows checked in this phase, over all trees. */
  readonly done: number
  /** Undefined where only the end will tell. */
  readonly total: number | undefined
}

export interface CheckLogOptions {
  readonly checks: LeafChecksOfLogs
  /** Opened for reading, or one that nobody writes to meanwhile. */
  readonly database: Database
  readonly onProgress?: (progress: CheckProgress) => void
  /** Without it everything is done on this thread. It must read the same snapshot. */
  readonly runner?: CheckRunner
  /** See RANGE_LEAVES, which it replaces. */
  readonly rangeLeaves?: number
}

/**
 * Leaves that are checked in one go: a second of work at most, so that no thread is left with much when the others are
 * done. A multiple of what the store gives at once, so that pages begin where they would without ranges.
 */
const RANGE_LEAVES = 16_384

/** What was found to be whole. */
export interface CheckReport {
  /** Oldest first, one log after the other. */
  readonly trees: readonly TreeReport[]
  readonly submissions: number
  readonly searchRows: number
  readonly attestations: number
}

/**
 * Checks everything a data directory holds against the bytes of its entries: every tree (see checkTree), their order
 * and offsets, both indexes, submissions, attestations, and the engine's own files. Memory stays flat but for 9 bytes a leaf.
 *
 * What it cannot see: that the whole directory was replaced by an older or another one that is whole in itself.
 * Compare the checkpoint with one kept elsewhere.
 *
 * @throws LogError `integrity` about the first bad thing: `details.what` says which kind of thing (CheckedThing),
 *   `treeId`, `index` and `level` where it is
 */
export async function checkLog(options: CheckLogOptions): Promise<CheckReport> {
  try {
    return await checkAll(options, 'later')
  } catch (err) {
    if (!isLogError(err, 'integrity')) throw err
    // Something is bad. Whether it is the first thing, only the slow way tells, which leaves nothing for later.
    await checkAll(options, 'now')
    throw err
  }
}

async function checkAll(options: CheckLogOptions, lookUp: KeyLookUp): Promise<CheckReport> {
  const { database, checks, onProgress = () => undefined } = options
  const { runner = createLocalRunner(database, checks), rangeLeaves = RANGE_LEAVES } = options
  const { audit } = database

  onProgress({ phase: 'storage', done: 0, total: undefined })
  const engine = checkEngine(options, runner)
  engine.catch(() => undefined) // looked at below
  if (lookUp === 'now' || runner.lanes === 1) await engine

  const trees = (await Promise.all(LOGS.map((log) => database.trees(log)))).flat()
  const sizes = await Promise.all(
    trees.map(async ({ treeId }) => (await database.logStore(treeId).treeHead()).treeSize)
  )
  const totalLeaves = sizes.reduce((sum, size) => sum + size, 0)
  checkOrder(trees, sizes)

  const secret = randomBytes(SECRET_BYTES)
  const indexed: IndexedTree[] = []
  const reports: TreeReport[] = []
  let leaves = 0
  for (const [i, tree] of trees.entries()) {
    const treeSize = sizes[i] ?? 0
    const digests = createLeafDigests(treeSize, secret)
    indexed.push({ treeId: tree.treeId, treeSize, digests })
    const report = await checkTree(database, {
      tree,
      checks: checks[tree.log],
      runner,
      digests,
      lookUp,
      rangeLeaves,
      onLeaves: (more) => {
        leaves += more
        onProgress({ phase: 'leaves', done: leaves, total: totalLeaves })
      }
    })
    checkFrozen(tree, report)
    reports.push(report)
  }
  await engine

  let leafHashes = 0
  await inParts(runner, (range) =>
    runner.checkIndex('leafHashIndex', range, indexed, (more) => {
      leafHashes += more
      onProgress({ phase: 'leafHashIndex', done: leafHashes, total: totalLeaves })
    })
  )
  let submissions = 0
  const rowsOfTree = new Map<string | undefined, number>()
  for await (const page of audit.submissions()) {
    for (const { treeId, leafIndex } of page) {
      const tree = indexed.find((candidate) => candidate.treeId === treeId)
      if (tree === undefined || leafIndex >= tree.treeSize) {
        throw strayRow('submission', treeId, leafIndex)
      }
      rowsOfTree.set(treeId, (rowsOfTree.get(treeId) ?? 0) + 1)
    }
    submissions += page.length
    onProgress({ phase: 'submissions', done: submissions, total: undefined })
  }
  for (const [i, tree] of trees.entries()) {
    const expected = reports[i]?.submissions ?? 0
    const rows = rowsOfTree.get(tree.treeId) ?? 0
    if (rows !== expected) throw await straySubmission(options, tree, rows, expected)
  }
  let searchRows = 0
  await inParts(runner, (range) =>
    runner.checkIndex('searchIndex', range, indexed, (more) => {
      searchRows += more
      onProgress({ phase: 'searchIndex', done: searchRows, total: undefined })
    })
  )
  for (const tree of indexed) await assertIndexed(database, tree)

  const attestations = await checkAttestations(options)
  return { trees: reports, submissions, searchRows, attestations }
}

async function checkEngine({ database }: CheckLogOptions, runner: CheckRunner): Promise<void> {
  const problems = [...(await runner.engineProblems()), ...(await database.audit.strayTrees())]
  const [problem] = problems
  if (problem !== undefined) {
    throw badThing('storage', {}, `the database is damaged: ${problem}`)
  }
}

/** First bytes that a hash can have. */
const FIRST_BYTES = 256

/** Cuts an index into parts by hash. Throws what the first bad one in order threw, when all have ended. */
async function inParts(
  { lanes }: CheckRunner,
  check: (range: HashRange) => Promise<number>
): Promise<void> {
  const parts = Array.from({ length: lanes }, (_, i) => {
    const first = Math.floor((i * FIRST_BYTES) / lanes)
    const last = Math.floor(((i + 1) * FIRST_BYTES) / lanes) - 1
    return check({ first, last })
  })
  for (const result of await Promise.allSettled(parts)) {
    if (result.status === 'rejected') throw result.reason
  }
}

/** Positions, offsets and states of the trees of each log. */
function checkOrder(trees: readonly TreeRecord[], sizes: readonly number[]): void {
  trees.forEach((tree, i) => {
    const { treeId, log, position, offset, state } = tree
    const before = trees[i - 1]?.log === log ? trees[i - 1] : undefined
    const last = trees[i + 1]?.log !== log
    const wantPosition = before === undefined ? 0 : before.position + 1
    const wantOffset = before === undefined ? 0 : before.offset + (sizes[i - 1] ?? 0)
    if (position !== wantPosition || offset !== wantOffset) {
      const problem =
        `tree ${treeId} is number ${position} with offset ${offset}, want number ${wantPosition} with offset ` +
        wantOffset
      throw badThing('tree', { treeId }, problem)
    }
    if (!last && state !== 'frozen') {
      throw badThing('tree', { treeId }, `tree ${treeId} has a successor and is not frozen`)
    }
  })
}

/** A tree that grows no more was published to its end. */
function checkFrozen({ treeId, state }: TreeRecord, { treeSize, publishedSize }: TreeReport): void {
  if (state === 'frozen' && treeSize !== publishedSize) {
    const problem = `tree ${treeId} was frozen at size ${treeSize}, published is ${publishedSize}`
    throw badThing('checkpoint', { treeId, index: treeSize }, problem)
  }
}

/** The row too many. Every leaf was found by its own, so it is one that no leaf asks for. */
async function straySubmission(
  { database, checks }: CheckLogOptions,
  tree: TreeRecord,
  rows: number,
  expected: number
): Promise<LogError> {
  const { treeId } = tree
  for await (const page of database.audit.submissions()) {
    for (const { leafIndex, submissionHash, ...row } of page) {
      if (row.treeId !== treeId) continue
      const own = await submissionHashOf(database, tree, leafIndex, checks[tree.log])
      if (own !== undefined && equalBytes(own, submissionHash)) continue
      const problem =
        `leaf ${leafIndex} of tree ${treeId} is found by the submission ${encodeHex(submissionHash)}, ` +
        'which is not its own'
      return badThing('submission', { treeId, index: leafIndex }, problem)
    }
  }
  const problem = `tree ${treeId} has ${rows} rows of submissions for ${expected} leaves`
  return badThing('submission', { treeId }, problem)
}

/** Derived once more, of a leaf that was checked. */
async function submissionHashOf(
  database: Database,
  tree: TreeRecord,
  leafIndex: number,
  { deriveFromLeaf }: LeafChecks
): Promise<Uint8Array | undefined> {
  const store = database.logStore(tree.treeId)
  const leaf = await store.leaf(leafIndex)
  const [side] = await store.sideData(leafIndex, leafIndex + 1)
  if (leaf === undefined) return undefined
  const derived = await deriveFromLeaf?.(tree, leaf, {
    extraData: side?.extraData,
    attestationKey: undefined,
    readAttestation: async () => side?.attestation
  })
  return derived?.submissionHash
}

/** Whether the index tables hold about each leaf what the leaf says; if not, which of the two tables. */
async function assertIndexed(database: Database, { treeId, digests }: IndexedTree): Promise<void> {
  const leafIndex = digests.firstDifference()
  if (leafIndex === undefined) return
  const store = database.logStore(treeId)
  const leaf = await store.leaf(leafIndex)
  const found = leaf === undefined ? undefined : await store.findLeaf(leaf.leafHash)
  const place = { treeId, index: leafIndex }
  throw found === leafIndex
    ? badThing(
        'searchIndex',
        place,
        `the search index does not hold what it should about leaf ${leafIndex} of tree ${treeId}: ` +
          'a row was changed, lost or added'
      )
    : badThing(
        'leafHashIndex',
        place,
        `leaf ${leafIndex} of tree ${treeId} is not found by its leaf hash`
      )
}

async function checkAttestations({
  database,
  onProgress = () => undefined
}: CheckLogOptions): Promise<number> {
  let done = 0
  for await (const page of database.audit.attestations()) {
    for (const { key, value } of page) {
      const want = `sha256:${encodeHex(sha256(value))}`
      if (key !== want) {
        const problem = `the attestation ${key} has the hash ${want}: key or bytes were changed`
        throw badThing('attestation', {}, problem)
      }
    }
    done += page.length
    onProgress({ phase: 'attestations', done, total: undefined })
  }
  return done
}
