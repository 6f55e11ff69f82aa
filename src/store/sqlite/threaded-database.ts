import { LogError } from '../../errors.js'
import { integrateFast } from '../integrate-fast.js'
import type { CellChange, Checkpoint, Database, LogStore } from '../log-store.js'
import { packLeaves, packPromises, unpackAppended } from '../packed-batch.js'
import type { WriteThread } from './write-thread.js'

/**
 * A database that is read here and written by a thread with a connection of its own: a commit waits for the disk, and this
 * thread has requests to answer meanwhile. A promise of a write resolves after the commit, and every read begins anew,
 * so that whoever wrote sees what was written.
 *
 * @param reading the same database, of which nothing is asked that writes
 */
export function threadedDatabase(reading: Database, thread: WriteThread): Database {
  return {
    ...reading,
    logStore: (treeId) => threadedStore(reading.logStore(treeId), thread),
    createTree: (tree, cells = []) =>
      thread.run({
        type: 'createTree',
        tree: { ...tree, publicKey: tree.publicKey.slice() },
        cells: cells.map(alone)
      }),
    register: {
      read: reading.register.read,
      swap: (key, expected, next) =>
        thread.run({ type: 'swap', ...alone({ key, expected, next }) }),
      swapAll: (changes) => thread.run({ type: 'swapAll', changes: changes.map(alone) })
    },
    close: async () => {
      await thread.drain()
      await reading.close()
      await thread.close() // the last to close, so that SQLite copies what is in its log and removes that
    }
  }
}

function threadedStore(store: LogStore, thread: WriteThread): LogStore {
  const { treeId } = store
  return {
    ...store,
    writeFailure: () => thread.failure,
    append: async (batch, integrate) => {
      if (integrate !== integrateFast) {
        throw new LogError('internal', 'a function cannot be sent to the thread that writes')
      }
      const leaves = packLeaves(batch)
      return unpackAppended(await thread.run({ type: 'append', treeId, leaves }, buffersOf(leaves)))
    },
    publish: async (expected, next, promises) => {
      const packed = packPromises(promises)
      const published = await thread.run(
        {
          type: 'publish',
          treeId,
          expected: expected && aloneCheckpoint(expected),
          next: aloneCheckpoint(next),
          promises: packed
        },
        buffersOf(packed)
      )
      return published ?? next
    }
  }
}

/** Buffers made for the message, which nobody else looks at. */
function buffersOf({
  bytes,
  numbers
}: {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly numbers: Float64Array<ArrayBuffer>
}): readonly ArrayBuffer[] {
  return [bytes.buffer, numbers.buffer]
}

/** Sending a view copies all of its buffer, which may be a whole request: this has one of its own. */
function alone({ key, expected, next }: CellChange): CellChange {
  return { key, expected: expected?.slice(), next: next.slice() }
}

function aloneCheckpoint({ treeHead, note }: Checkpoint): Checkpoint {
  return { treeHead: { ...treeHead, rootHash: treeHead.rootHash.slice() }, note }
}
