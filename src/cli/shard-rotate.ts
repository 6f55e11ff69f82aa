import { assertLogDirectory, type DataPaths, dataPaths } from '../config/data-dir.js'
import { createLogKey } from '../config/key-files.js'
import { type Config, batchLimits } from '../config/schema.js'
import { readPassphrase, readTreeSigner } from '../config/secrets.js'
import { encodeHex } from '../encoding/hex.js'
import { createRekorTree } from '../rekor/new-tree.js'
import { openRekorLog } from '../rekor/open-rekor-log.js'
import { checkpointNameOf } from '../rekor/signing.js'
import { logIdOf } from '../rekor/statement.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { type Command, type CommandCall, EXIT } from './command.js'

export const shardRotateCommand: Command = {
  description:
    'Stop the server first. Entries of the closed tree stay readable at their log index; new ones go to the new\n' +
    'tree, which begins with a statement of its own. The host name can change with --log-hostname.',
  flags: [{ name: 'new-key', meaning: 'Make a new key for the new tree. Default: the key stays.' }],
  config: 'all',
  run: async (call) => {
    const config = call.loadConfig()
    const paths = dataPaths(config.dataDir)
    assertLogDirectory(paths)
    // Refuses while a server runs: one process writes.
    const database = await openDatabase({ path: paths.database, mode: 'write' })
    try {
      const rotation = await rotate(database, paths, config, call)
      printRotation(call, paths, rotation)
      return EXIT.ok
    } finally {
      await database.close()
    }
  }
}

interface Rotation {
  readonly closed: TreeRecord
  readonly closedSize: number
  readonly opened: TreeRecord
}

async function rotate(
  database: Database,
  paths: DataPaths,
  config: Config,
  { flags, world }: CommandCall
): Promise<Rotation> {
  const passphrase = readPassphrase(config.log)
  const open = (hostname: string | undefined) =>
    openRekorLog({
      database,
      signerOf: (tree) => readTreeSigner(paths, tree, passphrase),
      hostname,
      limits: batchLimits(config),
      now: world.now,
      heartbeatMs: 60_000 // it is closed again before
    })
  // Publishes whatever a crash left unpublished; a tree is only closed at its published size. Its name is its own:
  // the configured one is for the tree to come.
  const last = await open(undefined)
  await last.close()
  const closed = last.record
  const { signer, keyName } = await nextKey(paths, closed, passphrase, flags.has('new-key'))
  const opened = await createRekorTree({
    database,
    hostname: config.log.hostname ?? checkpointNameOf(closed),
    signer,
    keyName,
    now: world.now,
    randomBytes: world.randomBytes
  })
  // Dies here: the new tree is active and empty, and whoever opens it next adds its first entry.
  const next = await open(config.log.hostname)
  await next.close()
  return { closed, closedSize: last.checkpoint().treeHead.treeSize, opened }
}

async function nextKey(
  paths: DataPaths,
  closed: TreeRecord,
  passphrase: string | undefined,
  isNew: boolean
) {
  if (isNew) return createLogKey(paths.keys, 'rekor', passphrase)
  return { signer: readTreeSigner(paths, closed, passphrase), keyName: closed.keyName }
}

function printRotation(
  { print }: CommandCall,
  paths: DataPaths,
  { closed, closedSize, opened }: Rotation
): void {
  const sameKey = opened.keyName === closed.keyName
  const logId = encodeHex(logIdOf(opened.publicKey))
  const keyFile = `${paths.keys}/${opened.keyName}`
  print(
    [
      `closed    tree ${closed.treeId} with ${closedSize} entries (${closed.origin})`,
      `opened    tree ${opened.treeId}, first log index ${opened.offset} (${opened.origin})`,
      `log ID    ${logId}${sameKey ? ' (as before)' : ''}`,
      `key file  ${keyFile}${sameKey ? ' (as before)' : ' (new: back it up, and give clients the new public key)'}`
    ].join('\n'),
    {
      closed: { treeId: closed.treeId, origin: closed.origin, treeSize: closedSize },
      opened: { treeId: opened.treeId, origin: opened.origin, offset: opened.offset },
      logId,
      keyFile,
      newKey: !sameKey
    }
  )
}
