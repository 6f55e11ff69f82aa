import {
  DER_TAG,
  type DerElement,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  readConstructed,
  readContent,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'

/** Hash functions of timestamps, in requests and in signatures. */
export type TimestampHash = 'sha256' | 'sha384' | 'sha512'

/** What is timestamped: a digest, of the length its hash function has. */
export interface MessageImprint {
  readonly hash: TimestampHash
  readonly digest: Uint8Array
}

const HASHES: Readonly<Record<TimestampHash, { readonly oid: string; readonly bytes: number }>> = {
  sha256: { oid: '2.16.840.1.101.3.4.2.1', bytes: 32 },
  sha384: { oid: '2.16.840.1.101.3.4.2.2', bytes: 48 },
  sha512: { oid: '2.16.840.1.101.3.4.2.3', bytes: 64 }
}
const NAMES = Object.keys(HASHES) as readonly TimestampHash[] // its keys are these

/** Known only to be refused by name. */
const OID_SHA1 = '1.3.14.3.2.26'

// Each is written with every timestamp.
const PLAIN = new Map(NAMES.map((name) => [name, encodeSequence(encodeOid(HASHES[name].oid))]))
const WITH_NULL = new Map(
  NAMES.map((name) => [name, encodeSequence(encodeOid(HASHES[name].oid), encodeNull())])
)

/**
 * AlgorithmIdentifier of a hash function.
 * @param parameters absent in signatures and references (RFC 5754), NULL in the imprint, as every client sends it
 */
export function encodeHashAlgorithm(
  hash: TimestampHash,
  parameters: 'absent' | 'null'
): Uint8Array {
  return (parameters === 'null' ? WITH_NULL : PLAIN).get(hash) as Uint8Array // every name is in both
}

/**
 * Hash function of an AlgorithmIdentifier, whose parameters are NULL or absent.
 * @throws LogError `unsupported` for SHA-1, with the text clients know; `invalid_request` for any other
 */
export function readHashAlgorithm(element: DerElement | undefined, label: string): TimestampHash {
  const oid = readHashOid(element, label)
  if (oid === OID_SHA1) throw weakHash()
  return hashOf(oid, label)
}

/**
 * `MessageImprint ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, hashedMessage OCTET STRING }`
 *
 * @throws LogError as readHashAlgorithm and checkMessageImprint
 * @see RFC 3161 section 2.4.1
 */
export function readMessageImprint(element: DerElement | undefined, label: string): MessageImprint {
  const [algorithm, hashed, extra] = readConstructed(element, DER_TAG.sequence, label)
  const oid = readHashOid(algorithm, label)
  const digest = readContent(hashed, DER_TAG.octetString, label)
  if (extra !== undefined) throw malformed(label, 'more than two fields in messageImprint')
  return checkMessageImprint(oid === OID_SHA1 ? 'sha1' : hashOf(oid, label), digest, label)
}

/**
 * A digest as it may be timestamped.
 *
 * @throws LogError `unsupported` for SHA-1 and `verification_failed` for a digest of another length, with the texts clients
 *   know; `invalid_request` for an empty one
 * @see ct-and-tsa §C1
 */
export function checkMessageImprint(
  hash: TimestampHash | 'sha1',
  digest: Uint8Array,
  label: string
): MessageImprint {
  if (digest.length === 0) throw malformed(label, 'empty digest')
  if (hash === 'sha1') throw weakHash()
  if (digest.length !== HASHES[hash].bytes) {
    throw new LogError(
      'verification_failed',
      'Message digest has incorrect length for specified algorithm'
    )
  }
  return { hash, digest }
}

/** Its algorithm with NULL, whatever the request had. */
export function encodeMessageImprint({ hash, digest }: MessageImprint): Uint8Array {
  return encodeSequence(encodeHashAlgorithm(hash, 'null'), encodeOctetString(digest))
}

function readHashOid(element: DerElement | undefined, label: string): string {
  const [oid, parameters, extra] = readConstructed(element, DER_TAG.sequence, label)
  if (extra !== undefined) throw malformed(label, 'more than two fields in algorithm identifier')
  if (
    parameters !== undefined &&
    readContent(parameters, DER_TAG.null, `${label}: parameters of the hash algorithm`).length > 0
  ) {
    throw malformed(label, 'NULL with content')
  }
  return readOid(oid, label)
}

function hashOf(oid: string, label: string): TimestampHash {
  const hash = NAMES.find((name) => HASHES[name].oid === oid)
  if (hash === undefined) throw malformed(label, `unknown hash algorithm ${oid}`)
  return hash
}

function weakHash(): LogError {
  return new LogError('unsupported', 'Weak hash algorithm in timestamp request')
}

function malformed(label: string, problem: string): LogError {
  return new LogError('invalid_request', `${label}: ${problem}`)
}
