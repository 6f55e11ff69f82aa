import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type DataPaths, dataPaths, inspectDataDirectory } from '../config/data-dir.js'
import { createLogKey, syncFolder } from '../config/key-files.js'
import { type Config, batchLimits } from '../config/schema.js'
import { readPassphrase, readTreeSigner } from '../config/secrets.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError, isLogError } from '../errors.js'
import { createRekorTree } from '../rekor/new-tree.js'
import { openRekorLog } from '../rekor/open-rekor-log.js'
import { logIdOf } from '../rekor/statement.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { type CliWorld, type Command, EXIT } from './command.js'

/** A log that was just made. */
export interface CreatedLog {
  readonly treeId: string
  readonly origin: string
  /** Hex. */
  readonly logId: string
  readonly keyFile: string
}

export const initCommand: Command = {
  description:
    'Makes the data directory (mode 0700), in it the log key (PKCS#8, mode 0600, encrypted where a passphrase is\n' +
    'configured), a tree with a random ID, and its first entry: a signature over the statement of the log. Refuses a\n' +
    'directory that holds a log or anything else; after an interruption, run it again.',
  config: 'all',
  run: async ({ loadConfig, world, print }) => {
    const config = loadConfig()
    const log = await createLog(config, world)
    print(
      [
        `made a log in ${config.dataDir}`,
        `origin    ${log.origin}`,
        `log ID    ${log.logId}`,
        `key file  ${log.keyFile} (back it up: without it the log cannot go on)`
      ].join('\n'),
      { dataDir: config.dataDir, ...log }
    )
    return EXIT.ok
  }
}

/**
 * Makes a log where there is none, or finishes one whose making was interrupted.
 *
 * A marker lies in the directory from the first step to the last, and nothing is served while it does. What a killed
 * init leaves is therefore nothing anybody has seen, and every step below either finds its work done or does it.
 *
 * @throws LogError `conflict` when there is a log or anything else, or somebody else is at it
 */
export async function createLog(
  config: Config,
  world: Pick<CliWorld, 'now' | 'randomBytes'>
): Promise<CreatedLog> {
  const paths = dataPaths(config.dataDir)
  const passphrase = readPassphrase(config.log)
  prepareDirectory(paths)
  // Holds the lock of the directory from here on.
  const database = await openDatabase({ path: paths.database, mode: 'write', create: true })
  try {
    const hostname = config.log.hostname ?? new URL(config.publicUrl).hostname
    const tree = await ensureTree(database, paths, { hostname, passphrase }, world)
    const log = await openRekorLog({
      database,
      signerOf: (record) => readTreeSigner(paths, record, passphrase),
      hostname,
      limits: batchLimits(config),
      now: world.now,
      heartbeatMs: 60_000 // it is closed again before
    })
    await log.close()
    const { treeId, origin, keyName, publicKey } = tree
    return finish(paths, { treeId, origin, logId: encodeHex(logIdOf(publicKey)), keyName })
  } finally {
    await database.close()
  }
}

/** The one tree: that of an interrupted init, or a new one with a new key. */
async function ensureTree(
  database: Database,
  paths: DataPaths,
  { hostname, passphrase }: { readonly hostname: string; readonly passphrase: string | undefined },
  { now, randomBytes }: Pick<CliWorld, 'now' | 'randomBytes'>
): Promise<TreeRecord> {
  const [tree] = await database.trees('rekor')
  if (tree !== undefined) return tree
  // Keys of an interrupted init that no tree names have signed nothing.
  rmSync(paths.keys, { recursive: true, force: true })
  const { signer, keyName } = await createLogKey(paths.keys, 'rekor', passphrase)
  // Dies here: the key is on the disk and unused, and the next init throws it away.
  return createRekorTree({ database, hostname, signer, keyName, now, randomBytes })
}

function prepareDirectory(paths: DataPaths): void {
  const { root, initMarker } = paths
  const state = inspectDataDirectory(paths)
  if (state === 'log') {
    throw new LogError('conflict', `${root} holds a log already: sigstead serve serves it`)
  }
  if (state === 'foreign') {
    throw new LogError('conflict', `${root} is not empty and holds no log: name another directory`)
  }
  if (state === 'unfinished') return
  try {
    // In two steps: Node 20 loops for ever over a recursive one where not even root may (/proc).
    mkdirSync(dirname(root), { recursive: true })
    if (!existsSync(root)) mkdirSync(root, { mode: 0o700 })
    // Exclusively: of two that start at once, one goes on and the other finds the directory taken.
    writeFileSync(initMarker, 'sigstead init has not finished\n', { flag: 'wx' })
    syncFolder(root)
    syncFolder(dirname(root))
  } catch (err) {
    if (isLogError(err)) throw err
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('conflict', `cannot make the data directory ${root}: ${code}`, {
      cause: err
    })
  }
}

function finish(paths: DataPaths, made: Omit<CreatedLog, 'keyFile'> & { keyName: string }) {
  const { keyName, ...log } = made
  rmSync(paths.initMarker, { force: true })
  syncFolder(paths.root)
  return { ...log, keyFile: `${paths.keys}/${keyName}` }
}
