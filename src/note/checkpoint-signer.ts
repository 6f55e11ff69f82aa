import { encodeUtf8 } from '../encoding/text.js'
import type { TreeHead } from '../merkle/tree.js'
import { formatCheckpointBody } from './checkpoint.js'
import { KEY_ID_BYTES } from './key-id.js'
import { logIdOfKey, type NoteKey } from './log-id.js'
import { formatSignedNote } from './signed-note.js'

/** How a log whose origin is the name of its key signs its checkpoints. */
export interface CheckpointSigner {
  /** 32 bytes; the first four are the key ID. */
  readonly logId: Uint8Array
  /**
   * Checkpoint with one signature line, the log's own. Cosignatures go behind it: some monitors look at the first line only.
   *
   * @param extensionLines after the root hash; none but for a frozen log
   * @throws LogError `invalid_request` as formatCheckpointBody; whatever `sign` throws
   */
  signTreeHead(treeHead: TreeHead, extensionLines?: readonly string[]): Promise<string>
}

/** A key, and what signs with it. */
export interface CheckpointKey {
  /** First line of the checkpoints and name on the signature line: the bare host name of a Rekor v2 log. */
  readonly name: string
  readonly publicKey: NoteKey
  /** Signature over the bytes of the text. */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>
}

/**
 * Signer of a Rekor v2 log's checkpoints. A Rekor v1 tree has another origin than its key has a name, and another key ID.
 *
 * @throws LogError `invalid_request` when the name cannot be that of a key: so no origin is ever taken for one of Rekor v1, which
 *   has spaces in it
 * @see rekor-v2-and-tiles §1.16, §2.5
 */
export function createCheckpointSigner({ name, publicKey, sign }: CheckpointKey): CheckpointSigner {
  const logId = logIdOfKey(name, publicKey)
  const keyId = logId.slice(0, KEY_ID_BYTES)
  return {
    logId,
    async signTreeHead({ treeSize, rootHash }, extensionLines = []) {
      const body = formatCheckpointBody({ origin: name, treeSize, rootHash, extensionLines })
      return formatSignedNote(body, [{ name, keyId, signature: await sign(encodeUtf8(body)) }])
    }
  }
}
