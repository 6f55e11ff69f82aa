import { concatBytes } from '../encoding/bytes.js'
import {
  createTlsReader,
  encodeTlsBytes,
  encodeTlsOpaque16,
  encodeTlsOpaque24,
  encodeTlsUint16,
  encodeTlsUint64,
  type TlsReader
} from '../encoding/tls.js'
import { LogError } from '../errors.js'

/** What a certificate log signs of a submission, and has in its tree. */
export type CtSignedEntry =
  | {
      readonly kind: 'certificate'
      /** DER as submitted. */
      readonly certificate: Uint8Array
    }
  | {
      readonly kind: 'precertificate'
      /** 32 bytes, SHA-256 of the issuer's SubjectPublicKeyInfo. */
      readonly issuerKeyHash: Uint8Array
      /** DER of the TBSCertificate without the poison extension (see precertificate.ts). */
      readonly tbsCertificate: Uint8Array
    }

export interface TimestampedEntry {
  /** Milliseconds since the epoch: that of the timestamp (SCT). */
  readonly timestampMs: number
  readonly entry: CtSignedEntry
  /** Those of the timestamp; empty for logs like ours. */
  readonly extensions: Uint8Array
}

const VERSION_1 = 0
/** MerkleLeafType timestamped_entry, and in a timestamp SignatureType certificate_timestamp: both are zero. */
const TIMESTAMPED_ENTRY = 0
/** LogEntryType. */
const ENTRY_TYPES = { certificate: 0, precertificate: 1 } as const
const ISSUER_KEY_HASH_BYTES = 32
const LABEL = 'merkle tree leaf'

/**
 * Leaf value of an entry. The very same bytes are what its timestamp (SCT) signs: `certificate_timestamp` and
 * `timestamped_entry` are the same number, and the fields after it are the same.
 *
 *     struct { Version version; MerkleLeafType leaf_type; TimestampedEntry timestamped_entry; } MerkleTreeLeaf;
 *     struct {
 *       uint64 timestamp; LogEntryType entry_type;
 *       select(entry_type) { case x509_entry: ASN.1Cert; case precert_entry: PreCert; } signed_entry;
 *       CtExtensions extensions; } TimestampedEntry;
 *     opaque ASN.1Cert<1..2^24-1>;
 *     struct { opaque issuer_key_hash[32]; opaque tbs_certificate<1..2^24-1>; } PreCert;
 *
 * @throws LogError `invalid_request` when a field does not fit
 * @see RFC 6962 sections 3.2 and 3.4
 */
export function encodeMerkleTreeLeaf(leaf: TimestampedEntry): Uint8Array {
  return concatBytes(
    Uint8Array.of(VERSION_1, TIMESTAMPED_ENTRY),
    encodeTlsUint64(leaf.timestampMs, `${LABEL}: timestamp`),
    encodeTlsUint16(ENTRY_TYPES[leaf.entry.kind], LABEL),
    ...encodeSignedEntry(leaf.entry),
    encodeTlsOpaque16(leaf.extensions, `${LABEL}: extensions`)
  )
}

/**
 * Reads a leaf value. That there are certificates in it is not checked.
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` for another version, leaf or entry type
 */
export function parseMerkleTreeLeaf(bytes: Uint8Array): TimestampedEntry {
  const reader = createTlsReader(bytes, LABEL)
  const version = reader.uint8()
  const leafType = reader.uint8()
  if (version !== VERSION_1 || leafType !== TIMESTAMPED_ENTRY) {
    throw new LogError('unsupported', `${LABEL}: version ${version}, leaf type ${leafType}`)
  }
  const timestampMs = reader.uint64()
  const entry = readSignedEntry(reader)
  const extensions = reader.opaque16()
  reader.end()
  return { timestampMs, entry, extensions }
}

function encodeSignedEntry(entry: CtSignedEntry): readonly Uint8Array[] {
  if (entry.kind === 'certificate') {
    const label = `${LABEL}: certificate`
    return [encodeTlsOpaque24(filled(entry.certificate, label), label)]
  }
  const label = `${LABEL}: tbs certificate`
  return [
    encodeTlsBytes(entry.issuerKeyHash, ISSUER_KEY_HASH_BYTES, `${LABEL}: issuer key hash`),
    encodeTlsOpaque24(filled(entry.tbsCertificate, label), label)
  ]
}

function readSignedEntry(reader: TlsReader): CtSignedEntry {
  const type = reader.uint16()
  if (type === ENTRY_TYPES.certificate) {
    const certificate = filled(reader.opaque24(), `${LABEL}: certificate`)
    return { kind: 'certificate', certificate }
  }
  if (type === ENTRY_TYPES.precertificate) {
    const issuerKeyHash = reader.bytes(ISSUER_KEY_HASH_BYTES)
    const tbsCertificate = filled(reader.opaque24(), `${LABEL}: tbs certificate`)
    return { kind: 'precertificate', issuerKeyHash, tbsCertificate }
  }
  throw new LogError('unsupported', `${LABEL}: entry type ${type}`)
}

/** Neither of the two vectors may be empty. */
function filled(bytes: Uint8Array, label: string): Uint8Array {
  if (bytes.length === 0) throw new LogError('invalid_request', `${label}: empty`)
  return bytes
}
