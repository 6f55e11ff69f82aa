import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError, isLogError } from '../errors.js'
import { hashLeaf } from '../merkle/hash.js'
import { verifyInclusion } from '../merkle/inclusion-proof.js'
import { type ParsedCheckpoint, verifyCheckpoint } from '../note/checkpoint.js'
import { keyIdOf } from '../note/key-id.js'
import { encodeEntryPromise } from '../note/signed-entry-timestamp.js'
import type { EntryAnswer, TreeAnswer } from './answers.js'
import type { LogKey } from './log-key.js'

const TREE_ID_DIGITS = 16

/** Decimal id of the tree that an 80-digit entry ID names. */
export function treeIdOf(entryId: string): string {
  return BigInt(`0x${entryId.slice(0, TREE_ID_DIGITS)}`).toString()
}

/**
 * Checks all that an entry's answer claims: that its ID is that of its body, the signed entry timestamp, that the tree
 * contains it, and that the log signed that tree.
 *
 * @param key one the caller trusts for this log; its id must be the entry's log ID
 * @throws LogError `verification_failed` | `proof_invalid` saying which of them is wrong
 * @see rekor-v1 §3, §4, §5
 */
export async function verifyEntry(entry: EntryAnswer, key: LogKey): Promise<ParsedCheckpoint> {
  const leafHash = hashLeaf(entry.leafValue)
  if (entry.entryId.slice(TREE_ID_DIGITS) !== encodeHex(leafHash)) {
    throw failed(`entry ID is not that of the body, whose leaf hash is ${encodeHex(leafHash)}`)
  }
  if (!equalBytes(entry.logId, key.logId)) {
    throw failed(`entry of log ${encodeHex(entry.logId)}, want ${encodeHex(key.logId)}`)
  }
  await describe('signed entry timestamp', () =>
    key.verify(encodeEntryPromise(entry), entry.signedEntryTimestamp))
  const { leafIndex, treeSize, rootHash, hashes, checkpoint } = entry.inclusionProof
  verifyInclusion(leafHash, leafIndex, { treeSize, rootHash }, hashes)
  const tree = { treeId: treeIdOf(entry.entryId), treeSize, rootHash, checkpoint }
  return verifyTreeHead(tree, key)
}

/**
 * Checks that the key signed a checkpoint of this very tree, size and root.
 * @throws LogError `verification_failed`
 */
export async function verifyTreeHead(tree: TreeAnswer, key: LogKey): Promise<ParsedCheckpoint> {
  const checkpoint = await describe('checkpoint', () =>
    verifyCheckpoint(tree.checkpoint, {
      name: hostnameOf(tree.checkpoint),
      publicKeyId: keyIdOf(key.publicKey.spki),
      verify: key.verify
    }))
  const suffix = ` - ${tree.treeId}`
  if (!checkpoint.origin.endsWith(suffix)) {
    throw failed(`checkpoint of "${checkpoint.origin}", want one of tree ${tree.treeId}`)
  }
  if (checkpoint.treeSize !== tree.treeSize || !equalBytes(checkpoint.rootHash, tree.rootHash)) {
    throw failed(
      `checkpoint of size ${checkpoint.treeSize} and root ${encodeHex(checkpoint.rootHash)}, ` +
        `want ${tree.treeSize} and ${encodeHex(tree.rootHash)}`
    )
  }
  return checkpoint
}

/** The signer's name is the host name before ` - <tree id>`; what it says is checked with the signature. */
function hostnameOf(checkpoint: string): string {
  return checkpoint.slice(0, checkpoint.indexOf(' '))
}

/** Puts the name of what was checked in front of why it failed. */
async function describe<T>(what: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (err) {
    if (!isLogError(err)) throw err
    const message = err.message.startsWith(what) ? err.message : `${what}: ${err.message}`
    throw new LogError('verification_failed', message, { cause: err })
  }
}

function failed(message: string): LogError {
  return new LogError('verification_failed', message)
}
