import { LogError } from '../errors.js'
import type { CurveName, PublicKey } from './public-key.js'
import type { HashName } from './verify.js'

interface ClientAlgorithm {
  readonly name: string
  /** What the key must be: its type and, where that leaves a choice, curve or modulus bits in whole bytes. */
  readonly key: 'ed25519' | CurveName | number
  /** Hash of the artifact; without one the artifact itself is signed. */
  readonly hash: HashName | undefined
}

/**
 * Pairs of key and hash a hashedrekord may use, under the names of Rekor's flag `client-signing-algorithms`. The pss names
 * permit the same pairs as their pkcs1 twins, as in Rekor, where the policy looks at key and hash only and verification
 * knows no PSS. `ed25519` matches no hashedrekord, which always has a hash.
 *
 * @see rekor-v1 §8.1
 */
const CLIENT_ALGORITHMS: readonly ClientAlgorithm[] = [
  { name: 'rsa-sign-pkcs1-2048-sha256', key: 2048, hash: 'sha256' },
  { name: 'rsa-sign-pkcs1-3072-sha256', key: 3072, hash: 'sha256' },
  { name: 'rsa-sign-pkcs1-4096-sha256', key: 4096, hash: 'sha256' },
  { name: 'rsa-sign-pss-2048-sha256', key: 2048, hash: 'sha256' },
  { name: 'rsa-sign-pss-3072-sha256', key: 3072, hash: 'sha256' },
  { name: 'rsa-sign-pss-4096-sha256', key: 4096, hash: 'sha256' },
  { name: 'ecdsa-sha2-256-nistp256', key: 'P-256', hash: 'sha256' },
  { name: 'ecdsa-sha2-384-nistp384', key: 'P-384', hash: 'sha384' },
  { name: 'ecdsa-sha2-256-nistp384', key: 'P-384', hash: 'sha256' },
  { name: 'ecdsa-sha2-512-nistp521', key: 'P-521', hash: 'sha512' },
  { name: 'ecdsa-sha2-256-nistp521', key: 'P-521', hash: 'sha256' },
  { name: 'ed25519', key: 'ed25519', hash: undefined },
  { name: 'ed25519-ph', key: 'ed25519', hash: 'sha512' }
]

/** Every name the allow list may hold. */
export const KNOWN_CLIENT_ALGORITHMS: readonly string[] = CLIENT_ALGORITHMS.map(({ name }) => name)

/** The allow list of a Rekor that was told nothing. */
export const DEFAULT_CLIENT_ALGORITHMS: readonly string[] = [
  'rsa-sign-pkcs1-2048-sha256',
  'rsa-sign-pkcs1-3072-sha256',
  'rsa-sign-pkcs1-4096-sha256',
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'ed25519',
  'ed25519-ph'
]

/** Checks an allow list before the server starts. @throws LogError `invalid_request` that names every unknown one */
export function assertKnownClientAlgorithms(names: readonly string[]): void {
  const unknown = names.filter((name) => !KNOWN_CLIENT_ALGORITHMS.includes(name))
  if (unknown.length > 0) {
    throw new LogError(
      'invalid_request',
      `unknown client signing algorithm ${unknown.map((name) => `"${name}"`).join(', ')}; known are ` +
        KNOWN_CLIENT_ALGORITHMS.join(', ')
    )
  }
}

/**
 * Name of a key used with a hash. A pair without a name of its own (RSA of 2056 bits, P-224) gets a description,
 * which no allow list can hold.
 */
export function nameClientAlgorithm(key: PublicKey, hash: HashName): string {
  const trait = keyTrait(key)
  const known = CLIENT_ALGORITHMS.find((entry) => entry.key === trait && entry.hash === hash)
  return known?.name ?? `${key.type} ${trait} with ${hash}`
}

/** Whether an allow list permits an algorithm named by nameClientAlgorithm. */
export function isClientAlgorithmAllowed(name: string, allowed: readonly string[]): boolean {
  const used = CLIENT_ALGORITHMS.find((entry) => entry.name === name)
  if (used === undefined) return false
  return CLIENT_ALGORITHMS.some(
    (entry) => entry.key === used.key && entry.hash === used.hash && allowed.includes(entry.name)
  )
}

function keyTrait(key: PublicKey): ClientAlgorithm['key'] {
  if (key.type === 'rsa') return key.modulusBytes * 8
  return key.type === 'ecdsa' ? key.curve : 'ed25519'
}
