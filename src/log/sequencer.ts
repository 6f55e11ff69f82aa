import { LogError, isLogError } from '../errors.js'
import { integrateFast } from '../store/integrate-fast.js'
import type { Appended, Checkpoint, LogStore, TreeRecord } from '../store/log-store.js'
import type { AddedLeaf, BatchLimits, LogSigning, NewLeaf, TransparencyLog } from './contract.js'
import { nextLeafTime } from './leaf-time.js'
import { LeafQueue } from './leaf-queue.js'
import { type Promises, Publisher } from './publisher.js'
import { type LogIdentity, assertCheckpointOf, assertSameLog } from './same-log.js'

/** What the log tells its owner, for metrics and messages. Must not throw. */
export type LogEvent =
  | {
      readonly type: 'published'
      /** Leaves of the batch that were new, and that were there already. */
      readonly leaves: number
      readonly duplicates: number
      readonly treeSize: number
      readonly durationMs: number
    }
  | { readonly type: 'failed'; readonly leaves: number; readonly error: unknown }
  | { readonly type: 'stopped'; readonly error: LogError }

export interface TransparencyLogOptions {
  readonly store: LogStore
  readonly signing: LogSigning
  /** What configuration and key file say that this log is. */
  readonly identity: LogIdentity
  /** Checks the signature on a checkpoint of this tree. @throws when it is not good */
  readonly verifyCheckpoint: (note: string) => Promise<void>
  readonly limits: BatchLimits
  /** The clock, milliseconds since the epoch. */
  readonly now: () => number
  /** How often an idle log proves that it works. */
  readonly heartbeatMs: number
  readonly onEvent?: (event: LogEvent) => void
}

/**
 * Opens the log of one tree for writing: checks that it is the log we think it is and that the stored state is whole,
 * then publishes what an earlier process committed but did not publish (for a new tree: its empty head).
 *
 * @throws LogError `log_frozen`; as assertSameLog; `integrity` when tiles, leaves and published checkpoint contradict
 *   each other; what the signer throws
 */
export async function openTransparencyLog(
  options: TransparencyLogOptions
): Promise<TransparencyLog> {
  const { store, identity, signing } = options
  const record = await store.record()
  if (record.state === 'frozen') {
    throw new LogError('log_frozen', `tree ${record.treeId} takes no more entries`)
  }
  const head = await store.treeHead()
  assertSameLog(record, identity, head, await store.checkpoint())
  const publisher = new Publisher({
    store,
    signing,
    verifyCheckpoint: async (checkpoint) => {
      assertCheckpointOf(record, checkpoint)
      await options.verifyCheckpoint(checkpoint.note)
    }
  })
  await publisher.load()
  await publisher.publishCommitted()
  return new Sequencer(options, record, publisher, await lastLeafTime(store))
}

/** What somebody is told who comes while the log is being closed. */
export function isStopping(): LogError {
  return new LogError('overloaded', 'the server is stopping', { details: { retryAfterSeconds: 1 } })
}

/** What somebody is told who comes after the log has failed. */
export function hasStopped(failure: Error): LogError {
  const code = isLogError(failure, 'integrity') ? 'integrity' : 'internal'
  return new LogError(code, `the log has stopped: ${failure.message}`, { cause: failure })
}

async function lastLeafTime(store: LogStore): Promise<number | undefined> {
  const { treeSize } = await store.treeHead()
  return treeSize === 0 ? undefined : (await store.leaf(treeSize - 1))?.integratedTimeSeconds
}

/**
 * Writes one batch after the other, or, idle, proves that it could. Once the publication of a batch is on its way to the
 * disk the next batch may be on its way as well (one wait for the disk may do for both), but nothing of it is read or
 * signed before the first is published, and no third begins.
 */
class Sequencer implements TransparencyLog {
  readonly record: TreeRecord
  readonly store: LogStore
  readonly #publisher: Publisher
  readonly #limits: BatchLimits
  readonly #now: () => number
  readonly #onEvent: (event: LogEvent) => void
  readonly #queue: LeafQueue

  /** A batch is before its publication, or a proof is being made: no other begins. */
  #busy = false
  /** Batches that are neither published nor have failed: two at most, of which the first is being published. */
  #underWay = 0
  /** Resolves when the batch that was begun last is published or has failed. */
  #lastBatch = Promise.resolve()
  /** The head may be ahead of the checkpoint, or the last write failed: prove or repair before the next batch. */
  #unsettled = false
  #lastLeafTime: number | undefined
  #lastBatchMs = 0
  #freshTimeMs: number
  #failure: LogError | undefined

