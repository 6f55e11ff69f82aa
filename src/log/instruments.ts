import type { LogStore } from '../store/log-store.js'
import type { AddedLeaf, NewLeaf, TransparencyLog } from './contract.js'

/** What the two durable steps of a batch took. */
export interface StepTimes {
  onCommit(seconds: number): void
  onPublish(seconds: number): void
}

/**
 * The same store with a stopwatch around its two writes.
 * @param monotonicMs milliseconds that only ever grow
 */
export function timeWrites(store: LogStore, times: StepTimes, monotonicMs: () => number): LogStore {
  async function timed<T>(action: () => Promise<T>, tell: (seconds: number) => void): Promise<T> {
    const startedMs = monotonicMs()
    const result = await action()
    tell((monotonicMs() - startedMs) / 1000)
    return result
  }
  return {
    ...store,
    append: (batch, integrate) => timed(() => store.append(batch, integrate), times.onCommit),
    publish: (expected, next, promises) =>
      timed(() => store.publish(expected, next, promises), times.onPublish)
  }
}

export interface CountedLog {
  readonly log: TransparencyLog
  /** Leaves that were handed in and are not published yet. */
  readonly waiting: () => { readonly leaves: number; readonly bytes: number }
}

/** The same log, counting what waits in it. */
export function countWaiting(inner: TransparencyLog): CountedLog {
  let leaves = 0
  let bytes = 0

  async function add(leaf: NewLeaf): Promise<AddedLeaf> {
    const size = leaf.leafValue.length + (leaf.attestation?.value.length ?? 0)
    leaves++
    bytes += size
    try {
      return await inner.add(leaf)
    } finally {
      leaves--
      bytes -= size
    }
  }

  return {
    log: {
      record: inner.record,
      store: inner.store,
      add,
      checkpoint: () => inner.checkpoint(),
      get freshTimeMs() {
        return inner.freshTimeMs
      },
      get failure() {
        return inner.failure
      },
      close: () => inner.close()
    },
    waiting: () => ({ leaves, bytes })
  }
}
