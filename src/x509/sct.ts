import { concatBytes } from '../encoding/bytes.js'
import {
  createTlsReader,
  encodeTlsBytes,
  encodeTlsOpaque16,
  encodeTlsUint64,
  type TlsReader
} from '../encoding/tls.js'
import { LogError } from '../errors.js'

/** A timestamp of a certificate log: its promise to have the certificate in its tree (RFC 6962 section 3.2). */
export interface SignedCertificateTimestamp {
  /** 32 bytes. */
  readonly logId: Uint8Array
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** Raw bytes; empty for logs like ours. */
  readonly extensions: Uint8Array
  readonly signature: DigitallySigned
}

/** RFC 5246 section 4.7 for the two algorithms RFC 6962 allows, both over SHA-256. */
export interface DigitallySigned {
  readonly algorithm: 'ecdsa' | 'rsa'
  /** ECDSA: ASN.1 DER. RSA: PKCS#1 v1.5. */
  readonly signature: Uint8Array
}

/** Bytes of a log ID: SHA-256 of the log's SubjectPublicKeyInfo. */
export const LOG_ID_BYTES = 32

/** The only version of timestamps and leaves there is in RFC 6962: v1. */
const VERSION_1 = 0

const HASH_SHA256 = 4

/** SignatureAlgorithm of RFC 5246 section 7.4.1.4.1. */
const SIGNATURE_ALGORITHMS = { rsa: 1, ecdsa: 3 } as const

/**
 * Bytes of a timestamp.
 *
 *     struct { Version sct_version; LogID id; uint64 timestamp; CtExtensions extensions; digitally-signed … }
 *
 * @throws LogError `invalid_request` when a field does not fit: a log ID of other than 32 bytes, a time that is no safe
 *   integer, extensions or a signature of more than 65,535 bytes
 * @see RFC 6962 section 3.2
 */
export function encodeSct(sct: SignedCertificateTimestamp): Uint8Array {
  return concatBytes(
    Uint8Array.of(VERSION_1),
    encodeTlsBytes(sct.logId, LOG_ID_BYTES, 'sct: log id'),
    encodeTlsUint64(sct.timestampMs, 'sct: timestamp'),
    encodeTlsOpaque16(sct.extensions, 'sct: extensions'),
    encodeDigitallySigned(sct.signature)
  )
}

/**
 * Reads one timestamp and nothing after it. Its signature is not checked: see verifySct.
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` for another version or algorithm
 */
export function parseSct(bytes: Uint8Array): SignedCertificateTimestamp {
  const reader = createTlsReader(bytes, 'sct')
  const version = reader.uint8()
  if (version !== VERSION_1) throw new LogError('unsupported', `sct: version ${version}`)
  const sct = {
    logId: reader.bytes(LOG_ID_BYTES),
    timestampMs: reader.uint64(),
    extensions: reader.opaque16(),
    signature: readDigitallySigned(reader)
  }
  reader.end()
  return sct
}

/**
 * Bytes of a signature with its algorithm.
 *
 *     struct { HashAlgorithm hash; SignatureAlgorithm signature; opaque signature<0..2^16-1>; }
 *
 * @throws LogError `invalid_request` when the signature is longer than 65,535 bytes
 * @see RFC 5246 section 4.7
 */
export function encodeDigitallySigned({ algorithm, signature }: DigitallySigned): Uint8Array {
  return concatBytes(
    Uint8Array.of(HASH_SHA256, SIGNATURE_ALGORITHMS[algorithm]),
    encodeTlsOpaque16(signature, 'digitally signed: signature')
  )
}

/**
 * Reads one signature with its algorithm and nothing after it.
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` for another hash or algorithm
 */
export function parseDigitallySigned(bytes: Uint8Array): DigitallySigned {
  const reader = createTlsReader(bytes, 'digitally signed')
  const signed = readDigitallySigned(reader)
  reader.end()
  return signed
}

function readDigitallySigned(reader: TlsReader): DigitallySigned {
  const hash = reader.uint8()
  const code = reader.uint8()
  if (hash !== HASH_SHA256) {
    throw new LogError('unsupported', `digitally signed: hash algorithm ${hash}, not SHA-256`)
  }
  if (code !== SIGNATURE_ALGORITHMS.ecdsa && code !== SIGNATURE_ALGORITHMS.rsa) {
    throw new LogError('unsupported', `digitally signed: signature algorithm ${code}`)
  }
  const algorithm = code === SIGNATURE_ALGORITHMS.ecdsa ? 'ecdsa' : 'rsa'
  return { algorithm, signature: reader.opaque16() }
}
