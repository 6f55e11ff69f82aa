import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { buildConsistencyProof } from './consistency-proof.js'
import { type Sha256, portableSha256 } from './hash.js'
import { rootHashAtSize } from './tile-hashes.js'
import { type TileReader, type TileReaderOptions, openTileReader } from './tile-reader.js'
import type { TreeHead } from './tree.js'

/**
 * Checks that the tree being read begins with all leaves of an older one, in order.
 *
 * @returns the consistency proof from the older size to this one, for whoever has to be shown: verifyConsistency takes it.
 *   Empty from size 0, which proves nothing, and between equal sizes
 * @throws LogError `proof_invalid` when it does not: with both heads signed, the log has forked. `conflict` when the older
 *   tree is larger. Otherwise as TileReader
 */
export async function proveOlderTree(
  reader: TileReader,
  older: TreeHead,
  sha256: Sha256 = portableSha256
): Promise<readonly Uint8Array[]> {
  const { treeSize } = reader.treeHead
  if (older.treeSize > treeSize) {
    throw new LogError(
      'conflict',
      `a tree of ${older.treeSize} leaves is not older than one of ${treeSize}`
    )
  }
  const got = await rootHashAtSize(older.treeSize, reader.tile, sha256)
  if (!equalBytes(got, older.rootHash)) {
    throw new LogError(
      'proof_invalid',
      `the tree of ${treeSize} leaves had root ${encodeHex(got)} at size ${older.treeSize}, want ${encodeHex(older.rootHash)}`
    )
  }
  if (older.treeSize === 0) return []
  return buildConsistencyProof(older.treeSize, treeSize, reader.tile, sha256)
}

/** A tree that grew from another. */
export interface FollowedTree {
  readonly reader: TileReader
  /** From the older size to the new one (see proveOlderTree). */
  readonly consistencyProof: readonly Uint8Array[]
}

/**
 * Goes on from a tree head that was verified before to a newer one of the same log. Nothing of what was read at the older
 * size is taken over: it would hide a fork from the very check that looks for it.
 *
 * @param older keep it until this succeeds: both heads together are the evidence when it does not
 * @param options with the newer tree head
 * @throws LogError as proveOlderTree and openTileReader. `conflict` says that the log answered with a smaller tree than
 *   before: an old copy of the checkpoint, or a log that was rolled back
 */
export async function followTree(
  older: TreeHead,
  options: TileReaderOptions
): Promise<FollowedTree> {
  const { treeSize } = options.treeHead
  if (treeSize < older.treeSize) {
    throw new LogError(
      'conflict',
      `a tree of ${treeSize} leaves is not newer than one of ${older.treeSize}`
    )
  }
  // Both at that size signed: no tile needs to be read to see a fork, and none could excuse it.
  if (treeSize === older.treeSize && !equalBytes(options.treeHead.rootHash, older.rootHash)) {
    throw new LogError(
      'proof_invalid',
      `two roots at size ${treeSize}: ${encodeHex(options.treeHead.rootHash)} and ${encodeHex(older.rootHash)}`
    )
  }
  const reader = await openTileReader(options)
  return { reader, consistencyProof: await proveOlderTree(reader, older, options.sha256) }
}
