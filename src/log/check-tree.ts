import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import type { TreeHead } from '../merkle/tree.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { CheckpointChecker } from './check-checkpoints.js'
import type { KeyLookUp } from './check-derived.js'
import { badThing } from './check-error.js'
import type { CheckedRange, LeafRange } from './check-leaves.js'
import type { CheckRunner } from './check-runner.js'
import { TileChecker, checkTileList } from './check-tiles.js'
import type { LeafChecks } from './leaf-checks.js'
import type { LeafDigests } from './leaf-digests.js'
import { RightEdge } from './right-edge.js'
import { START_OF_TREE, type TreeWalk, guessWalk, isSameWalk } from './tree-walk.js'

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

/** One tree and how it is to be checked. */
export interface TreeCheck {
  readonly tree: TreeRecord
  readonly checks: LeafChecks
  readonly runner: CheckRunner
  /** Gets what the index tables must hold about each leaf; as large as the tree. */
  readonly digests: LeafDigests
  readonly lookUp: KeyLookUp
  /** Leaves that are checked in one go: whole tiles, and whole pages of the store. */
  readonly rangeLeaves: number
  /** Is told how many leaves more are done. */
  readonly onLeaves: (more: number) => void
}

/**
 * Recomputes one tree from its stored leaf bytes and compares everything that is stored about it: leaf hashes, times, tiles,
 * every checkpoint at its size, promises, head, and what is kept with leaves. Leaves are checked in ranges, several at once;
 * each begins with what the stored tiles say about the leaves before it, which is held against what those came to.
 *
 * @throws LogError `integrity` about the first bad thing
 */
export async function checkTree(database: Database, check: TreeCheck): Promise<TreeReport> {
  const { tree, checks } = check
  const { treeId } = tree
  const { audit } = database
  const store = database.logStore(treeId)
  const head = await store.treeHead()
  const publishedSize = (await store.checkpoint())?.treeHead.treeSize
  const checked = await checkRanges(database, check, head, publishedSize)

  const { walk, promises, extraData } = checked
  assertHead(treeId, new RightEdge(walk.treeSize, walk.range), head)
  await new CheckpointChecker(
    store,
    tree,
    (checkpoint) => checks.verifyCheckpoint(tree, checkpoint),
    walk.treeSize
  ).assertNoneLeft()
  await new TileChecker(store, walk.tiles).compareRest()
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
    checkpoints: checked.checkpoints,
    tiles: tileCount,
    promises,
    submissions: checked.submissions
  }
}

/** A range that is being checked ahead of its turn. */
interface Ahead {
  /** What it began with. */
  readonly guess: TreeWalk
  readonly checked: Promise<CheckedRange>
}

async function checkRanges(
  database: Database,
  { tree, runner, digests, lookUp, rangeLeaves, onLeaves }: TreeCheck,
  head: TreeHead,
  publishedSize: number | undefined
): Promise<CheckedRange> {
  const store = database.logStore(tree.treeId)
  const ranges = Math.max(1, Math.ceil(head.treeSize / rangeLeaves))
  const endOf = (range: number): number | undefined =>
    range === ranges - 1 ? undefined : (range + 1) * rangeLeaves

  const run = (walk: TreeWalk, range: number): Promise<CheckedRange> => {
    const end = endOf(range)
    const leaves: LeafRange = { tree, head, publishedSize, walk, end, lookUp }
    return runner.checkLeaves(leaves, digests, onLeaves)
  }

  const ahead = new Map<number, Ahead>()
  let started = 0
  const startAhead = async (upTo: number): Promise<void> => {
    for (; started <= Math.min(upTo, ranges - 1); started++) {
      const guess = started === 0 ? START_OF_TREE : await guessWalk(store, started * rangeLeaves)
      if (guess === undefined) continue
      const checked = run(guess, started)
      checked.catch(() => undefined) // looked at when it is its turn, if ever
      ahead.set(started, { guess, checked })
    }
  }

  let sum: CheckedRange = {
    walk: START_OF_TREE,
    checkpoints: 0,
    promises: 0,
    submissions: 0,
    extraData: 0
  }
  for (let range = 0; range < ranges; range++) {
    if (runner.lanes > 1) await startAhead(range + runner.lanes - 1)
    const known = ahead.get(range)
    ahead.delete(range)
    const isGuessRight = known !== undefined && isSameWalk(known.guess, sum.walk)
    if (known !== undefined && !isGuessRight) {
      await known.checked.catch(() => undefined) // it writes to the digests until it ends
      digests.clear(range * rangeLeaves, endOf(range) ?? head.treeSize)
    }
    const checked = isGuessRight ? await known.checked : await run(sum.walk, range)
    sum = {
      walk: checked.walk,
      checkpoints: sum.checkpoints + checked.checkpoints,
      promises: sum.promises + checked.promises,
      submissions: sum.submissions + checked.submissions,
      extraData: sum.extraData + checked.extraData
    }
  }
  return sum
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
