import { concatBytes } from '../../encoding/bytes.js'
import { hashAlgorithm, KEY_ALGORITHM, signingAlgorithmName } from './algorithms.js'
import { createByteReader, type ByteReader } from './byte-reader.js'
import { structuralFailure, unsupportedFailure } from './failure.js'
import { encodeUint32 } from './packets.js'
import { collectProperties, type SignatureProperties } from './signature-properties.js'
import { encodeSubpackets, parseSubpackets } from './subpackets.js'

/** Signature types (RFC 9580 section 5.2.1). */
export const SIGNATURE_TYPE = {
  binary: 0x00,
  text: 0x01,
  genericCertification: 0x10,
  positiveCertification: 0x13,
  subkeyBinding: 0x18,
  primaryKeyBinding: 0x19,
  directKey: 0x1f,
  keyRevocation: 0x20,
  subkeyRevocation: 0x28,
  certificationRevocation: 0x30
} as const

export interface SignaturePacket extends SignatureProperties {
  readonly version: 4 | 6
  /** See `SIGNATURE_TYPE`. */
  readonly type: number
  readonly keyAlgorithm: number
  readonly hashAlgorithm: number
  /** The hash algorithm as node:crypto calls it. */
  readonly hashName: string
  /** From the version to the end of the hashed subpackets: the part that is signed. */
  readonly hashedPart: Uint8Array
  /** First two bytes of the digest, as the signer wrote them. */
  readonly hashTag: Uint8Array
  /** Empty in v4. */
  readonly salt: Uint8Array
  /** Algorithm-specific fields. */
  readonly fields: Uint8Array
  /** The whole body; only lengths in the unhashed area may differ from what was read. */
  readonly canonicalBody: Uint8Array
}

/**
 * Reads the body of a signature packet.
 *
 * ```
 * version(1) type(1) key algorithm(1) hash algorithm(1)
 * length(2, v6: 4) hashed subpackets
 * length(2, v6: 4) unhashed subpackets
 * hash tag(2) [v6: salt length(1) salt] fields of the algorithm
 * ```
 *
 * @throws LogError `unsupported` (the packet is passed over) | `invalid_request`
 * @see RFC 9580 section 5.2.3
 */
export function parseSignaturePacket(body: Uint8Array): SignaturePacket {
  return readSignature(body, false)
}

function readSignature(body: Uint8Array, isEmbedded: boolean): SignaturePacket {
  const reader = createByteReader(body)
  const version = reader.uint(1)
  if (version !== 4 && version !== 6) {
    throw unsupportedFailure(`signature packet version ${version}`)
  }
  const type = reader.uint(1)
  const keyAlgorithm = reader.uint(1)
  const hashId = reader.uint(1)
  if (signingAlgorithmName(keyAlgorithm) === undefined) {
    throw unsupportedFailure(`public key algorithm ${keyAlgorithm}`)
  }
  const hash = hashAlgorithm(hashId)
  const saltLength = version === 6 ? hash?.saltLength : 0
  if (hash === undefined || saltLength === undefined) {
    throw unsupportedFailure(`hash function ${hashId}`)
  }
  const lengthSize = version === 6 ? 4 : 2
  const hashed = parseSubpackets(reader.bytes(reader.uint(lengthSize)))
  const hashedPart = body.subarray(0, reader.offset())
  const unhashed = parseSubpackets(reader.bytes(reader.uint(lengthSize)))
  const properties = collectProperties(version, hashed, unhashed, (embedded) => {
    // Depth is one by definition; software that allows more can be made to recurse for as long as the packet is.
    if (isEmbedded) throw structuralFailure('embedded signature in a cross-signature')
    const signature = readSignature(embedded, true)
    if (signature.type !== SIGNATURE_TYPE.primaryKeyBinding) {
      throw structuralFailure(`cross-signature has unexpected type ${signature.type}`)
    }
    return signature
  })
  const tail = reader.offset()
  const hashTag = reader.bytes(2)
  const salt = readSalt(reader, version, saltLength)
  const start = reader.offset()
  readSignatureFields(reader, keyAlgorithm)
  if (reader.left() > 0) throw structuralFailure('data after the signature')
  const area = encodeSubpackets(unhashed)
  const areaLength = encodeUint32(area.length).subarray(4 - lengthSize)
  return {
    ...properties,
    version,
    type,
    keyAlgorithm,
    hashAlgorithm: hashId,
    hashName: hash.name,
    hashedPart,
    hashTag,
    salt,
    fields: body.subarray(start),
    canonicalBody: concatBytes(hashedPart, areaLength, area, body.subarray(tail))
  }
}

function readSalt(reader: ByteReader, version: 4 | 6, expectedLength: number): Uint8Array {
  if (version === 6 && reader.uint(1) !== expectedLength) {
    throw structuralFailure('unexpected salt size for the given hash algorithm')
  }
  return reader.bytes(expectedLength)
}

function readSignatureFields(reader: ByteReader, algorithm: number): void {
  switch (algorithm) {
    case KEY_ALGORITHM.rsa:
    case KEY_ALGORITHM.rsaSign:
      reader.mpi()
      return
    case KEY_ALGORITHM.ed25519:
      reader.bytes(64)
      return
    case KEY_ALGORITHM.ed448:
      reader.bytes(114)
      return
    default:
      // DSA, ECDSA and the older EdDSA: two integers.
      reader.mpi()
      reader.mpi()
  }
}
