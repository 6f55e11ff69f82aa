import { constants, verify } from 'node:crypto'
import { bytesToBigInt } from '../../encoding/der.js'
import { isLogError } from '../../errors.js'
import { type CheckData, checkDataHere } from '../../keys/check-queue.js'
import { encodeEcdsaSignature } from '../../keys/ecdsa-signature.js'
import type { CurveName, PublicKey } from '../../keys/public-key.js'
import type { HashName } from '../../keys/verify.js'

interface JwsAlgorithm {
  readonly name: string
  readonly hash: HashName
  /** The one kind of key it is for. */
  readonly key: { readonly type: 'rsa'; readonly padding: 'pkcs1' | 'pss' } | CurveName | 'ed25519'
}

/**
 * Signature algorithms a token may have. Nothing symmetric, and not `none`: a token says itself which one it claims.
 *
 * @see RFC 7518 section 3.1, RFC 8037, fulcio §7
 */
const JWS_ALGORITHMS = [
  { name: 'RS256', hash: 'sha256', key: { type: 'rsa', padding: 'pkcs1' } },
  { name: 'RS384', hash: 'sha384', key: { type: 'rsa', padding: 'pkcs1' } },
  { name: 'RS512', hash: 'sha512', key: { type: 'rsa', padding: 'pkcs1' } },
  { name: 'ES256', hash: 'sha256', key: 'P-256' },
  { name: 'ES384', hash: 'sha384', key: 'P-384' },
  { name: 'ES512', hash: 'sha512', key: 'P-521' },
  { name: 'PS256', hash: 'sha256', key: { type: 'rsa', padding: 'pss' } },
  { name: 'PS384', hash: 'sha384', key: { type: 'rsa', padding: 'pss' } },
  { name: 'PS512', hash: 'sha512', key: { type: 'rsa', padding: 'pss' } },
  { name: 'EdDSA', hash: 'sha512', key: 'ed25519' }
] as const satisfies readonly JwsAlgorithm[]

/** Bytes of r, and of s. @see RFC 7518 section 3.4 */
const COORDINATE_BYTES: Readonly<Record<CurveName, number>> = {
  'P-224': 28,
  'P-256': 32,
  'P-384': 48,
  'P-521': 66
}

export type JwsAlgorithmName = (typeof JWS_ALGORITHMS)[number]['name']

export const JWS_ALGORITHM_NAMES: readonly JwsAlgorithmName[] = JWS_ALGORITHMS.map(
  ({ name }) => name
)

export function isJwsAlgorithmName(value: unknown): value is JwsAlgorithmName {
  return JWS_ALGORITHM_NAMES.some((name) => name === value)
}

/** Whether a key is of the kind an algorithm is for. */
export function fitsAlgorithm(key: PublicKey, name: JwsAlgorithmName): boolean {
  const { key: wanted } = algorithmOf(name)
  if (key.type === 'ecdsa') return wanted === key.curve
  if (key.type === 'ed25519') return wanted === 'ed25519'
  return typeof wanted === 'object'
}

/**
 * Whether `signature` was made by `key` over `data`. ECDSA signatures are r || s in full length, the salt of RSA-PSS is as long
 * as the hash, Ed25519 signs the data itself.
 *
 * @param checkData what checks ECDSA; on this thread unless it says otherwise
 */
export async function isSignedBy(
  key: PublicKey,
  name: JwsAlgorithmName,
  data: Uint8Array,
  signature: Uint8Array,
  checkData: CheckData = checkDataHere
): Promise<boolean> {
  if (!fitsAlgorithm(key, name)) return false
  const { hash, key: kind }: JwsAlgorithm = algorithmOf(name)
  if (kind === 'ed25519') return verify(null, data, key.keyObject, signature)
  if (typeof kind === 'string') {
    const half = COORDINATE_BYTES[kind]
    if (signature.length !== 2 * half) return false
    const der = encodeEcdsaSignature(
      bytesToBigInt(signature.subarray(0, half)),
      bytesToBigInt(signature.subarray(half))
    )
    return isGood(() => checkData({ key, hashName: hash, data, signature: der }))
  }
  const options =
    kind.padding === 'pkcs1'
      ? { padding: constants.RSA_PKCS1_PADDING }
      : {
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: constants.RSA_PSS_SALTLEN_DIGEST
        }
  return verify(hash, data, { key: key.keyObject, ...options }, signature)
}

async function isGood(check: () => Promise<void>): Promise<boolean> {
  try {
    await check()
    return true
  } catch (err) {
    if (!isLogError(err, 'verification_failed')) throw err
    return false
  }
}

function algorithmOf(name: JwsAlgorithmName): JwsAlgorithm {
  return JWS_ALGORITHMS.find((algorithm) => algorithm.name === name) as JwsAlgorithm // the name is from this table
}
