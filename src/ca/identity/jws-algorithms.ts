import { constants, verify } from 'node:crypto'
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
 */
export function isSignedBy(
  key: PublicKey,
  name: JwsAlgorithmName,
  data: Uint8Array,
  signature: Uint8Array
): boolean {
  if (!fitsAlgorithm(key, name)) return false
  const { hash, key: kind }: JwsAlgorithm = algorithmOf(name)
  if (kind === 'ed25519') return verify(null, data, key.keyObject, signature)
  if (typeof kind === 'string') {
    return verify(hash, data, { key: key.keyObject, dsaEncoding: 'ieee-p1363' }, signature)
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

function algorithmOf(name: JwsAlgorithmName): JwsAlgorithm {
  return JWS_ALGORITHMS.find((algorithm) => algorithm.name === name) as JwsAlgorithm // the name is from this table
}
