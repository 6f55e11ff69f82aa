import { createHash, ECDH } from 'node:crypto'

import { concatBytes } from '../../encoding/bytes.js'
import { encodeHex } from '../../encoding/hex.js'
import { LogError } from '../../errors.js'
import { curveByObjectId, hashAlgorithm, KEY_ALGORITHM, type Curve } from './algorithms.js'
import { createByteReader, type ByteReader } from './byte-reader.js'
import { structuralFailure, unsupportedFailure } from './failure.js'
import { encodeUint32 } from './packets.js'

/** A primary key or subkey, public part only. */
export interface PublicKeyPacket {
  readonly version: 4 | 6
  readonly createdSeconds: number
  /** See `KEY_ALGORITHM`. */
  readonly algorithm: number
  /** Body of the public key packet; of a secret key packet only the part that is public. */
  readonly body: Uint8Array
  /** 20 bytes (v4) or 32 (v6). */
  readonly fingerprint: Uint8Array
  /** 16 lower-case hex digits. */
  readonly keyId: string
}

export interface EcdsaFields {
  readonly curve: Curve
  /** Contents of the object identifier of the curve. */
  readonly objectId: Uint8Array
  /** Uncompressed. */
  readonly point: Uint8Array
}

/** Where the fields of the algorithm begin in the body. */
export function keyFieldsOffset(version: 4 | 6): number {
  return version === 6 ? 10 : 6
}

// CAST5, 3DES and AES: the key-wrapping ciphers an ECDH key may name.
const WRAPPING_CIPHERS = [2, 3, 7, 8, 9]

/**
 * Reads the body of a public key or subkey packet.
 *
 * ```
 * version(1) created(4) algorithm(1) [v6: length of the rest(4)] fields of the algorithm
 * ```
 *
 * @param secret whether secret fields follow; they are left alone
 * @throws LogError `unsupported` (the packet is passed over) | `invalid_request`
 * @see RFC 9580 section 5.5.2
 */
export function parsePublicKeyPacket(body: Uint8Array, secret = false): PublicKeyPacket {
  const reader = createByteReader(body)
  const version = reader.uint(1)
  const createdSeconds = reader.uint(4)
  const algorithm = reader.uint(1)
  if (version !== 4 && version !== 6) throw unsupportedFailure(`public key version ${version}`)
  const declaredLength = version === 6 ? reader.uint(4) : undefined
  const start = reader.offset()
  readKeyFields(reader, algorithm, version)
  if (declaredLength !== undefined && declaredLength !== reader.offset() - start) {
    throw structuralFailure('wrong length of key material')
  }
  if (secret ? reader.left() === 0 : reader.left() > 0) {
    throw structuralFailure(secret ? 'no secret key material' : 'data after the key material')
  }
  const publicBody = body.subarray(0, reader.offset())
  const fingerprint = fingerprintOf(version, publicBody)
  const keyId = encodeHex(version === 6 ? fingerprint.subarray(0, 8) : fingerprint.subarray(12))
  return { version, createdSeconds, algorithm, body: publicBody, fingerprint, keyId }
}

function readKeyFields(reader: ByteReader, algorithm: number, version: 4 | 6): void {
  switch (algorithm) {
    case KEY_ALGORITHM.rsa:
    case KEY_ALGORITHM.rsaEncrypt:
    case KEY_ALGORITHM.rsaSign:
      reader.mpi()
      if (reader.mpi().length > 3) throw unsupportedFailure('large public exponent')
      return
    case KEY_ALGORITHM.elgamal:
      for (let i = 0; i < 3; i++) reader.mpi()
      return
    case KEY_ALGORITHM.dsa:
      for (let i = 0; i < 4; i++) reader.mpi()
      return
    case KEY_ALGORITHM.ecdsa:
      readEcdsaFields(reader)
      return
    case KEY_ALGORITHM.ecdh:
      return readEcdhFields(reader, version)
    case KEY_ALGORITHM.eddsaLegacy:
      return readEddsaFields(reader, version)
    case KEY_ALGORITHM.x25519:
    case KEY_ALGORITHM.ed25519:
      reader.bytes(32)
      return
    case KEY_ALGORITHM.x448:
      reader.bytes(56)
      return
    case KEY_ALGORITHM.ed448:
      reader.bytes(57)
      return
    default:
      throw unsupportedFailure(`public key type: ${algorithm}`)
  }
}

