import type { MessagePort } from 'node:worker_threads'
import { LogError } from '../../errors.js'
import { integrateFast } from '../integrate-fast.js'
import type { Database } from '../log-store.js'
import { packAppended, unpackLeaves, unpackPromises } from '../packed-batch.js'
import { createCommitter, type WriteJob } from './committer.js'
import { connectForFollowing, connectForWriting } from './connection.js'
import { createDatabase } from './database.js'
import { createWalKeeper } from './wal-keeper.js'
import {
  type ToWriter,
  type WriteRequest,
  type WriteResponse,
  type WriteResults,
  type WriteTask,
  type WriteThreadData,
  type WriteType,
  sendError
} from './write-message.js'
import { writtenHere } from './written-here.js'

/** What lives in the thread beside the database. */
export interface WriteGuest {
  /** Writes what it still has to write, and ends. */
  close(): Promise<void>
}

/**
 * The thread that writes: does what it is asked for through `port`, until it is told to close.
 *
 * @param onGuest told of what came through WriteThread.host, with the database as this thread may use it. What it returns is
 *   closed before the database
 */
export function serveWrites(
  port: Pick<MessagePort, 'on' | 'postMessage' | 'close'>,
  data: WriteThreadData,
  onGuest?: (guest: unknown, database: Database) => Promise<WriteGuest>
): void {
  const connection = connectForWriting(data.path)
  const database = createDatabase(connection, () => undefined)
  const wal = createWalKeeper(connection, data)
  let responses: WriteResponse[] = []
  let isClosing = false
  let isClosed = false
  /** Of guests. Opened for the first. */
  let reading: Database | undefined
  const guests: Promise<WriteGuest>[] = []

  const committer = createCommitter({
    connection,
    database,
    afterCommit: async () => {
      if (responses.length > 0) port.postMessage(responses)
      responses = []
      await wal.afterCommit()
    },
    onIdle: () => {
      if (isClosing) void close()
    }
  })

  async function beginToClose(): Promise<void> {
    for (const guest of guests) await (await guest).close()
    isClosing = true
    if (committer.isIdle) await close()
  }

  port.on('message', (message: ToWriter) => {
    if (message === 'close') {
      void beginToClose()
    } else if ('guest' in message) {
      reading ??= createDatabase(connectForFollowing(data.path), () => undefined)
      if (onGuest !== undefined) {
        guests.push(onGuest(message.guest, writtenHere(reading, committer)))
      }
    } else {
      committer.add(message.map(jobOf))
    }
  })

  function jobOf({ id, task }: WriteRequest): WriteJob {
    return {
      run: (database) => run(task, database),
      resolve: (result) => responses.push({ id, result: result as WriteResults[WriteType] }), // as run gave it
      reject: (err) => responses.push({ id, error: sendError(err) })
    }
  }

  async function close(): Promise<void> {
    if (isClosed) return
    isClosed = true
    await wal.close()
    await reading?.close()
    await database.close()
    port.close()
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
