import { assertLogDirectory, dataPaths } from '../config/data-dir.js'
import { encodeHex } from '../encoding/hex.js'
import { logIdOf } from '../rekor/statement.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { type Command, EXIT } from './command.js'

export const shardListCommand: Command = {
  description: 'Reads the data directory; a server may be running on it.',
  config: ['dataDir'],
  run: async ({ loadConfig, print }) => {
    const paths = dataPaths(loadConfig().dataDir)
    assertLogDirectory(paths)
    const database = await openDatabase({ path: paths.database, mode: 'read' })
    try {
      const shards = []
      for (const tree of await database.trees('rekor')) shards.push(await describe(database, tree))
      const lines = shards.flatMap((shard) => [
        `tree        ${shard.treeId} (${shard.state})`,
        `  origin    ${shard.origin}`,
        `  log ID    ${shard.logId}`,
        `  key file  ${shard.keyName}`,
        `  created   ${new Date(shard.createdTime * 1000).toISOString()}`,
        `  entries   ${shard.treeSize}, log index ${shard.offset} to ${shard.offset + shard.treeSize - 1}`
      ])
      print(lines.join('\n'), { shards })
      return EXIT.ok
    } finally {
      await database.close()
    }
  }
}

async function describe(database: Database, tree: TreeRecord) {
  const published = await database.logStore(tree.treeId).checkpoint()
  return {
    treeId: tree.treeId,
    state: tree.state,
    origin: tree.origin,
    logId: encodeHex(logIdOf(tree.publicKey)),
    keyName: tree.keyName,
    createdTime: tree.createdTimeSeconds,
    offset: tree.offset,
    treeSize: published?.treeHead.treeSize ?? 0
  }
}
