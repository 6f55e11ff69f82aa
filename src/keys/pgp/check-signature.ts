import {
  config,
  enums,
  PublicKeyPacket as LibraryKey,
  SignaturePacket as LibrarySignature,
  type Config
} from 'openpgp'

import { concatBytes, equalBytes } from '../../encoding/bytes.js'
import { LogError } from '../../errors.js'
import { KEY_ALGORITHM, signingAlgorithmName } from './algorithms.js'
import { createByteReader } from './byte-reader.js'
import { checkEcdsa } from './check-ecdsa.js'
import { encodeUint32 } from './packets.js'
import { keyFieldsOffset, type PublicKeyPacket } from './public-key-packet.js'
import { hashTagOf } from './signature-hash.js'
import type { SignaturePacket } from './signature-packet.js'
import { encodeSubpackets, SUBPACKET } from './subpackets.js'

/** Shorter RSA keys are refused by every client of the log. */
export const MIN_RSA_BITS = 1024
/** What OpenSSL takes at most; a check costs about 5 ms. */
export const MAX_RSA_BITS = 16_384
/** Where FIPS 186-4 stops. The library checks DSA in JavaScript: 17 ms at this size, growing with the cube of it. */
export const MAX_DSA_BITS = 3072
/** Likewise for the order of the subgroup. */
export const MAX_DSA_SUBGROUP_BITS = 256

/**
 * Checks that `key` made `signature` over `signed`. Only the mathematics: no time, flags or revocations.
 *
 * The work is the library's, except ECDSA (see checkEcdsa). It refuses EdDSA over digests shorter than 256 bits, as
 * RFC 9580 section 5.2.3.3 demands and Rekor does not.
 *
 * @param signed what precedes the hashed part of the signature in what was hashed (RFC 9580 section 5.2.4)
 * @throws LogError `verification_failed`
 */
export async function checkSignature(
  key: PublicKeyPacket,
  signature: SignaturePacket,
  signed: Uint8Array
): Promise<void> {
  const algorithm = signingAlgorithmName(key.algorithm)
  if (algorithm === undefined) {
    throw refused('openpgp: invalid argument: public key cannot generate signatures')
  }
  if (key.algorithm !== signature.keyAlgorithm) {
    throw refused('openpgp: invalid argument: public key and signature use different algorithms')
  }
  // Of v4 signatures Rekor does not look at the hash tag.
  if (signature.version === 6 && !equalBytes(signature.hashTag, hashTagOf(signature, signed))) {
    throw refused("openpgp: invalid signature: hash tag doesn't match")
  }
  try {
    if (key.algorithm === KEY_ALGORITHM.ecdsa) checkEcdsa(key, signature, signed)
    else await checkWithLibrary(key, signature, signed)
  } catch (err) {
    // Whatever the library does not like about a signature, it is not a good one.
    const message = `openpgp: invalid signature: ${algorithm} verification failure`
    throw new LogError('verification_failed', message, { cause: err })
  }
}

/**
 * The library would refuse SHA-1, and signatures that lack their issuer, carry a revocation key, or are about user IDs that
 * are not UTF-8. Rekor accepts all of these and the log must agree with it. So the library gets a signature packet of our
 * making around the same hashed part, and a configuration that is relaxed for this call only.
 */
async function checkWithLibrary(
  key: PublicKeyPacket,
  signature: SignaturePacket,
  signed: Uint8Array
): Promise<void> {
  assertSize(key)
  const relaxed = relaxedConfig()
  const libraryKey = new LibraryKey()
  await libraryKey.read(key.body)
  const librarySignature = new LibrarySignature()
  librarySignature.read(envelope(key, signature, signed))
  librarySignature.signatureData = signature.hashedPart
  // A signature directly over a key hashes nothing but what the key writes for it: here, all of what was signed.
  const subject = { key: { writeForHash: () => signed } }
  const date = librarySignature.created as Date // the creation time is in the envelope
  await librarySignature.verify(libraryKey, enums.signature.key, subject, date, true, relaxed)
}

function relaxedConfig(): Config {
  return {
    ...config,
    minRSABits: MIN_RSA_BITS,
    rejectHashAlgorithms: new Set(),
    rejectMessageHashAlgorithms: new Set(),
    rejectPublicKeyAlgorithms: new Set(),
    rejectCurves: new Set()
  }
}

/**
 * Body of a signature packet with the cryptographic contents of `signature` and, of subpackets, the creation time and
 * the issuer only.
 */
function envelope(
  key: PublicKeyPacket,
  signature: SignaturePacket,
  signed: Uint8Array
): Uint8Array {
  const head = [signature.version, signature.type, signature.keyAlgorithm, signature.hashAlgorithm]
  return concatBytes(
    Uint8Array.from(head),
    subpacketArea(
      signature.version,
      SUBPACKET.creationTime,
      encodeUint32(signature.createdSeconds)
    ),
    subpacketArea(
      signature.version,
      SUBPACKET.issuerFingerprint,
      concatBytes(Uint8Array.of(key.version), key.fingerprint)
    ),
    hashTagOf(signature, signed),
    signature.version === 6 ? Uint8Array.of(signature.salt.length) : new Uint8Array(0),
    signature.salt,
    signature.fields
  )
}

function subpacketArea(version: 4 | 6, type: number, contents: Uint8Array): Uint8Array {
  const area = encodeSubpackets([{ type, critical: false, contents }])
  return concatBytes(encodeUint32(area.length).subarray(version === 6 ? 0 : 2), area)
}

/** Refuses keys too short to mean anything and those too long to be checked in bounded time. */
function assertSize(key: PublicKeyPacket): void {
  const reader = createByteReader(key.body.subarray(keyFieldsOffset(key.version)))
  if (key.algorithm === KEY_ALGORITHM.dsa) {
    assertBitLength(reader.mpi(), 0, MAX_DSA_BITS)
    assertBitLength(reader.mpi(), 0, MAX_DSA_SUBGROUP_BITS)
  }
  if (key.algorithm === KEY_ALGORITHM.rsa || key.algorithm === KEY_ALGORITHM.rsaSign) {
    assertBitLength(reader.mpi(), MIN_RSA_BITS, MAX_RSA_BITS)
  }
}

function assertBitLength(integer: Uint8Array, least: number, most: number): void {
  const bits = bitLength(integer)
  if (bits < least || bits > most) throw refused(`number of ${bits} bits`)
}

function bitLength(integer: Uint8Array): number {
  const first = integer.findIndex((byte) => byte !== 0)
  if (first < 0) return 0
  // found above
  return (integer.length - first) * 8 - Math.clz32(integer[first] as number) + 24
}

function refused(message: string): LogError {
  return new LogError('verification_failed', message)
}
