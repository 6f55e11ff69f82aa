import type { Database, LogStore } from '../log-store.js'
import type { Committer } from './committer.js'

/**
 * The database as the thread that writes has it: read through another connection than that of the writes, so that only what is
 * committed is seen, and written together with all else that is to be written.
 *
 * @param reading the same database, of which nothing is asked that writes
 */
export function writtenHere(reading: Database, committer: Pick<Committer, 'add'>): Database {
  function write<T>(run: (database: Database) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      committer.add([{ run, resolve: resolve as (result: unknown) => void, reject }]) // of the same job
    })
  }

  function storeOf(store: LogStore): LogStore {
    const { treeId } = store
    return {
      ...store,
      append: (batch, integrate) =>
        write((database) => database.logStore(treeId).append(batch, integrate)),
      publish: (expected, next, promises) =>
        write((database) => database.logStore(treeId).publish(expected, next, promises))
    }
  }

  return {
    ...reading,
    logStore: (treeId) => storeOf(reading.logStore(treeId)),
    createTree: (tree, cells) => write((database) => database.createTree(tree, cells)),
    register: {
      read: reading.register.read,
      swap: (key, expected, next) =>
        write((database) => database.register.swap(key, expected, next)),
      swapAll: (changes) => write((database) => database.register.swapAll(changes))
    }
  }
}
