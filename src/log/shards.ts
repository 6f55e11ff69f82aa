import { LogError } from '../errors.js'
import type { TreeRecord } from '../store/log-store.js'

/** The trees of one log, oldest first: what numbers their leaves through. Only the last one grows. */
export type Shards = readonly Pick<TreeRecord, 'treeId' | 'offset'>[]

/** A leaf by its tree. */
export interface LeafPlace {
  readonly treeId: string
  /** 0-based, within that tree. */
  readonly leafIndex: number
}

/**
 * Which leaf of which tree a log index means. Whatever lies beyond the closed shards belongs to the active one, which
 * may not have grown that far (yet).
 *
 * @param logIndex 0-based, over all shards
 * @throws LogError `invalid_request` for a log without trees, or when `logIndex` is not an index
 * @see rekor-v1 §3.3
 */
export function locateLogIndex(shards: Shards, logIndex: number): LeafPlace {
  if (!Number.isSafeInteger(logIndex) || logIndex < 0) {
    throw new LogError('invalid_request', `${logIndex} is not a log index`)
  }
  // The last one that begins at or before the index: of shards with the same offset all but the last are empty.
  const shard = shards.findLast(({ offset }) => offset <= logIndex)
  if (shard === undefined) throw new LogError('invalid_request', 'the log has no trees')
  return { treeId: shard.treeId, leafIndex: logIndex - shard.offset }
}

/** Log index of a leaf. @throws LogError `not_found` for a tree that is not of this log */
export function logIndexOf(shards: Shards, { treeId, leafIndex }: LeafPlace): number {
  return findShard(shards, treeId).offset + leafIndex
}

/** @throws LogError `not_found` for a tree that is not of this log */
export function findShard<S extends Pick<TreeRecord, 'treeId'>>(
  shards: readonly S[],
  treeId: string
): S {
  const shard = shards.find((candidate) => candidate.treeId === treeId)
  if (shard === undefined) throw new LogError('not_found', `the log has no tree ${treeId}`)
  return shard
}

/** Leaves of the whole log. @param activeSize leaves of the last tree */
export function totalSize(shards: Shards, activeSize: number): number {
  return (shards.at(-1)?.offset ?? 0) + activeSize
}
