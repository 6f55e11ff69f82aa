import { decodeBase64Loose } from '../../encoding/base64.js'
import { canonicalJson, type JsonValue } from '../../encoding/canonical-json.js'
import { decodeHex, encodeHex } from '../../encoding/hex.js'
import { isJsonObject, parseJson } from '../../encoding/json.js'
import { leastJsonLength } from '../../encoding/json-length.js'
import { olpcJson } from '../../encoding/olpc-json.js'
import { findRepeatedMember } from '../../encoding/repeated-member.js'
import { decodeUtf8, encodeUtf8 } from '../../encoding/text.js'
import { LogError } from '../../errors.js'
import {
  arrayMember,
  integerMember,
  type JsonObject,
  objectMember,
  textMember,
  timeMember
} from './members.js'

/** Longest JSON text read: what canonically fits a leaf, with room for white space. */
export const MAX_TEXT_BYTES = 4 * 1024 * 1024
/** Base64 of more does not fit a leaf. In canonical form. */
export const MAX_CANONICAL_BYTES = 768 * 1024
/** A check of one takes up to 2 ms, and hashes all of the metadata. Roots of large projects have a dozen. */
export const MAX_SIGNATURES = 128

export interface TufSignature {
  readonly keyId: string
  readonly bytes: Uint8Array
}

/** A signed metadata file as read; its signatures were not checked. */
export interface TufMetadata {
  /** Canonical bytes: stored in the leaf; their hex SHA-256 is a search key. */
  readonly canonical: Uint8Array
  readonly signatures: readonly TufSignature[]
  readonly signed: JsonObject
  /** What the signatures are over. */
  readonly signedBytes: Uint8Array
  /** `_type` as written: the name of the role that must have signed. */
  readonly type: string
  readonly version: number
  readonly specVersion: string
  /** Milliseconds since the epoch. */
  readonly expiresMs: number
}

/**
 *     { signatures: [{ keyid, sig: hex }], signed: { _type, spec_version, version, expires, … } }
 *
 * Canonical (RFC 8785) with these members only and digits of signatures in lower case.
 *
 * @throws LogError `invalid_request`, `too_large`
 * @see rekor-v1 §7.6, §8.10
 */
export function readMetadata(value: JsonValue): TufMetadata {
  if (!isJsonObject(value)) throw invalid('tuf: metadata must be an object')
  assertFits(value, MAX_TEXT_BYTES)
  const signatures = arrayMember(value, 'signatures', MAX_SIGNATURES).map(readSignature)
  const sent = objectMember(value, 'signed')
  if (sent === undefined) throw invalid('tuf: signed must be an object')
  assertFits(sent, MAX_CANONICAL_BYTES)
  const canonical = encodeCanonical(signatures, sent)
  // What is checked is what is logged: names that differ only in what is no Unicode are one there, and the last of them stands.
  const { signed } = parseJson(canonical) as { readonly signed: JsonObject } // as it was written
  return {
    canonical,
    signatures,
    signed,
    signedBytes: encodeUtf8(olpcJson(signed)),
    type: textMember(signed, '_type'),
    version: integerMember(signed, 'version'),
    specVersion: textMember(signed, 'spec_version'),
    expiresMs: timeMember(signed, 'expires')
  }
}

/**
 * The same from its JSON text, in which no object may have a member twice: readers differ in which they take.
 *
 * @throws LogError `invalid_request`, `too_large`
 */
export function parseMetadata(bytes: Uint8Array): TufMetadata {
  if (bytes.length > MAX_TEXT_BYTES) throw tooLarge(bytes.length, MAX_TEXT_BYTES)
  const text = decodeUtf8(bytes)
  const value = parseJson(text)
  const repeated = findRepeatedMember(text)
  if (repeated !== undefined) {
    throw invalid(`tuf: an object has the member ${JSON.stringify(repeated.slice(0, 64))} twice`)
  }
  return readMetadata(value)
}

/**
 * The same from the content of an entry: an object, or base64 of its text.
 *
 * @param name `metadata` or `root`, for messages
 * @throws LogError `invalid_request`, `too_large`
 */
export function readContent(content: JsonValue, name: string): TufMetadata {
  if (typeof content !== 'string') return readMetadata(content)
  return parseMetadata(decodeBase64Loose(content, `base64 decoding TUF ${name} content`))
}

function readSignature(value: JsonValue): TufSignature {
  if (!isJsonObject(value)) throw invalid('tuf: a signature must be an object')
  return {
    keyId: textMember(value, 'keyid').toWellFormed(),
    bytes: decodeHex(textMember(value, 'sig'))
  }
}

function encodeCanonical(signatures: readonly TufSignature[], signed: JsonObject): Uint8Array {
  const canonical = encodeUtf8(
    canonicalJson({
      signatures: signatures.map(({ keyId, bytes }) => ({ keyid: keyId, sig: encodeHex(bytes) })),
      signed
    })
  )
  if (canonical.length <= MAX_CANONICAL_BYTES) return canonical
  throw tooLarge(canonical.length, MAX_CANONICAL_BYTES)
}

/** A member takes microseconds to look up and to sort, and a request has room for millions. */
function assertFits(value: JsonObject, limit: number): void {
  if (leastJsonLength(value, limit) <= limit) return
  throw new LogError('too_large', `TUF metadata are larger than ${limit} bytes`)
}

function tooLarge(length: number, limit: number): LogError {
  return new LogError('too_large', `TUF metadata of ${length} bytes are larger than ${limit}`)
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
