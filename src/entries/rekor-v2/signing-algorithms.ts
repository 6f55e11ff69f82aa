import { LogError } from '../../errors.js'
import type { CurveName, PublicKey } from '../../keys/public-key.js'
import type { HashName } from '../../keys/verify.js'
import { enumName, type KeyDetailsName, PUBLIC_KEY_DETAILS } from './key-details.js'

/** A way of signing that Rekor v2 has a name for. */
export interface SigningAlgorithm {
  readonly keyDetails: KeyDetailsName
  /** In Rekor's flag `client-signing-algorithms`. */
  readonly name: string
  /** What the key must be: curve, or bits of the modulus in whole bytes. */
  readonly key: 'ed25519' | CurveName | number
  /** Undefined where the artifact itself is signed. */
  readonly hash: SigningHash | undefined
}

export interface SigningHash {
  readonly hashName: HashName
  readonly bytes: number
  /** As Go spells it, for messages. */
  readonly title: string
  /** Name in a body. */
  readonly algorithm: 'SHA2_256' | 'SHA2_384' | 'SHA2_512'
}

const SHA256: SigningHash = {
  hashName: 'sha256',
  bytes: 32,
  title: 'SHA-256',
  algorithm: 'SHA2_256'
}
const SHA384: SigningHash = {
  hashName: 'sha384',
  bytes: 48,
  title: 'SHA-384',
  algorithm: 'SHA2_384'
}
const SHA512: SigningHash = {
  hashName: 'sha512',
  bytes: 64,
  title: 'SHA-512',
  algorithm: 'SHA2_512'
}

/** One for each kind of key: what its name follows from. @see rekor-v2-and-tiles §1.5 */
const LOGGED: readonly (SigningAlgorithm & { readonly hash: SigningHash })[] = [
  {
    keyDetails: 'PKIX_RSA_PKCS1V15_2048_SHA256',
    name: 'rsa-sign-pkcs1-2048-sha256',
    key: 2048,
    hash: SHA256
  },
  {
    keyDetails: 'PKIX_RSA_PKCS1V15_3072_SHA256',
    name: 'rsa-sign-pkcs1-3072-sha256',
    key: 3072,
    hash: SHA256
  },
  {
    keyDetails: 'PKIX_RSA_PKCS1V15_4096_SHA256',
    name: 'rsa-sign-pkcs1-4096-sha256',
    key: 4096,
    hash: SHA256
  },
  {
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    name: 'ecdsa-sha2-256-nistp256',
    key: 'P-256',
    hash: SHA256
  },
  {
    keyDetails: 'PKIX_ECDSA_P384_SHA_384',
    name: 'ecdsa-sha2-384-nistp384',
    key: 'P-384',
    hash: SHA384
  },
  {
    keyDetails: 'PKIX_ECDSA_P521_SHA_512',
    name: 'ecdsa-sha2-512-nistp521',
    key: 'P-521',
    hash: SHA512
  },
  { keyDetails: 'PKIX_ED25519_PH', name: 'ed25519-ph', key: 'ed25519', hash: SHA512 }
]

/** Hashes of those that are known and never logged: they tell which text refuses them. */
const REFUSED: readonly Pick<SigningAlgorithm, 'keyDetails' | 'hash'>[] = [
  { keyDetails: 'PKIX_RSA_PSS_2048_SHA256', hash: SHA256 },
  { keyDetails: 'PKIX_RSA_PSS_3072_SHA256', hash: SHA256 },
  { keyDetails: 'PKIX_RSA_PSS_4096_SHA256', hash: SHA256 },
  { keyDetails: 'PKIX_ECDSA_P384_SHA_256', hash: SHA256 },
  { keyDetails: 'PKIX_ECDSA_P521_SHA_256', hash: SHA256 },
  { keyDetails: 'PKIX_ED25519', hash: undefined }
]

/** Names of what a log takes that was told nothing; an operator can take some away and add none. */
export const DEFAULT_SIGNING_ALGORITHMS: readonly string[] = LOGGED.map(({ name }) => name)

/** Checks an allow list before a log is opened. @throws LogError `invalid_request` that names all that cannot be in it */
export function assertSigningAlgorithms(names: readonly string[]): void {
  const others = names.filter((name) => !DEFAULT_SIGNING_ALGORITHMS.includes(name))
  if (others.length === 0) return
  throw new LogError(
    'invalid_request',
    `a Rekor v2 log takes no ${others.map((name) => `"${name}"`).join(', ')}, only ` +
      DEFAULT_SIGNING_ALGORITHMS.join(', ')
  )
}

/**
 * How a key signs that calls itself by a number of PublicKeyDetails. That number must be the one that follows from the key:
 * clients build the entry anew with that one, and would not find any other in the log. Rekor is looser there. What is allowed
 * has a hash, so that none without gets further.
 *
 * @param allowed names
 * @throws LogError `unsupported`; `invalid_request` when the number is that of another kind of key
 * @see rekor-v2-and-tiles §1.4 steps 7 to 9, §1.5
 */
export function signingAlgorithmOf(
  keyDetails: number,
  key: PublicKey,
  allowed: readonly string[]
): SigningAlgorithm & { readonly hash: SigningHash } {
  const { hash } = knownAlgorithm(keyDetails)
  const trait = traitOf(key)
  const found = LOGGED.find(
    (entry) => entry.key === trait && entry.hash === hash && allowed.includes(entry.name)
  )
  if (found === undefined) {
    const digest = hash?.title ?? 'unknown hash value 0'
    throw unsupported(`unsupported entry algorithm for ${describe(key)}, digest ${digest}`)
  }
  if (PUBLIC_KEY_DETAILS[found.keyDetails] !== keyDetails) {
    throw new LogError(
      'invalid_request',
      `key details ${nameOf(keyDetails)} do not fit the key, which is ${found.keyDetails}`
    )
  }
  return found
}

function knownAlgorithm(keyDetails: number): Pick<SigningAlgorithm, 'keyDetails' | 'hash'> {
  const known = [...LOGGED, ...REFUSED].find(
    (entry) => PUBLIC_KEY_DETAILS[entry.keyDetails] === keyDetails
  )
  if (known !== undefined) return known
  throw unsupported(
    'getting key algorithm details: could not find algorithm details for known signature algorithm: ' +
      nameOf(keyDetails)
  )
}

function traitOf(key: PublicKey): SigningAlgorithm['key'] {
  if (key.type === 'rsa') return key.modulusBytes * 8
  return key.type === 'ecdsa' ? key.curve : 'ed25519'
}

/** As Go describes it. */
function describe(key: PublicKey): string {
  if (key.type === 'rsa') return `RSA key, size ${key.modulusBytes * 8}`
  return key.type === 'ecdsa' ? `ECDSA key, curve ${key.curve}` : 'Ed25519 key'
}

function nameOf(keyDetails: number): string {
  return enumName(PUBLIC_KEY_DETAILS, keyDetails)
}

function unsupported(problem: string): LogError {
  return new LogError('unsupported', problem)
}
