import { encodeBase64 } from '../../encoding/base64.js'
import type { FormatKey, FormatSignature } from '../../keys/signature-format.js'
import { type HashValue, prefixedHash } from '../hash-value.js'
import { encodeLeafValue, sha256Value } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'

/** Signature and certificate as they were in the archive, of the archive itself the hash. */
export function jarLeafValue(
  signature: FormatSignature,
  key: FormatKey,
  hash: HashValue
): Uint8Array {
  return encodeLeafValue('jar', '0.0.1', {
    archive: { hash: { ...hash } },
    signature: {
      content: encodeBase64(signature.canonical),
      publicKey: { content: encodeBase64(key.canonical) }
    }
  })
}

/** Bare hash of the signature, archive hash. Of the key nothing: as in Rekor these entries are not found by who signed. */
export function jarSearchKeys(
  signature: FormatSignature | undefined,
  hash: HashValue | undefined
): readonly string[] {
  return collectSearchKeys([
    ...(signature === undefined ? [] : [sha256Value(signature.canonical).value]),
    ...(hash === undefined ? [] : [prefixedHash(hash)])
  ])
}
