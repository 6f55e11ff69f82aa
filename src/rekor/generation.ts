import { LogError } from '../errors.js'
import type { TransparencyLog } from '../log/contract.js'
import type { TreeRecord } from '../store/log-store.js'
import { createLoggedCheck, type LoggedLeaf } from './assert-logged.js'
import type { TreeView } from './tree-view.js'

/** The Rekor log between two rotations: which trees there are, and what writes the last of them. */
export interface RekorGeneration {
  /** Oldest first. */
  readonly trees: readonly TreeView[]
  readonly records: readonly TreeRecord[]
  /** The one that `log` writes. */
  readonly active: TreeView
  readonly inactive: readonly TreeView[]
  readonly log: TransparencyLog
  find(treeId: string): TreeView | undefined
  /** @throws LogError `integrity` when a new leaf is not logged as clients will be told */
  assertLogged(logged: LoggedLeaf): Promise<void>
}

/** @throws LogError `internal` without trees */
export function createRekorGeneration(
  trees: readonly TreeView[],
  log: TransparencyLog
): RekorGeneration {
  const active = trees.at(-1)
  if (active === undefined) throw new LogError('internal', 'a log without trees')
  const byId = new Map(trees.map((tree) => [tree.record.treeId, tree]))
  return {
    trees,
    records: trees.map(({ record }) => record),
    active,
    inactive: trees.slice(0, -1),
    log,
    find: (treeId) => byId.get(treeId),
    assertLogged: createLoggedCheck(active)
  }
}
