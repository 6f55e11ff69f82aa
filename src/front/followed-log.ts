import { setImmediate } from 'node:timers/promises'
import { LogError } from '../errors.js'
import type { TransparencyLog } from '../log/contract.js'
import type { Succession } from '../log/succession.js'
import { createRekorGeneration, type RekorGeneration } from '../rekor/generation.js'
import type { RekorService } from '../rekor/service.js'
import { openTreeViews } from '../rekor/tree-views.js'
import type { Checkpoint, Database, LogStore } from '../store/log-store.js'
import type { Announcement, Published } from './announcement.js'
import { type MainThread, TreeMovedOn } from './main-thread.js'

export interface FollowedLogOptions {
  /** Shows what is committed. */
  readonly database: Pick<Database, 'trees' | 'logStore' | 'attestation'>
  readonly announcement: Pick<Announcement, 'read'>
  readonly mainThread: Pick<MainThread, 'add'>
  /** Whether entries are handed out with what is kept beside the log. */
  readonly readAttestations: boolean
}

/** The Rekor log as this thread has it: read from the database, written by the main thread. */
export interface FollowedLog {
  readonly generations: Succession<RekorGeneration>
  /** Catches up with what is announced; undefined when there is nothing to do. */
  follow(): Promise<void> | undefined
}

interface Followed {
  readonly generation: RekorGeneration
  readonly store: LogStore
  /** What is shown of the tree that grows. */
  checkpoint: Checkpoint
}

/** Rotations that one leaf may meet on its way. Each takes as long as a signature and a commit. */
const MAX_MOVES = 100

export async function followLog(options: FollowedLogOptions): Promise<FollowedLog> {
  const { database, announcement, mainThread, readAttestations } = options
  let current = await open(announcement.read())

  async function open({ trees, treeSize }: Published): Promise<Followed> {
    // A tree that is made and not announced is still being opened.
    const records = (await database.trees('rekor')).slice(0, trees)
    const record = records.at(-1)
    if (record === undefined || records.length < trees) {
      throw new LogError('integrity', `${trees} trees are announced, ${records.length} are stored`)
    }
    const { treeId } = record
    const store = database.logStore(treeId)
    const first = await readCheckpoint(store, treeSize)
    const log: TransparencyLog = {
      record,
      store,
      add: (leaf) => mainThread.add(treeId, leaf),
      checkpoint: () => followed.checkpoint,
      freshTimeMs: 0, // only the main thread knows
      failure: undefined,
      close: async () => undefined
    }
    const views = await openTreeViews({
      database: {
        trees: async () => records,
        logStore: (id) => database.logStore(id),
        attestation: (key) => database.attestation(key)
      },
      log,
      readAttestations
    })
    const followed: Followed = {
      generation: createRekorGeneration(views, log),
      store,
      checkpoint: first
    }
    return followed
  }

  function isBehind({ trees, treeSize }: Published): boolean {
    const { generation, checkpoint } = current
    if (trees !== generation.records.length) return trees > generation.records.length
    return treeSize > checkpoint.treeHead.treeSize
  }

  async function catchUp(published: Published): Promise<void> {
    const followed = current
    if (published.trees !== followed.generation.records.length) {
      const opened = await open(published)
      if (isBehind(published)) current = opened // unless somebody else was faster
      return
    }
    const checkpoint = await readCheckpoint(followed.store, published.treeSize)
    if (checkpoint.treeHead.treeSize > followed.checkpoint.treeHead.treeSize) {
      followed.checkpoint = checkpoint
    }
  }

  function follow(): Promise<void> | undefined {
    const published = announcement.read()
    return isBehind(published) ? catchUp(published) : undefined
  }

  /** Runs `action` again where a rotation came between: what it adds first was not added then. */
  async function use<R>(action: (generation: RekorGeneration) => Promise<R>): Promise<R> {
    for (let moves = 0; moves < MAX_MOVES; moves++) {
      await follow()
      try {
        return await action(current.generation)
      } catch (err) {
        if (!(err instanceof TreeMovedOn)) throw err
        await setImmediate()
      }
    }
    throw new LogError('internal', 'the tree that grows is not the one that is announced')
  }

  return {
    generations: {
      get current() {
        return current.generation
      },
      use,
      replace: () => Promise.reject(new LogError('internal', 'only the main thread rotates'))
    },
    follow
  }
}

/** The checkpoint that was published at this very size. */
async function readCheckpoint(store: LogStore, treeSize: number): Promise<Checkpoint> {
  const [checkpoint] = await store.checkpoints(treeSize - 1, 1)
  if (checkpoint?.treeHead.treeSize !== treeSize) {
    throw new LogError(
      'integrity',
      `tree ${store.treeId} is announced at size ${treeSize}, and no such checkpoint is stored`
    )
  }
  return checkpoint
}

/** The same service; it catches up before it looks at anything. */
export function followFirst(inner: RekorService, follow: FollowedLog['follow']): RekorService {
  const first =
    <A extends readonly unknown[], R>(action: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      const behind = follow()
      if (behind !== undefined) await behind
      return action(...given)
    }
  return {
    submit: inner.submit, // catches up when it adds
    submitVerified: inner.submitVerified,
    entryByIndex: first(inner.entryByIndex),
    entryById: first(inner.entryById),
    retrieve: first(inner.retrieve),
    retrieveLookups: first(inner.retrieveLookups),
    searchIndex: first(inner.searchIndex),
    searchKeys: first(inner.searchKeys),
    logInfo: first(inner.logInfo),
    proof: first(inner.proof),
    // These cannot wait; requests for them go to the main thread.
    publicKey: inner.publicKey,
    statement: inner.statement
  }
}
