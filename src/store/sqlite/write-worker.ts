import { parentPort, workerData } from 'node:worker_threads'
import type Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'
import { integrateFast } from '../integrate-fast.js'
import type { Database, LogStore } from '../log-store.js'
import { connectForWriting } from './connection.js'
import { createDatabase } from './database.js'
import { translateErrors } from './errors.js'
import { packAppended, unpackLeaves, unpackPromises } from './packed-batch.js'
import { createWalKeeper } from './wal-keeper.js'
import {
  type WriteRequest,
  type WriteResponse,
  type WriteResults,
  type WriteTask,
  type WriteThreadData,
  type WriteType,
  sendError
} from './write-message.js'

// The entry point of the thread: it acts when it is loaded.
if (parentPort !== null) serve(parentPort, workerData as WriteThreadData) // as startWriteThread passes it

function serve(port: NonNullable<typeof parentPort>, data: WriteThreadData): void {
  const connection = connectForWriting(data.path)
  const database = withKeptStores(createDatabase(connection, () => undefined))
  const wal = createWalKeeper(connection, data)
  let waiting: WriteRequest[] = []
  let isBusy = false
  let isClosing = false

  port.on('message', (message: readonly WriteRequest[] | 'close') => {
    if (message === 'close') isClosing = true
    else waiting.push(...message)
    // After everything that has arrived: it is committed together.
    if (!isBusy) setImmediate(() => void work())
  })

  async function work(): Promise<void> {
    if (isBusy) return
    isBusy = true
    while (waiting.length > 0) {
      const requests = waiting
      waiting = []
      port.postMessage(await commitTogether(connection, database, requests))
      await wal.afterCommit()
    }
    isBusy = false
    if (isClosing) await close()
  }

  async function close(): Promise<void> {
    await wal.close()
    await database.close()
    port.close()
  }
}

/** Asks for the store of a tree once: it looks the tree up. */
function withKeptStores(database: Database): Database {
  const stores = new Map<string, LogStore>()
  return {
    ...database,
    logStore: (treeId) => {
      const store = stores.get(treeId) ?? database.logStore(treeId)
      stores.set(treeId, store)
      return store
    }
  }
}

/**
 * Does all of this in one transaction, so that it costs one wait for the disk; each in a transaction within it, so that one
 * that fails leaves the others alone. Nobody is answered before the commit.
 */
async function commitTogether(
  connection: Sqlite.Database,
  database: Database,
  requests: readonly WriteRequest[]
): Promise<readonly WriteResponse[]> {
  const responses: WriteResponse[] = []
  try {
    translateErrors('cannot write', () => connection.exec('begin immediate'))
    for (const request of requests) {
      const response = await answer(request, database)
      // A full disk, for one, undoes the whole transaction.
      if (!connection.inTransaction && 'error' in response) {
        return requests.map(({ id }) => ({ id, error: response.error }))
      }
      responses.push(response)
    }
    translateErrors('cannot commit', () => connection.exec('commit'))
    return responses
  } catch (err) {
    const error = sendError(err)
    if (connection.inTransaction) connection.exec('rollback')
    return requests.map(({ id }) => ({ id, error }))
  }
}

async function answer({ id, task }: WriteRequest, database: Database): Promise<WriteResponse> {
  try {
    return { id, result: await run(task, database) }
  } catch (err) {
    return { id, error: sendError(err) }
  }
}

async function run(task: WriteTask, database: Database): Promise<WriteResults[WriteType]> {
  switch (task.type) {
    case 'append':
      return packAppended(
        await database.logStore(task.treeId).append(unpackLeaves(task.leaves), integrateFast)
      )
    case 'publish': {
      const { expected, next, promises } = task
      const store = database.logStore(task.treeId)
      const published = await store.publish(expected, next, unpackPromises(promises))
      return published === next ? undefined : published
    }
    case 'createTree':
      return database.createTree(task.tree, task.cells)
    case 'swap':
      return database.register.swap(task.key, task.expected, task.next)
    case 'swapAll':
      return database.register.swapAll(task.changes)
    default:
      throw new LogError('internal', 'the writer was asked for something else')
  }
}
