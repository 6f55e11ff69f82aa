import type { Database } from '../store/log-store.js'
import type { HashRange } from '../store/store-audit.js'
import { type IndexedTree, type IndexName, checkIndex } from './check-index.js'
import { type CheckedRange, type LeafRange, checkLeaves } from './check-leaves.js'
import type { LeafDigests } from './leaf-digests.js'
import type { LeafChecksOfLogs } from './leaf-checks.js'

/** Does the parts of a check that take long: here, or each on some other thread that reads the same snapshot. */
export interface CheckRunner {
  /** How many parts are worth having under way at once. */
  readonly lanes: number
  /** Problems that the engine finds in its own files. */
  engineProblems(): Promise<readonly string[]>
  /** As checkLeaves. */
  checkLeaves(
    range: LeafRange,
    digests: LeafDigests,
    onLeaves: (more: number) => void
  ): Promise<CheckedRange>
  /** As checkIndex. */
  checkIndex(
    index: IndexName,
    range: HashRange,
    trees: readonly IndexedTree[],
    onRows: (more: number) => void
  ): Promise<number>
}

/** Everything on this thread, one part after the other. */
export function createLocalRunner(database: Database, checks: LeafChecksOfLogs): CheckRunner {
  return {
    lanes: 1,
    engineProblems: () => database.audit.engineProblems(),
    checkLeaves: (range, digests, onLeaves) =>
      checkLeaves(database, range, checks[range.tree.log], digests, onLeaves),
    checkIndex: (index, range, trees, onRows) => checkIndex(database, index, range, trees, onRows)
  }
}
