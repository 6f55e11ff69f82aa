import { join } from 'node:path'
import t from 'tap'
import { openDatabase } from '../../../src/store/sqlite/open-database.js'
import { tempFolder } from '../../helpers/test-log.js'
import { storeContract } from '../contract.js'

storeContract(t, (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  return { open: () => openDatabase({ path, mode: 'write', create: true }) }
})
