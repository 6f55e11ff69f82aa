import { createHash, constants, publicDecrypt, verify as nativeVerify } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { concatBytes, equalBytes } from '../encoding/bytes.js'
import { decodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import {
  type EcdsaSignature,
  invalidEcdsaSignature,
  readEcdsaSignature
} from './ecdsa-signature.js'
import { verifyEd25519phDigest } from './ed25519ph.js'
import {
  type NativeCrypto,
  nativeCrypto,
  type PreparedCheck,
  prepareCheck
} from './native-crypto.js'
import { p224 } from './p224.js'
import type { EcdsaPublicKey, PublicKey, RsaPublicKey } from './public-key.js'
import { sha256 } from './sha256.js'

/** Hash functions a signature may be over. SHA-1 only where ssh-rsa needs it. */
export type HashName = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'

interface Hash {
  readonly bytes: number
  /** As Go spells it, for messages. */
  readonly title: string
  /** DER of DigestInfo up to the digest itself. @see RFC 8017 section 9.2, note 1 */
  readonly digestInfoPrefix: Uint8Array
}

const HASHES: Readonly<Record<HashName, Hash>> = {
  sha1: hash(20, 'SHA-1', '3021300906052b0e03021a05000414'),
  sha224: hash(28, 'SHA-224', '302d300d06096086480165030402040500041c'),
  sha256: hash(32, 'SHA-256', '3031300d060960864801650304020105000420'),
  sha384: hash(48, 'SHA-384', '3041300d060960864801650304020205000430'),
  sha512: hash(64, 'SHA-512', '3051300d060960864801650304020305000440')
}

const NOBLE_CURVES = { 'P-224': p224, 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const

/** Below this Go refuses to verify, whatever the entry kind. In bits. */
const MIN_RSA_BITS = 1024

/** Digest of `data`. */
export function hashData(hashName: HashName, data: Uint8Array): Uint8Array {
  if (hashName === 'sha256') return sha256(data)
  return createHash(hashName).update(data).digest()
}

/** A signature over a digest, and what it is to be checked with. */
export interface SignedDigest {
  readonly key: PublicKey
  readonly hashName: HashName
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Checks a signature over a digest: RSA PKCS#1 v1.5, ECDSA in DER or IEEE P1363, Ed25519ph. This is all a hashedrekord
 * has. Node itself cannot check the last two; `native/` does where it was built (ECDSA on P-256: 0.08 ms), and pure
 * JavaScript elsewhere (2.5 ms). Either way it is done on this thread.
 *
 * @throws LogError `verification_failed` with the texts of rekor-v1 §7.1; `internal` when OpenSSL itself failed
 */
export async function verifyDigest(
  key: PublicKey,
  hashName: HashName,
  digest: Uint8Array,
  signature: Uint8Array
): Promise<void> {
  const native = nativeCrypto()
  const check = verifyOrAsk({ key, hashName, digest, signature }, native)
  if (check !== undefined && native?.isGood(check) !== true) throw check.refusal()
}

/**
 * Checks many signatures over digests with the same verdicts and texts as verifyDigest. Native verification does its part on
 * libuv's pool in one crossing; RSA, and everything where there is no native verification, is done on this thread.
 *
 * @returns why each is refused, in order; undefined for a good one
 * @throws LogError `internal` when OpenSSL itself failed, whichever signature it was at
 */
export async function verifyDigests(
  signed: readonly SignedDigest[]
): Promise<readonly (LogError | undefined)[]> {
  const native = nativeCrypto()
  const refusals = new Array<LogError | undefined>(signed.length).fill(undefined)
  const checks: PreparedCheck[] = []
  const places: number[] = []
  for (let place = 0; place < signed.length; place++) {
    try {
      const check = verifyOrAsk(signed[place] as SignedDigest, native) // place is within them
      if (check === undefined) continue
      checks.push(check)
      places.push(place)
    } catch (err) {
      refusals[place] = err as LogError // verifyOrAsk throws nothing else
    }
  }
  if (native === undefined || checks.length === 0) return refusals
  const verdicts = await native.areGood(checks)
  checks.forEach(({ refusal }, i) => {
    if (verdicts[i] !== true) refusals[places[i] as number] = refusal() // one for each check
  })
  return refusals
}

/**
 * Checks what is checked without `native`, and what can be said of a signature before it is asked.
 *
 * @returns what `native` must be asked; undefined when the signature is good
 * @throws LogError `verification_failed`
 */
function verifyOrAsk(
  { key, hashName, digest, signature }: SignedDigest,
  native: NativeCrypto | undefined
): PreparedCheck | undefined {
  if (key.type === 'ed25519' && hashName !== 'sha512') {
    const { title } = HASHES[hashName]
    throw failed(`unsupported hash algorithm: "${title}" not in [${HASHES.sha512.title}]`)
  }
  if (digest.length !== HASHES[hashName].bytes) {
    throw failed('unexpected length of digest for hash function specified')
  }
  if (native?.verifies(key)) return prepareCheck(key, hashName, digest, signature)
  if (key.type === 'ed25519') {
    verifyEd25519phDigest(key, digest, signature)
  } else if (key.type === 'rsa') {
    verifyRsaDigest(key, hashName, digest, signature)
  } else {
    verifyEcdsa(signature, (der) =>
      // lowS: OpenSSL and Go sign without that rule; half of their signatures would be refused.
      NOBLE_CURVES[key.curve].verify(der, digest, key.point, {
        lowS: false,
        format: 'der',
        prehash: false
      })
    )
  }
  return undefined
}

/**
 * Checks a signature over the data itself, hashed with `hashName`; Ed25519 is pure and takes no hash.
 *
 * Ed25519 as in Go: R compared byte for byte, no cofactor, s below the group order. OpenSSL does the same; ZIP 215 or
 * noble's rules would take signatures that Rekor's clients refuse.
 *
 * @throws LogError `verification_failed` with the texts of rekor-v1 §7.1
 */
export async function verifyData(
  key: PublicKey,
  hashName: HashName,
  data: Uint8Array,
  signature: Uint8Array
): Promise<void> {
  if (key.type === 'ed25519') {
    if (!nativeVerify(null, data, key.keyObject, signature)) {
      throw failed('failed to verify signature')
    }
  } else if (key.type === 'rsa') {
    verifyRsaDigest(key, hashName, hashData(hashName, data), signature)
  } else {
    verifyEcdsa(signature, (der) => verifyEcdsaData(key, hashName, data, der))
  }
}

function verifyEcdsaData(
  key: EcdsaPublicKey,
  hashName: HashName,
  data: Uint8Array,
  der: Uint8Array
): boolean {
  const native = nativeCrypto()
  // Spares reading the key once more (150 us), and keys that are used often verify faster.
  if (native?.verifies(key) === true) {
    return native.isGood({ key, hashName, digest: hashData(hashName, data), signature: der })
  }
  return nativeVerify(hashName, data, { key: key.keyObject, dsaEncoding: 'der' }, der)
}

function verifyEcdsa(bytes: Uint8Array, isGood: (der: Uint8Array) => boolean): void {
  const signature: EcdsaSignature = readEcdsaSignature(bytes)
  if (!isGood(signature.der)) throw invalidEcdsaSignature(signature.encoding)
}

/** RSASSA-PKCS1-v1_5 over a digest: recover the padded block, compare all of it. @see RFC 8017 section 8.2.2 */
function verifyRsaDigest(
  key: RsaPublicKey,
  hashName: HashName,
  digest: Uint8Array,
  signature: Uint8Array
): void {
  const bits = key.modulus.toString(2).length
  if (bits < MIN_RSA_BITS) {
    throw failed(
      `crypto/rsa: ${bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)`
    )
  }
  const expected = concatBytes(HASHES[hashName].digestInfoPrefix, digest)
  if (
    signature.length !== key.modulusBytes ||
    !equalBytes(recoverRsa(key, signature) ?? new Uint8Array(0), expected)
  ) {
    throw failed('crypto/rsa: verification error')
  }
}

function recoverRsa(key: RsaPublicKey, signature: Uint8Array): Uint8Array | undefined {
  try {
    return publicDecrypt({ key: key.keyObject, padding: constants.RSA_PKCS1_PADDING }, signature)
  } catch {
    return undefined // wrong padding, or a number not below the modulus
  }
}

function hash(bytes: number, title: string, prefix: string): Hash {
  return { bytes, title, digestInfoPrefix: decodeHex(prefix) }
}

function failed(message: string): LogError {
  return new LogError('verification_failed', message)
}
