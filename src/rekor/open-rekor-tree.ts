import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import type { BatchLimits, TransparencyLog } from '../log/contract.js'
import { type LogEvent, openTransparencyLog } from '../log/sequencer.js'
import type { Database, LogStore, TreeRecord } from '../store/log-store.js'
import {
  checkpointNameOf,
  createCheckpointCheck,
  createRekorSigning,
  formatOrigin
} from './signing.js'

export interface OpenRekorTreeOptions {
  readonly database: Pick<Database, 'trees' | 'logStore'>
  /** Reads the private key of a tree. */
  readonly signerOf: (tree: TreeRecord) => Signer
  /** As configured; undefined when the one in the database is to be believed. */
  readonly hostname: string | undefined
  readonly limits: BatchLimits
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How often an idle log proves that it works. */
  readonly heartbeatMs: number
  readonly onEvent?: (event: LogEvent, tree: TreeRecord) => void
  /** Puts something around the store of the tree, such as a stopwatch. */
  readonly wrapStore?: (store: LogStore) => LogStore
}

/**
 * Opens the active tree of the Rekor log for writing: key, origin, sizes and signatures must agree with what was
 * published before. A new tree is left without its first entry: see addFirstEntry.
 *
 * @throws LogError as openTransparencyLog and `signerOf`; `conflict` when there is no tree, `verification_failed` when
 *   the last checkpoint of a closed tree is not good
 */
export async function openRekorTree(options: OpenRekorTreeOptions): Promise<TransparencyLog> {
  const { database, signerOf, hostname, limits, now, heartbeatMs, onEvent, wrapStore } = options
  const trees = await database.trees('rekor')
  const record = trees.at(-1)
  if (record === undefined) {
    throw new LogError(
      'conflict',
      'the database holds no tree: restore it from a backup, or make a new log in another directory'
    )
  }
  for (const closed of trees.slice(0, -1)) await assertClosedTree(database, closed)
  const signer = signerOf(record)
  const store = database.logStore(record.treeId)
  const verifyCheckpoint = createCheckpointCheck(record)
  return openTransparencyLog({
    store: wrapStore === undefined ? store : wrapStore(store),
    signing: createRekorSigning(record, signer),
    identity: {
      origin: formatOrigin(hostname ?? checkpointNameOf(record), record.treeId),
      publicKey: signer.publicKey
    },
    verifyCheckpoint: async (note) => {
      await verifyCheckpoint(note)
    },
    limits,
    now,
    heartbeatMs,
    ...(onEvent === undefined ? {} : { onEvent: (event) => onEvent(event, record) })
  })
}

/** A closed tree is served as it was last published, for ever. */
async function assertClosedTree(
  database: Pick<Database, 'logStore'>,
  tree: TreeRecord
): Promise<void> {
  const store = database.logStore(tree.treeId)
  const [{ treeSize }, published] = await Promise.all([store.treeHead(), store.checkpoint()])
  if (published?.treeHead.treeSize !== treeSize) {
    throw new LogError(
      'integrity',
      `closed tree ${tree.treeId} has ${treeSize} entries, published are ` +
        `${published?.treeHead.treeSize ?? 'none'}: run sigstead verify`
    )
  }
  await createCheckpointCheck(tree)(published.note)
}
