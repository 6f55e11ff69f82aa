import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import type { LogError } from '../errors.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { sha256 } from '../store/sha256.js'
import type { AuditedPlace } from '../store/store-audit.js'
import { badThing } from './check-error.js'
import { type LeafChecks, type TreeReport, checkTree } from './check-tree.js'
import { LeafDigests } from './leaf-digests.js'

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
  /** What is to be known of the leaves of each log. */
  readonly checks: Readonly<Record<TreeRecord['log'], LeafChecks>>
  /** Opened for reading, or one that nobody writes to meanwhile. */
  readonly database: Database
  readonly onProgress?: (progress: CheckProgress) => void
}

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
 * and offsets, both indexes, submissions, attestations, and the engine's own files. Memory stays flat but for 8 bytes a leaf.
 *
 * What it cannot see: that the whole directory was replaced by an older or another one that is whole in itself.
 * Compare the checkpoint with one kept elsewhere.
 *
 * @throws LogError `integrity` about the first bad thing: `details.what` says which kind of thing (CheckedThing),
 *   `treeId`, `index` and `level` where it is
 */
export async function checkLog(options: CheckLogOptions): Promise<CheckReport> {
  const { database, checks, onProgress = () => undefined } = options
  const { audit } = database

  onProgress({ phase: 'storage', done: 0, total: undefined })
  const problem = [...(await audit.engineProblems()), ...(await audit.strayTrees())][0]
  if (problem !== undefined) {
    throw badThing('storage', {}, `the database is damaged: ${problem}`)
  }

  const trees = (await Promise.all(LOGS.map((log) => database.trees(log)))).flat()
  const sizes = await Promise.all(
    trees.map(async ({ treeId }) => (await database.logStore(treeId).treeHead()).treeSize)
  )
  const totalLeaves = sizes.reduce((sum, size) => sum + size, 0)
  checkOrder(trees, sizes)

  const digests = new Map<string, LeafDigests>()
  const reports: TreeReport[] = []
  let leavesBefore = 0
  for (const [i, tree] of trees.entries()) {
    const treeDigests = new LeafDigests(sizes[i] ?? 0)
    digests.set(tree.treeId, treeDigests)
    const report = await checkTree(database, tree, checks[tree.log], treeDigests, (done) =>
      onProgress({ phase: 'leaves', done: leavesBefore + done, total: totalLeaves })
    )
    checkFrozen(tree, report)
    leavesBefore += report.treeSize
    reports.push(report)
  }

  const place = (what: keyof typeof TABLES) => {
    return ({ treeId, leafIndex }: AuditedPlace): LeafDigests => {
      const tree = trees.findIndex((candidate) => candidate.treeId === treeId)
      const found = treeId === undefined ? undefined : digests.get(treeId)
      if (found === undefined || leafIndex >= (sizes[tree] ?? 0)) {
        const problem = `a row of the ${TABLES[what]} points to leaf ${leafIndex} of tree ${treeId}, which is not there`
        throw badThing(
          what,
          { ...(treeId === undefined ? {} : { treeId }), index: leafIndex },
          problem
        )
      }
      return found
    }
  }

  let leafHashes = 0
  const placeOfHash = place('leafHashIndex')
  for await (const page of audit.leafHashes()) {
    for (const row of page) placeOfHash(row).xor(row.leafIndex, row.leafHash)
    leafHashes += page.length
    onProgress({ phase: 'leafHashIndex', done: leafHashes, total: totalLeaves })
  }
  let submissions = 0
  const placeOfSubmission = place('submission')
  const rowsOfTree = new Map<string | undefined, number>()
  for await (const page of audit.submissions()) {
    for (const row of page) {
      placeOfSubmission(row)
      rowsOfTree.set(row.treeId, (rowsOfTree.get(row.treeId) ?? 0) + 1)
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
  const placeOfKey = place('searchIndex')
  for await (const page of audit.searchRows()) {
    for (const row of page) placeOfKey(row).xor(row.leafIndex, row.keyHash)
    searchRows += page.length
    onProgress({ phase: 'searchIndex', done: searchRows, total: undefined })
  }
  for (const [treeId, treeDigests] of digests) await assertIndexed(database, treeId, treeDigests)

  const attestations = await checkAttestations(options)
  return { trees: reports, submissions, searchRows, attestations }
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

/** What the tables are called in messages. */
const TABLES = {
  leafHashIndex: 'leaf hash index',
  submission: 'table of submissions',
  searchIndex: 'search index'
} as const

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
async function assertIndexed(
  database: Database,
  treeId: string,
  digests: LeafDigests
): Promise<void> {
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
