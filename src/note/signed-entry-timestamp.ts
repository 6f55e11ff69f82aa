import { encodeBase64 } from '../encoding/base64.js'
import { canonicalJson } from '../encoding/canonical-json.js'
import { encodeHex } from '../encoding/hex.js'
import { encodeUtf8 } from '../encoding/text.js'

/** What a log promises with a signed entry timestamp (SET). */
export interface EntryPromise {
  /** Canonical body, exactly as hashed into the tree. */
  readonly leafValue: Uint8Array
  readonly integratedTimeSeconds: number
  /** 32 bytes: SHA-256 over the SubjectPublicKeyInfo of the key that signs. */
  readonly logId: Uint8Array
  /** Over all shards, not the one within the tree. */
  readonly logIndex: number
}

/**
 * Bytes that a SET signs: RFC 8785 JSON of exactly these four members, the body as base64 text. The signature is
 * ECDSA over SHA-256, DER; attestation and proofs are not covered.
 *
 * @see rekor-v1 §5
 */
export function encodeEntryPromise(promise: EntryPromise): Uint8Array {
  const { leafValue, integratedTimeSeconds, logId, logIndex } = promise
  // As canonicalJson would write it. Two are made for every entry, and neither base64 nor hex has anything to escape.
  return encodeUtf8(
    `{"body":"${encodeBase64(leafValue)}","integratedTime":${canonicalJson(integratedTimeSeconds)},` +
      `"logID":"${encodeHex(logId)}","logIndex":${canonicalJson(logIndex)}}`
  )
}
