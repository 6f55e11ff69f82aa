import { LogError } from '../errors.js'
import type { AddedLeaf, NewLeaf } from './contract.js'

/** Somebody waiting for a leaf to be published. */
export interface Waiter {
  readonly leaf: NewLeaf
  resolve(added: AddedLeaf): void
  reject(error: unknown): void
}

/** What may wait. */
export interface QueueLimits {
  readonly maxQueuedLeaves: number
  /** Of leaf values, attestations and extra data. A single larger leaf is still taken when nothing else waits. */
  readonly maxQueuedBytes: number
}

/** Leaves waiting for their batch, first come first served. */
export class LeafQueue {
  readonly #limits: QueueLimits
  #waiters: Waiter[] = []
  #bytes = 0

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get length(): number {
    return this.#waiters.length
  }

  /** @throws LogError `overloaded` when full; `retryAfterSeconds` is passed on in its details */
  push(waiter: Waiter, retryAfterSeconds: number): void {
    const bytes = bytesOf(waiter.leaf)
    const full =
      this.#waiters.length >= this.#limits.maxQueuedLeaves ||
      (this.#waiters.length > 0 && this.#bytes + bytes > this.#limits.maxQueuedBytes)
    if (full) {
      throw new LogError('overloaded', `${this.#waiters.length} entries are waiting already`, {
        details: { retryAfterSeconds }
      })
    }
    this.#waiters.push(waiter)
    this.#bytes += bytes
  }

  /** Takes out the first `maxLeaves`, or as many as there are. */
  take(maxLeaves: number): readonly Waiter[] {
    const taken = this.#waiters.slice(0, maxLeaves)
    this.#waiters = this.#waiters.slice(maxLeaves)
    for (const { leaf } of taken) this.#bytes -= bytesOf(leaf)
    return taken
  }
}

function bytesOf({ leafValue, attestation, extraData }: NewLeaf): number {
  return leafValue.length + (attestation?.value.length ?? 0) + (extraData?.length ?? 0)
}
