import { encodeBase64 } from '../../encoding/base64.js'
import type { FormatKey, FormatSignature } from '../../keys/signature-format.js'
import { type HashValue, prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'

/** Signature and key in canonical form, and of the artifact the hash. */
export function rekordLeafValue(
  format: string,
  signature: FormatSignature,
  key: FormatKey,
  hash: HashValue
): Uint8Array {
  return encodeLeafValue('rekord', '0.0.1', {
    data: { hash: { ...hash } },
    signature: {
      content: encodeBase64(signature.canonical),
      format,
      publicKey: { content: encodeBase64(key.canonical) }
    }
  })
}

/** Bare key hash, names the key carries, artifact hash. */
export function rekordSearchKeys(key: FormatKey, hash: HashValue): readonly string[] {
  return collectSearchKeys([keyHash(key), ...key.subjects, prefixedHash(hash)])
}