/** Fields of an ECDSA key, after the common ones. @throws LogError `unsupported` | `invalid_request` */
export function readEcdsaFields(reader: ByteReader): EcdsaFields {
  const { curve, objectId } = readCurve(reader)
  const point = reader.mpi()
  if (curve.use !== 'ecdsa') throw unsupportedFailure(`unsupported oid: ${curve.name}`)
  if (!isPointOn(curve, point)) {
    throw new LogError('invalid_request', 'ecdsa: failed to parse EC point')
  }
  return { curve, objectId, point }
}

function readEcdhFields(reader: ByteReader, version: 4 | 6): void {
  const { curve } = readCurve(reader)
  if (version === 6 && curve.name === 'x25519') {
    throw structuralFailure('cannot read v6 key with deprecated OID: Curve25519Legacy')
  }
  const point = reader.mpi()
  const kdf = readSized(reader)
  if (curve.use === 'eddsa') throw unsupportedFailure(`unsupported oid: ${curve.name}`)
  const [reserved, hash, cipher] = kdf
  if (hash === undefined || cipher === undefined) {
    throw unsupportedFailure(`unsupported ECDH KDF length: ${kdf.length}`)
  }
  if (reserved !== 1) throw unsupportedFailure(`unsupported KDF reserved field: ${reserved}`)
  if (hashAlgorithm(hash)?.saltLength === undefined) {
    throw unsupportedFailure(`unsupported ECDH KDF hash: ${hash}`)
  }
  if (!WRAPPING_CIPHERS.includes(cipher)) {
    throw unsupportedFailure(`unsupported ECDH KDF cipher: ${cipher}`)
  }
  // A point of another curve is only bytes to us: nothing is ever encrypted here.
  if (curve.use === 'ecdh' && point.length !== curve.pointLength) {
    throw new LogError('invalid_request', 'ecdh: failed to parse EC point')
  }
}

function readEddsaFields(reader: ByteReader, version: 4 | 6): void {
  if (version === 6) {
    throw structuralFailure('cannot generate v6 key with deprecated algorithm: EdDSALegacy')
  }
  const { curve } = readCurve(reader)
  if (curve.use !== 'eddsa') throw unsupportedFailure(`unsupported oid: ${curve.name}`)
  const point = reader.mpi()
  if (point[0] === undefined) throw structuralFailure('empty EdDSA public key')
  if (point[0] !== 0x40) throw unsupportedFailure(`unsupported EdDSA compression: ${point[0]}`)
  if (point.length !== curve.pointLength) {
    throw new LogError('invalid_request', 'eddsa: failed to parse EC point')
  }
}

function readCurve(reader: ByteReader): { curve: Curve; objectId: Uint8Array } {
  const objectId = readSized(reader)
  const text = encodeHex(objectId)
  const curve = curveByObjectId(text)
  if (curve === undefined) throw unsupportedFailure(`unknown oid: ${text}`)
  return { curve, objectId }
}

/** A field with a one-octet length, where 0 and 255 are kept for the future. */
function readSized(reader: ByteReader): Uint8Array {
  const length = reader.uint(1)
  if (length === 0 || length === 0xff) throw unsupportedFailure('reserved for future extensions')
  return reader.bytes(length)
}

function isPointOn(curve: Curve, point: Uint8Array): boolean {
  if (point.length !== curve.pointLength || point[0] !== 4) return false
  try {
    ECDH.convertKey(point, curve.name)
    return true
  } catch {
    return false
  }
}

function fingerprintOf(version: 4 | 6, body: Uint8Array): Uint8Array {
  const hash = createHash(version === 6 ? 'sha256' : 'sha1')
  return new Uint8Array(hash.update(hashedForm(version, body)).digest())
}

/**
 * What a signature over the key covers.
 * @see RFC 9580 section 5.2.4
 */
export function keyForHash(key: PublicKeyPacket): Uint8Array {
  return hashedForm(key.version, key.body)
}

function hashedForm(version: 4 | 6, body: Uint8Array): Uint8Array {
  const prefix =
    version === 6
      ? concatBytes(Uint8Array.of(0x9b), encodeUint32(body.length))
      : Uint8Array.of(0x99, (body.length >> 8) & 0xff, body.length & 0xff)
  return concatBytes(prefix, body)
}
