import type { ErrorCode } from '../errors.js'
import { checkIndex, type IndexName } from '../log/check-index.js'
import { type CheckedRange, checkLeaves, type LeafRange } from '../log/check-leaves.js'
import type { LeafChecksOfLogs } from '../log/leaf-checks.js'
import { type DigestMemory, LeafDigests } from '../log/leaf-digests.js'
import type { Database } from '../store/log-store.js'
import type { HashRange } from '../store/store-audit.js'

/** What a thread of the check is asked for: plain data, and memory that all share. */
export type CheckTask =
  | { readonly type: 'snapshot' }
  | { readonly type: 'engine' }
  | { readonly type: 'leaves'; readonly range: LeafRange; readonly digests: DigestMemory }
  | {
      readonly type: 'index'
      readonly index: IndexName
      readonly range: HashRange
      readonly trees: readonly {
        readonly treeId: string
        readonly treeSize: number
        readonly digests: DigestMemory
      }[]
    }

/** Answers, by the type of the task. */
export interface CheckOutcomes {
  /** See StoreAudit.takeSnapshot. */
  readonly snapshot: string
  /** Problems. */
  readonly engine: readonly string[]
  readonly leaves: CheckedRange
  /** Rows. */
  readonly index: number
}

export interface CheckRequestMessage {
  readonly id: number
  readonly task: CheckTask
}

/** An error crosses as its parts: a structured clone of a LogError is a bare Error. */
export type CheckResponseMessage =
  | { readonly id: number; readonly more: number }
  | { readonly id: number; readonly outcome: CheckOutcomes[keyof CheckOutcomes] }
  | {
      readonly id: number
      readonly code: ErrorCode
      readonly message: string
      readonly details: Readonly<Record<string, string | number>>
    }

/** @param onMore is told how many leaves or rows more are done */
export function runCheckTask(
  database: Database,
  checks: LeafChecksOfLogs,
  task: CheckTask,
  onMore: (more: number) => void
): Promise<CheckOutcomes[keyof CheckOutcomes]> {
  switch (task.type) {
    case 'snapshot':
      return database.audit.takeSnapshot()
    case 'engine':
      return database.audit.engineProblems()
    case 'leaves': {
      const digests = new LeafDigests(task.digests)
      return checkLeaves(database, task.range, checks[task.range.tree.log], digests, onMore)
    }
    case 'index': {
      const trees = task.trees.map(({ treeId, treeSize, digests }) => {
        return { treeId, treeSize, digests: new LeafDigests(digests) }
      })
      return checkIndex(database, task.index, task.range, trees, onMore)
    }
  }
}
