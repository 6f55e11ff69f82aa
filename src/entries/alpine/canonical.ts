import { encodeBase64 } from '../../encoding/base64.js'
import type { FormatKey } from '../../keys/signature-format.js'
import { type HashValue, prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'

/** Hash of the package, what it says of itself, and the key in canonical form. */
export function alpineLeafValue(
  key: FormatKey,
  hash: HashValue,
  pkginfo: ReadonlyMap<string, string>
): Uint8Array {
  return encodeLeafValue('alpine', '0.0.1', {
    package: {
      hash: { ...hash },
      // It has at least a datahash. A member of its own even for `__proto__`.
      pkginfo: Object.fromEntries(pkginfo)
    },
    publicKey: { content: encodeBase64(key.canonical) }
  })
}

/** Bare key hash, names the key carries, hash of the package. */
export function alpineSearchKeys(key: FormatKey, hash: HashValue): readonly string[] {
  return collectSearchKeys([keyHash(key), ...key.subjects, prefixedHash(hash)])
}
