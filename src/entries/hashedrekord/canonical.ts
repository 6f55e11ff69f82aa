import { encodeBase64 } from '../../encoding/base64.js'
import { prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'
import type { Hashedrekord } from './parse.js'

/** The same shape as proposed, the key in canonical PEM. */
export function hashedrekordLeafValue({ signature, key, hash }: Hashedrekord): Uint8Array {
  return encodeLeafValue('hashedrekord', '0.0.1', {
    data: { hash: { ...hash } },
    signature: {
      content: encodeBase64(signature),
      publicKey: { content: encodeBase64(key.canonical) }
    }
  })
}

/** Bare key hash, SANs, artifact hash. */
export function hashedrekordSearchKeys({ key, hash }: Hashedrekord): readonly string[] {
  return collectSearchKeys([keyHash(key), ...key.subjects, prefixedHash(hash)])
}
