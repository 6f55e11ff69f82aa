import { encodeBase64 } from '../../encoding/base64.js'
import type { FormatKey } from '../../keys/signature-format.js'
import { type HashValue, prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'

/** Key in canonical form, and of the package the hash and what it says of itself. */
export function rpmLeafValue(
  key: FormatKey,
  hash: HashValue,
  headers: Readonly<Record<string, string>>
): Uint8Array {
  return encodeLeafValue('rpm', '0.0.1', {
    package: { hash: { ...hash }, headers: { ...headers } },
    publicKey: { content: encodeBase64(key.canonical) }
  })
}

/** Bare key hash, e-mail addresses of the key, hash of the package. */
export function rpmSearchKeys(key: FormatKey, hash: HashValue): readonly string[] {
  return collectSearchKeys([keyHash(key), ...key.subjects, prefixedHash(hash)])
}
