import { createHash } from 'node:crypto'

import {
  config,
  enums,
  PublicKeyPacket as LibraryKey,
  SignaturePacket as LibrarySignature,
  type Config
} from 'openpgp'

import { concatBytes } from '../../encoding/bytes.js'
import { LogError } from '../../errors.js'
import { hashAlgorithm, KEY_ALGORITHM, signingAlgorithmName } from './algorithms.js'
import { createByteReader } from './byte-reader.js'
import { encodeUint32 } from './packets.js'
import type { PublicKeyPacket } from './public-key-packet.js'
import type { SignaturePacket } from './signature-packet.js'
import { encodeSubpackets, SUBPACKET } from './subpackets.js'

/** Shorter RSA keys are refused by every client of the log. */
export const MIN_RSA_BITS = 1024
/** What OpenSSL takes at most; a check costs about 2 ms. */
export const MAX_RSA_BITS = 16_384
/** FIPS 186-4 stops at 3072 bits. The check is written in JavaScript: its time grows with the cube of this. */
export const MAX_DSA_BITS = 4096
/** Likewise for the order of the subgroup, where the standard stops at 256 bits. */
export const MAX_DSA_SUBGROUP_BITS = 512

/**
 * Checks that `key` made `signature` over `signed`. Only the mathematics: no time, flags or revocations.
 *
 * The library would refuse SHA-1, and signatures that lack a hint about their issuer, carry a revocation key, or are
 * about user IDs that are not UTF-8. Rekor accepts all of these and the log must agree with it. So the library is given
 * a signature packet of our making with the same hashed part, and its configuration is relaxed for this call only.
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
  const failure = `openpgp: invalid signature: ${algorithm} verification failure`
  if (!hasAcceptableSize(key)) throw refused(failure)
  try {
    await verifyWithLibrary(key, signature, signed)
  } catch (err) {
    throw new LogError('verification_failed', failure, { cause: err })
  }
}

async function verifyWithLibrary(
  key: PublicKeyPacket,
  signature: SignaturePacket,
  signed: Uint8Array
): Promise<void> {
  const relaxed = relaxedConfig()
  const libraryKey = new LibraryKey()
  await readWith(libraryKey, key.body, relaxed)
  const librarySignature = new LibrarySignature()
  await readWith(librarySignature, signatureFor(key, signature, signed), relaxed)
  librarySignature.signatureData = signature.hashedPart
  // A signature directly over a key hashes nothing but what the key writes for it: here, all of what was signed.
  const subject = { key: { writeForHash: () => signed } }
  const created = librarySignature.created ?? undefined
  await librarySignature.verify(libraryKey, enums.signature.key, subject, created, true, relaxed)
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

/** The declared types leave out the second parameter of `read`. */
async function readWith(
  packet: { read(bytes: Uint8Array, config?: Config): Promise<void> | void },
  body: Uint8Array,
  relaxed: Config
): Promise<void> {
  await packet.read(body, relaxed)
}

/**
 * Body of a signature packet with the cryptographic contents of `signature` and, of subpackets, the creation time and
 * the issuer only.
 */
function signatureFor(
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
    hashTagFor(signature, signed),
    signature.version === 6 ? Uint8Array.of(signature.salt.length) : new Uint8Array(0),
    signature.salt,
    signature.fields
  )
}

function subpacketArea(version: 4 | 6, type: number, contents: Uint8Array): Uint8Array {
  const area = encodeSubpackets([{ type, critical: false, contents }])
  return concatBytes(encodeUint32(area.length).subarray(version === 6 ? 0 : 2), area)
}

/** Of v4 signatures Rekor does not compare the hash tag, so here it is what the library will compare with. */
function hashTagFor(signature: SignaturePacket, signed: Uint8Array): Uint8Array {
  if (signature.version === 6) return signature.hashTag
  const hash = createHash(hashAlgorithm(signature.hashAlgorithm)?.name ?? '')
  hash.update(signed).update(signature.hashedPart)
  hash.update(Uint8Array.of(4, 0xff)).update(encodeUint32(signature.hashedPart.length))
  return hash.digest().subarray(0, 2)
}

/** Whether checking costs a bounded time, and for RSA whether the key is long enough. */
function hasAcceptableSize(key: PublicKeyPacket): boolean {
  const reader = createByteReader(key.body)
  reader.bytes(key.version === 6 ? 10 : 6)
  if (key.algorithm === KEY_ALGORITHM.dsa) {
    return (
      bitLength(reader.mpi()) <= MAX_DSA_BITS && bitLength(reader.mpi()) <= MAX_DSA_SUBGROUP_BITS
    )
  }
  if (key.algorithm === KEY_ALGORITHM.rsa || key.algorithm === KEY_ALGORITHM.rsaSign) {
    const bits = bitLength(reader.mpi())
    return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS
  }
  return true
}

function bitLength(integer: Uint8Array): number {
  const first = integer.findIndex((byte) => byte !== 0)
  if (first < 0) return 0
  return (integer.length - first) * 8 - Math.clz32(integer[first] ?? 0) + 24
}

function refused(message: string): LogError {
  return new LogError('verification_failed', message)
}
