import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign
} from 'node:crypto'
import { promisify } from 'node:util'
import { LogError } from '../errors.js'
import type { SignatureAlgorithm, Signer } from './signer.js'

// With a callback the work happens on libuv's pool, off the loop that serves reads. DER is the default encoding.
const signOnPool = promisify(sign)

const generateOnPool = promisify(generateKeyPair)

/** How each algorithm hashes, and what its key is: name of the curve, or bits of the modulus. */
const ALGORITHMS: Readonly<
  Record<SignatureAlgorithm, { readonly hash: string; readonly key: string | number }>
> = {
  'ecdsa-sha2-256-nistp256': { hash: 'sha256', key: 'prime256v1' },
  'ecdsa-sha2-384-nistp384': { hash: 'sha384', key: 'secp384r1' },
  'ecdsa-sha2-512-nistp521': { hash: 'sha512', key: 'secp521r1' },
  'rsa-sign-pkcs1-2048-sha256': { hash: 'sha256', key: 2048 },
  'rsa-sign-pkcs1-3072-sha256': { hash: 'sha256', key: 3072 },
  'rsa-sign-pkcs1-4096-sha256': { hash: 'sha256', key: 4096 }
}

/** New private key of the kind a log signs with: ECDSA P-256. */
export function generateLogKey(): Promise<KeyObject> {
  return generateSigningKey('ecdsa-sha2-256-nistp256')
}

/** New private key for an algorithm. RSA keys take seconds. */
export async function generateSigningKey(algorithm: SignatureAlgorithm): Promise<KeyObject> {
  const { key } = ALGORITHMS[algorithm]
  const { privateKey } =
    typeof key === 'number'
      ? await generateOnPool('rsa', { modulusLength: key })
      : await generateOnPool('ec', { namedCurve: key })
  return privateKey
}

/**
 * Signer over a private key in this process.
 *
 * @throws LogError `unsupported` unless the key is ECDSA on P-256, P-384 or P-521 or RSA of 2048, 3072 or 4096 bits
 */
export function createLocalSigner(privateKey: KeyObject): Signer {
  const algorithm = algorithmOf(privateKey)
  const { hash } = ALGORITHMS[algorithm]
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    publicKey: Uint8Array.from(publicKey),
    algorithm,
    async sign(message) {
      try {
        return Uint8Array.from(await signOnPool(hash, message, { key: privateKey }))
      } catch (err) {
        throw new LogError('internal', 'the private key did not sign', { cause: err })
      }
    }
  }
}

/**
 * PKCS#8 PEM of a private key; with a passphrase encrypted (PBES2: PBKDF2, AES-256-CBC), label
 * `ENCRYPTED PRIVATE KEY`.
 */
export function exportPrivateKeyPem(privateKey: KeyObject, passphrase?: string): string {
  const pem = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase })
  })
  return pem.toString()
}

/**
 * Private key of a log from PKCS#8 PEM.
 *
 * @throws LogError as importSigningKeyPem; `unsupported` when it is not ECDSA P-256
 */
export function importPrivateKeyPem(pem: string, passphrase?: string): KeyObject {
  const privateKey = importSigningKeyPem(pem, passphrase)
  if (algorithmOf(privateKey) !== 'ecdsa-sha2-256-nistp256') {
    throw new LogError('unsupported', 'the log signs with a private ECDSA key on P-256 only')
  }
  return privateKey
}

/**
 * Private key of any kind that signs here, from PKCS#8 PEM.
 *
 * @throws LogError `invalid_request` when it cannot be read: a sentence that says whether the passphrase is missing or
 *   wrong, and never quotes either; `unsupported` as createLocalSigner
 */
export function importSigningKeyPem(pem: string, passphrase?: string): KeyObject {
  const privateKey = importPkcs8Pem(pem, passphrase)
  algorithmOf(privateKey)
  return privateKey
}

/** The same of any kind of key that Node knows. @throws LogError `invalid_request` as importSigningKeyPem */
export function importPkcs8Pem(pem: string, passphrase?: string): KeyObject {
  const encrypted = pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
  if (encrypted && passphrase === undefined) {
    throw new LogError('invalid_request', 'the private key is encrypted and no passphrase is given')
  }
  if (!encrypted && !pem.includes('-----BEGIN PRIVATE KEY-----')) {
    throw new LogError('invalid_request', 'not a PKCS#8 private key in PEM')
  }
  return readPrivateKey(pem, encrypted ? passphrase : undefined)
}

function readPrivateKey(pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({
      key: pem,
      format: 'pem',
      ...(passphrase === undefined ? {} : { passphrase })
    })
  } catch (err) {
    throw new LogError(
      'invalid_request',
      passphrase === undefined
        ? 'the private key cannot be read'
        : 'the private key cannot be decrypted: wrong passphrase or damaged file',
      { cause: err }
    )
  }
}

function algorithmOf(privateKey: KeyObject): SignatureAlgorithm {
  const { type, asymmetricKeyType, asymmetricKeyDetails } = privateKey
  if (type === 'private' && asymmetricKeyType === 'ed25519') {
    throw new LogError(
      'unsupported',
      'Ed25519 keys do not sign here: clients take neither certificates nor timestamps of logs from them'
    )
  }
  const found = (Object.keys(ALGORITHMS) as SignatureAlgorithm[]).find((name) => {
    const { key } = ALGORITHMS[name]
    return typeof key === 'number'
      ? asymmetricKeyType === 'rsa' && asymmetricKeyDetails?.modulusLength === key
      : asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === key
  })
  if (type !== 'private' || found === undefined) {
    throw new LogError(
      'unsupported',
      'not a private key that signs here: ECDSA on P-256, P-384 or P-521, or RSA of 2048, 3072 or 4096 bits'
    )
  }
  return found
}
