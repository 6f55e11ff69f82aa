import { concatBytes } from '../encoding/bytes.js'
import { encodeTlsBytes, encodeTlsUint64 } from '../encoding/tls.js'

const VERSION_1 = 0
/** SignatureType; zero is certificate_timestamp, so that neither can be taken for the other. */
const TREE_HASH = 1
const ROOT_HASH_BYTES = 32

/**
 * What a signed tree head (STH) of a certificate log signs.
 *
 *     struct { Version version; SignatureType signature_type; uint64 timestamp; uint64 tree_size;
 *       opaque sha256_root_hash[32]; } TreeHeadSignature;
 *
 * @throws LogError `invalid_request` when a field does not fit
 * @see RFC 6962 section 3.5
 */
export function encodeTreeHeadSignatureInput(head: {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  readonly treeSize: number
  /** 32 bytes. */
  readonly rootHash: Uint8Array
}): Uint8Array {
  return concatBytes(
    Uint8Array.of(VERSION_1, TREE_HASH),
    encodeTlsUint64(head.timestampMs, 'tree head: timestamp'),
    encodeTlsUint64(head.treeSize, 'tree head: tree size'),
    encodeTlsBytes(head.rootHash, ROOT_HASH_BYTES, 'tree head: root hash')
  )
}
