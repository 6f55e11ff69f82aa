import { join } from 'node:path'
import t from 'tap'
import { integrate } from '../../../src/merkle/integrate.js'
import { integrateFast } from '../../../src/store/integrate-fast.js'
import type { Database } from '../../../src/store/log-store.js'
import { connectForWriting } from '../../../src/store/sqlite/connection.js'
import { createDatabase } from '../../../src/store/sqlite/database.js'
import { tempFolder } from '../../helpers/test-log.js'
import { openWithThread } from '../../helpers/write-thread.js'
import { newTree, pendingLeaf, storeContract } from '../contract.js'

/**
 * The contract hands functions of its own to `append`, which cannot be sent to a thread. The plain one is exchanged for
 * the thread's, which comes to the same; for the odd ones there is a connection beside it, whose writes the others see.
 */
function withAnyIntegrate(database: Database, path: string): Database {
  const beside = createDatabase(connectForWriting(path), () => undefined)
  return {
    ...database,
    logStore: (treeId) => {
      const store = database.logStore(treeId)
      return {
        ...store,
        append: (batch, given) =>
          given === integrate
            ? store.append(batch, integrateFast)
            : beside.logStore(treeId).append(batch, given)
      }
    },
    close: async () => {
      await beside.close()
      await database.close()
    }
  }
}

storeContract(t, (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  return { open: async () => withAnyIntegrate(await openWithThread(path), path) }
})

t.test('a function is not sent', async (t) => {
  const database = await openWithThread(join(tempFolder(t), 'log.sqlite'))
  t.teardown(() => database.close())
  await database.createTree(newTree('1'))
  await t.rejects(database.logStore('1').append([pendingLeaf('a')], integrate), {
    code: 'internal',
    message: 'a function cannot be sent to the thread that writes'
  })
})