  /** Runs from the first leaf that arrives while a batch is being written: that leaf's patience. */
  #ageTimer: NodeJS.Timeout | undefined
  readonly #heartbeat: NodeJS.Timeout
  /** Set by `close`: told when the queue is empty and the loop rests. */
  #onDrained: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(
    { store, limits, now, heartbeatMs, onEvent = () => undefined }: TransparencyLogOptions,
    record: TreeRecord,
    publisher: Publisher,
    lastLeafTime: number | undefined
  ) {
    this.store = store
    this.record = record
    this.#publisher = publisher
    this.#limits = limits
    this.#now = now
    this.#onEvent = onEvent
    this.#queue = new LeafQueue(limits)
    this.#lastLeafTime = lastLeafTime
    this.#freshTimeMs = now()
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs)
    this.#heartbeat.unref() // whoever forgets to close should still be able to exit
  }

  get freshTimeMs(): number {
    return this.#freshTimeMs
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  checkpoint(): Checkpoint {
    const published = this.#publisher.published
    if (published === undefined) throw new LogError('internal', 'opened without a checkpoint')
    return published
  }

  add(leaf: NewLeaf): Promise<AddedLeaf> {
    return new Promise((resolve, reject) => {
      this.#assertAccepting()
      this.#queue.push({ leaf, resolve, reject }, this.#retryAfterSeconds())
      this.#wake()
    })
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#onDrained = resolve
      clearInterval(this.#heartbeat)
      this.#startNow()
    })
    return this.#closed
  }

  #assertAccepting(): void {
    if (this.#failure !== undefined) throw hasStopped(this.#failure)
    if (this.#closed !== undefined) throw isStopping()
  }

  /** When a full queue will have room again, by how long the last batch took. */
  #retryAfterSeconds(): number {
    return Math.max(1, Math.ceil(this.#lastBatchMs / 1000))
  }

  /** A leaf has come. */
  #wake(): void {
    if (this.#queue.length >= this.#limits.maxLeaves) this.#startNow()
    else if (this.#busy || this.#underWay > 0) this.#startAgeTimer()
    else if (this.#ageTimer === undefined) this.#startNow() // idle: nobody to wait for
  }

  #startAgeTimer(): void {
    if (this.#ageTimer !== undefined) return
    this.#ageTimer = setTimeout(() => this.#startNow(), this.#limits.maxAgeMs)
  }

  /**
   * The batch that is gathering is closed: it starts as soon as nothing else is being done.
   * @param inThisTurn together with the publication that is being asked for now
   */
  #startNow(inThisTurn = false): void {
    clearTimeout(this.#ageTimer)
    this.#ageTimer = undefined
    if (this.#busy) return
    if (this.#queue.length === 0) {
      if (this.#underWay === 0) this.#onDrained?.()
      return
    }
    this.#busy = true
    // Else after this turn of the event loop, so that requests that were read together are written together.
    if (inThisTurn) this.#begin()
    else setImmediate(() => this.#begin())
  }

  #begin(): void {
    if (this.#failure !== undefined) {
      // The publication under way stopped the log after this batch was called, and refused all who wait.
      this.#busy = false
      this.#rest()
      return
    }
    const before = this.#underWay > 0 ? this.#lastBatch : undefined
    this.#underWay++
    this.#lastBatch = this.#runBatch(before)
  }

  /** @param before the batch that is being published meanwhile, if there is one */
  async #runBatch(before: Promise<void> | undefined): Promise<void> {
    const waiters = this.#queue.take(this.#limits.maxLeaves)
    if (this.#queue.length > 0) this.#startAgeTimer() // too many for one batch: their wait begins now
    const startedMs = performance.now()
    let isPublishing = false
    const onPublishing = (): void => {
      isPublishing = true
      this.#busy = false
      this.#startNext(true)
    }
    try {
      const leaves = waiters.map(({ leaf }) => leaf)
      const added = await this.#writeBatch(leaves, before, onPublishing)
      this.#lastBatchMs = performance.now() - startedMs
      waiters.forEach(({ resolve }, i) => resolve(added[i] as AddedLeaf)) // one for each leaf
      const duplicates = added.filter(({ duplicate }) => duplicate).length
      const { treeSize } = this.checkpoint().treeHead
      this.#onEvent({
        type: 'published',
        leaves: added.length - duplicates,
        duplicates,
        treeSize,
        durationMs: this.#lastBatchMs
      })
    } catch (err) {
      for (const { reject } of waiters) reject(err)
      await before // what it leaves is what is looked at
      this.#unsettled = true
      await this.#afterFailure(err, waiters.length)
    }
    this.#underWay--
    if (!isPublishing) this.#busy = false // else another batch may be what it says
    this.#rest()
  }

  /** Sequence, integrate, publish: see README.md in this folder. */
  async #writeBatch(
    leaves: readonly NewLeaf[],
    before: Promise<void> | undefined,
    onPublishing: () => void
  ): Promise<readonly AddedLeaf[]> {
    if (before === undefined && this.#unsettled) await this.#settle()
    const integratedTimeSeconds = nextLeafTime(this.#now(), this.#lastLeafTime)
    const pending = leaves.map((leaf) => ({ ...leaf, integratedTimeSeconds }))
    this.#unsettled = true
    const appended = await this.store.append(pending, integrateFast)
    const grew = appended.some(({ duplicate }) => !duplicate)
    if (grew) this.#lastLeafTime = integratedTimeSeconds
    await before
    // If that one failed, its leaves are committed or not; those that are, are published with ours, unless the log stopped.
    this.#unsettled = true
    if (this.#failure !== undefined) throw this.#failure
    // The end of the process here: leaves are durable and in the tree, but nobody was told. See Publisher.
    const promises = await this.#publisher.publishCommitted(onPublishing)
    this.#unsettled = false
    if (grew) this.#freshTimeMs = this.#now()
    return Promise.all(appended.map((leaf) => this.#answer(leaf, promises)))
  }

  async #answer(leaf: Appended, promises: Promises): Promise<AddedLeaf> {
    const inclusionPromise =
      promises.get(leaf.leafIndex) ?? (await this.store.leaf(leaf.leafIndex))?.inclusionPromise
    if (inclusionPromise === undefined) {
      throw new LogError('integrity', `leaf ${leaf.leafIndex} is published without a promise`, {
        details: { what: 'promise', treeId: this.record.treeId, index: leaf.leafIndex }
      })
    }
    return { ...leaf, inclusionPromise, checkpoint: this.checkpoint() }
  }

  /** A failed batch fails its own waiters. The log goes on if what is stored can be read and makes sense. */
  async #afterFailure(error: unknown, leaves: number): Promise<void> {
    this.#onEvent({ type: 'failed', leaves, error })
    if (isLogError(error, 'integrity')) return this.#stop(error)
    const writeFailure = this.store.writeFailure?.()
    if (writeFailure !== undefined) return this.#stop(writeFailure)
    try {
      await this.#publisher.load()
    } catch (err) {
      this.#stop(err)
    }
  }

  /** Proves a durable write and publishes what is left over, as at start. */
  async #settle(): Promise<void> {
    await this.store.append([], integrateFast)
    await this.#publisher.publishCommitted()
    this.#lastLeafTime = await lastLeafTime(this.store)
    this.#unsettled = false
  }

  #beat(): void {
    if (this.#busy || this.#underWay > 0) return // a batch proves as much
    if (this.#failure !== undefined) return // a stopped log proves nothing
    this.#busy = true
    void this.#prove().then(() => {
      this.#busy = false
      this.#rest()
    })
  }

  async #prove(): Promise<void> {
    try {
      const writeFailure = this.store.writeFailure?.()
      if (writeFailure !== undefined) throw writeFailure
      if (this.#unsettled) await this.#settle()
      nextLeafTime(this.#now(), this.#lastLeafTime) // a clock that is wrong would refuse every leaf
      await this.#publisher.load()
      await this.#publisher.publishCommitted()
      this.#freshTimeMs = this.#now()
    } catch (err) {
      await this.#afterFailure(err, 0)
    }
  }

  /** A batch or a proof is done. */
  #rest(): void {
    if (!this.#busy) this.#startNext()
  }

  /** On to what has gathered meanwhile, unless it waits for company. */
  #startNext(inThisTurn = false): void {
    const gathering = this.#ageTimer !== undefined
    const full = this.#queue.length >= this.#limits.maxLeaves
    if (!gathering || full || this.#closed !== undefined) this.#startNow(inThisTurn)
  }

  /** What is stored is unknown or wrong: nothing more is written or signed until somebody has looked. */
  #stop(err: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = isLogError(err)
      ? err
      : new LogError('internal', err instanceof Error ? err.message : String(err), { cause: err })
    clearInterval(this.#heartbeat)
    for (const { reject } of this.#queue.take(Number.MAX_SAFE_INTEGER)) reject(this.#failure)
    this.#onEvent({ type: 'stopped', error: this.#failure })
  }
}
