import { encodeBase64 } from '../../encoding/base64.js'
import type { FormatKey, FormatSignature } from '../../keys/signature-format.js'
import { type HashValue, prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'

/** Key and signature in canonical form, and of the chart the hash. */
export function helmLeafValue(
  key: FormatKey,
  signature: FormatSignature,
  hash: HashValue
): Uint8Array {
  return encodeLeafValue('helm', '0.0.1', {
    chart: {
      hash: { ...hash },
      provenance: { signature: { content: encodeBase64(signature.canonical) } }
    },
    publicKey: { content: encodeBase64(key.canonical) }
  })
}

/** Bare key hash, e-mail addresses of the key, chart hash. */
export function helmSearchKeys(key: FormatKey, hash: HashValue): readonly string[] {
  return collectSearchKeys([keyHash(key), ...key.subjects, prefixedHash(hash)])
}
