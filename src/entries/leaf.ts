import { canonicalJson, type JsonValue } from '../encoding/canonical-json.js'
import { encodeHex } from '../encoding/hex.js'
import { encodeUtf8 } from '../encoding/text.js'
import { sha256 } from '../keys/sha256.js'
import type { FormatKey } from '../keys/signature-format.js'
import type { HashValue } from './hash-value.js'

/** Canonical bytes of an entry: what is hashed into the tree. @see rekor-v1 §6.3, RFC 8785 */
export function encodeLeafValue(kind: string, apiVersion: string, spec: JsonValue): Uint8Array {
  return encodeUtf8(canonicalJson({ apiVersion, kind, spec }))
}

/** Hash member of a canonical spec. */
export function sha256Value(bytes: Uint8Array): HashValue {
  return { algorithm: 'sha256', value: encodeHex(sha256(bytes)) }
}

/** Bare search key of a public key: hex SHA-256 of its canonical bytes. */
export function keyHash(key: FormatKey): string {
  return sha256Value(key.canonical).value
}
