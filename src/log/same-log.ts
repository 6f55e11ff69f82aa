import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError, isLogError } from '../errors.js'
import type { TreeHead } from '../merkle/tree.js'
import { type ParsedCheckpoint, parseCheckpoint } from '../note/checkpoint.js'
import type { Checkpoint, TreeRecord } from '../store/log-store.js'
import { sha256 } from '../store/sha256.js'

/** What we would sign with: from configuration and key file, not from the database. */
export interface LogIdentity {
  /** First line of our checkpoints. */
  readonly origin: string
  /** SubjectPublicKeyInfo DER of the key that would sign. */
  readonly publicKey: Uint8Array
}

/**
 * Refuses to go on with a log under another name or key, or with a database older than what was published from it:
 * clients would rightly call that a fork. Does not verify the signature.
 *
 * @throws LogError `conflict` when configuration or key do not belong to this log, `integrity` when the stored
 *   checkpoint contradicts the tree; the message says what to do
 */
export function assertSameLog(
  tree: TreeRecord,
  ours: LogIdentity,
  committed: TreeHead,
  published: Checkpoint | undefined
): void {
  if (ours.origin !== tree.origin) {
    throw new LogError(
      'conflict',
      `the log was created as "${tree.origin}" but is configured as "${ours.origin}". Set the host name back, ` +
        'or open a new shard under the new name'
    )
  }
  if (!equalBytes(ours.publicKey, tree.publicKey)) {
    throw new LogError(
      'conflict',
      `the key in ${tree.keyName} (log id ${logId(ours.publicKey)}) is not the one this log was created with ` +
        `(log id ${logId(tree.publicKey)}). Put the original key back, or open a new shard with the new key`
    )
  }
  if (published === undefined) return
  assertCheckpointOf(tree, published)
  if (published.treeHead.treeSize > committed.treeSize) {
    throw new LogError(
      'integrity',
      `the log was published with ${published.treeHead.treeSize} entries but holds ${committed.treeSize}: ` +
        'the database is damaged or was put together from copies of different age. Restore the newest complete ' +
        'backup and run verify; do not go on with this one',
      { details: { what: 'checkpoint', treeId: tree.treeId, index: published.treeHead.treeSize } }
    )
  }
}

/**
 * Checks that a stored checkpoint reads as one of this tree and says in its text what is stored beside it.
 * @throws LogError `integrity`
 */
export function assertCheckpointOf(tree: TreeRecord, checkpoint: Checkpoint): void {
  const { treeSize, rootHash } = checkpoint.treeHead
  const problem = (text: string, cause?: unknown): LogError =>
    new LogError('integrity', `checkpoint of tree ${tree.treeId} at size ${treeSize} ${text}`, {
      cause,
      details: { what: 'checkpoint', treeId: tree.treeId, index: treeSize }
    })
  let parsed: ParsedCheckpoint
  try {
    parsed = parseCheckpoint(checkpoint.note)
  } catch (err) {
    if (isLogError(err)) throw problem(`cannot be read: ${err.message}`, err)
    throw err
  }
  if (parsed.origin !== tree.origin) {
    throw problem(`is of "${parsed.origin}", want "${tree.origin}"`)
  }
  if (parsed.treeSize !== treeSize || !equalBytes(parsed.rootHash, rootHash)) {
    throw problem(
      `says size ${parsed.treeSize} and root ${encodeHex(parsed.rootHash)}, ` +
        `stored beside it is root ${encodeHex(rootHash)}`
    )
  }
}

function logId(publicKey: Uint8Array): string {
  return encodeHex(sha256(publicKey))
}
