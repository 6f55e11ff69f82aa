import { LogError } from '../errors.js'
import type { Succession } from '../log/succession.js'
import type { RekorGeneration } from '../rekor/generation.js'

/** How far the log is published: so far, and no further, every thread shows it. */
export interface Published {
  /** How many trees there are; the last of them is the one that grows. */
  readonly trees: number
  /** Of that last tree. */
  readonly treeSize: number
}

/** One number in memory that all threads see. Written by the main thread only. */
export interface Announcement {
  /** To be handed to a thread. */
  readonly memory: SharedArrayBuffer
  read(): Published
  write(published: Published): void
}

/** Bits of the size; those above hold the number of trees. One number, so that nobody sees half of a change. */
const SIZE_BITS = 48n
const MAX_TREES = 2 ** 15 - 1

export function createAnnouncement(memory = new SharedArrayBuffer(8)): Announcement {
  const cell = new BigInt64Array(memory)
  return {
    memory,
    read() {
      const value = Atomics.load(cell, 0)
      return {
        trees: Number(value >> SIZE_BITS),
        treeSize: Number(BigInt.asUintN(Number(SIZE_BITS), value))
      }
    },
    write({ trees, treeSize }) {
      if (trees > MAX_TREES || treeSize >= 2 ** Number(SIZE_BITS)) {
        throw new LogError('internal', `${trees} trees, ${treeSize} leaves: too many to announce`)
      }
      Atomics.store(cell, 0, (BigInt(trees) << SIZE_BITS) | BigInt(treeSize))
    }
  }
}

/**
 * The same generation, announcing what it has published before anybody learns of it: what one connection was answered, every
 * thread shows to all others.
 */
export function announceAdded(
  inner: RekorGeneration,
  announcement: Pick<Announcement, 'write'>
): RekorGeneration {
  const { log } = inner
  let last = log.checkpoint()
  return {
    ...inner,
    log: {
      record: log.record,
      store: log.store,
      add: async (leaf) => {
        const added = await log.add(leaf)
        const now = log.checkpoint()
        if (now !== last) {
          last = now
          announce(inner, announcement)
        }
        return added
      },
      checkpoint: () => log.checkpoint(),
      get freshTimeMs() {
        return log.freshTimeMs
      },
      get failure() {
        return log.failure
      },
      close: () => log.close()
    }
  }
}

/** The same generations; each is announced as soon as it is the current one. */
export function announceGenerations(
  inner: Succession<RekorGeneration>,
  announcement: Pick<Announcement, 'write'>
): Succession<RekorGeneration> {
  announce(inner.current, announcement)
  return {
    get current() {
      return inner.current
    },
    use: (action) => inner.use(action),
    replace: async (succeed) => {
      const next = await inner.replace(succeed)
      announce(next, announcement)
      return next
    }
  }
}

function announce(
  { trees, log }: RekorGeneration,
  announcement: Pick<Announcement, 'write'>
): void {
  announcement.write({ trees: trees.length, treeSize: log.checkpoint().treeHead.treeSize })
}
