import { LogError } from '../../errors.js'
import { isClientAlgorithmAllowed, nameClientAlgorithm } from '../../keys/algorithms.js'
import type { PublicKey } from '../../keys/public-key.js'
import type { HashName } from '../../keys/verify.js'

/** What Fulcio permits when it is told nothing. @see fulcio §11.4 */
export const DEFAULT_CA_CLIENT_ALGORITHMS: readonly string[] = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256',
  'rsa-sign-pkcs1-3072-sha256',
  'rsa-sign-pkcs1-4096-sha256',
  'ed25519'
]

/** As Go prints them, which is how clients see them. */
const GO_KEY_TYPES: Readonly<Record<PublicKey['type'], string>> = {
  rsa: '*rsa.PublicKey',
  ecdsa: '*ecdsa.PublicKey',
  ed25519: 'ed25519.PublicKey'
}

const GO_HASHES: Readonly<Record<HashName, string>> = {
  sha1: 'SHA-1',
  sha224: 'SHA-224',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512'
}

/**
 * Checks that a kind of key may be used with a hash.
 *
 * @param hash undefined for Ed25519, which signs the data itself
 * @param allowed names that `assertKnownClientAlgorithms` has passed
 * @throws LogError `unsupported`
 */
export function assertPermittedAlgorithm(
  key: PublicKey,
  hash: HashName | undefined,
  allowed: readonly string[]
): void {
  const name =
    key.type === 'ed25519' || hash === undefined ? 'ed25519' : nameClientAlgorithm(key, hash)
  if (isClientAlgorithmAllowed(name, allowed)) return
  const title = hash === undefined ? 'unknown hash value 0' : GO_HASHES[hash]
  throw new LogError(
    'unsupported',
    `signing algorithm not permitted: ${GO_KEY_TYPES[key.type]}, ${title}`
  )
}
