import { encodeBase64 } from '../../encoding/base64.js'
import { encodeUtf8 } from '../../encoding/text.js'
import type { X509Key } from '../../x509/x509-format.js'
import { prefixedHash } from '../hash-value.js'
import { keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'
import type { Hashedrekord } from './parse.js'

/** The same shape as proposed, the key in canonical PEM. */
export function hashedrekordLeafValue({ signature, key, hash }: Hashedrekord): Uint8Array {
  // As encodeLeafValue would write it. Nothing here needs escapes: base64, hex digits, the name of a hash.
  return encodeUtf8(
    '{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{' +
      `"algorithm":"${hash.algorithm}","value":"${hash.value}"}},` +
      `"signature":{"content":"${encodeBase64(signature)}",` +
      `"publicKey":{"content":"${keyTextsOf(key).base64}"}}}}`
  )
}

/** Bare key hash, SANs, artifact hash. */
export function hashedrekordSearchKeys({ key, hash }: Hashedrekord): readonly string[] {
  return collectSearchKeys([keyTextsOf(key).hash, ...key.subjects, prefixedHash(hash)])
}

/** How a key stands in leaf and index. */
interface KeyTexts {
  readonly base64: string
  readonly hash: string
}

/** Of keys without certificate, which sign again and again: parseX509Key remembers them, too. They go when the keys go. */
const KEY_TEXTS = new WeakMap<X509Key, KeyTexts>()

function keyTextsOf(key: X509Key): KeyTexts {
  const known = KEY_TEXTS.get(key)
  if (known !== undefined) return known
  const texts = { base64: encodeBase64(key.canonical), hash: keyHash(key) }
  if (key.chain.length === 0) KEY_TEXTS.set(key, texts)
  return texts
}
