import type { FormatKey } from '../../keys/signature-format.js'
import { parseMetadata } from './metadata.js'
import { readRoot } from './root.js'
import { verifyMetadata } from './verify-metadata.js'

/**
 * Root files as keys to search by. There are no detached signatures of this format.
 *
 * A root must have signed itself. It may have expired, other than in Rekor: what was logged with it is in the log all the same.
 *
 * @see rekor-v1 §7.6
 */
export const tufFormat = {
  name: 'tuf',

  /** @throws LogError `invalid_request` | `unsupported` | `verification_failed` | `too_large` */
  async parseKey(bytes: Uint8Array): Promise<FormatKey> {
    const metadata = parseMetadata(bytes)
    verifyMetadata(readRoot(metadata), 'root', metadata, undefined)
    return { canonical: metadata.canonical, subjects: [] }
  }
} as const
