import { assertLogDirectory, dataPaths } from '../config/data-dir.js'
import { describeCtLog, readTreeHead } from '../ct/signing.js'
import { encodePem } from '../encoding/pem.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { type Command, EXIT } from './command.js'

export const ctInfoCommand: Command = {
  description: 'Reads the data directory; a server may be running on it.',
  config: ['dataDir'],
  run: async ({ loadConfig, print }) => {
    const paths = dataPaths(loadConfig().dataDir)
    assertLogDirectory(paths)
    const database = await openDatabase({ path: paths.database, mode: 'read' })
    try {
      const logs = []
      for (const tree of await database.trees('ct')) logs.push(await describe(database, tree))
      const lines = logs.flatMap((log) => [
        `log         ${log.logName} (${log.state})`,
        `  log ID    ${log.logId}`,
        `  key file  ${log.keyName}`,
        `  created   ${new Date(log.createdTime * 1000).toISOString()}`,
        `  entries   ${log.treeSize}`,
        log.publicKey.trimEnd()
      ])
      print(lines.length === 0 ? 'no certificate log' : lines.join('\n'), { logs })
      return EXIT.ok
    } finally {
      await database.close()
    }
  }
}

async function describe(database: Database, tree: TreeRecord) {
  const published = await database.logStore(tree.treeId).checkpoint()
  return {
    ...describeCtLog(tree),
    state: tree.state,
    keyName: tree.keyName,
    createdTime: tree.createdTimeSeconds,
    treeSize: published === undefined ? 0 : readTreeHead(tree, published.note).treeSize,
    publicKey: encodePem('PUBLIC KEY', tree.publicKey)
  }
}
