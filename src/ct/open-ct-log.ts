import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import type { BatchLimits, LogSigning, TransparencyLog } from '../log/contract.js'
import { type LogEvent, openTransparencyLog } from '../log/sequencer.js'
import type { Database, LogStore, Register, TreeRecord } from '../store/log-store.js'
import { parseMerkleTreeLeaf } from '../x509/merkle-tree-leaf.js'
import { createLogClock, type LogClock } from './log-clock.js'
import { readRefreshedTreeHead } from './refreshed-tree-head.js'
import { createCtSigning, createTreeHeadCheck, readTreeHead } from './signing.js'

export interface OpenCtLogOptions {
  readonly database: Pick<Database, 'trees' | 'logStore'> & { readonly register: Register }
  /** Reads the private key of a tree. */
  readonly signerOf: (tree: TreeRecord) => Signer
  readonly limits: BatchLimits
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How often an idle log proves that it works. */
  readonly heartbeatMs: number
  readonly onEvent?: (event: LogEvent, tree: TreeRecord) => void
}

/** The certificate log that takes submissions, with what signs for it. */
export interface OpenCtLog {
  readonly log: TransparencyLog
  readonly signing: LogSigning
  readonly clock: LogClock
}

/**
 * Opens the active certificate log for writing: its key, sizes and signatures must agree with what was published before.
 *
 * @throws LogError as openTransparencyLog and `signerOf`; `conflict` when there is none; `unsupported` when its key is not
 *   ECDSA P-256
 */
export async function openCtLog(options: OpenCtLogOptions): Promise<OpenCtLog> {
  const { database, signerOf, limits, now, heartbeatMs, onEvent } = options
  const record = (await database.trees('ct')).at(-1)
  if (record === undefined) {
    throw new LogError('conflict', 'the database holds no certificate log: run sigstead init')
  }
  const signer = signerOf(record)
  const store = database.logStore(record.treeId)
  const verifyTreeHead = createTreeHeadCheck(record)
  const clock = createLogClock(now, await lastTimeMs(record, store, database.register))
  const signing = createCtSigning(record, signer, clock)
  const log = await openTransparencyLog({
    store,
    signing,
    identity: { origin: record.origin, publicKey: signer.publicKey },
    verifyCheckpoint: async (note) => {
      await verifyTreeHead(note)
    },
    limits,
    now,
    heartbeatMs,
    ...(onEvent === undefined ? {} : { onEvent: (event) => onEvent(event, record) })
  })
  return { log, signing, clock }
}

/** The latest time this log signed, in milliseconds since the epoch; 0 for a new one. */
async function lastTimeMs(
  record: TreeRecord,
  store: LogStore,
  register: Register
): Promise<number> {
  const { treeSize } = await store.treeHead()
  const leaf = treeSize === 0 ? undefined : await store.leaf(treeSize - 1)
  const published = await store.checkpoint()
  const refreshed = await readRefreshedTreeHead(register, record)
  return Math.max(
    leaf === undefined ? 0 : parseMerkleTreeLeaf(leaf.leafValue).timestampMs,
    published === undefined ? 0 : readTreeHead(record, published.note).timestampMs,
    refreshed?.head.timestampMs ?? 0
  )
}
