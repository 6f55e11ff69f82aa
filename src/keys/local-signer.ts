import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign
} from 'node:crypto'
import { promisify } from 'node:util'
import { LogError } from '../errors.js'
import type { Signer } from './signer.js'

// With a callback the work happens on libuv's pool, off the loop that serves reads. DER is the default encoding.
const signOnPool = promisify(sign)

/** New private key of the kind a log signs with: ECDSA P-256. */
export async function generateLogKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' })
  return privateKey
}

/** Signer over a private key in this process. @throws LogError `unsupported` unless the key is ECDSA P-256 */
export function createLocalSigner(privateKey: KeyObject): Signer {
  assertLogKey(privateKey)
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    publicKey: Uint8Array.from(publicKey),
    algorithm: 'ecdsa-sha2-256-nistp256',
    async sign(message) {
      try {
        return Uint8Array.from(await signOnPool('sha256', message, { key: privateKey }))
      } catch (err) {
        throw new LogError('internal', 'the log key did not sign', { cause: err })
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
 * Private key of the log from PKCS#8 PEM.
 *
 * @throws LogError `invalid_request` when it cannot be read: a sentence that says whether the passphrase is missing or
 *   wrong, and never quotes either; `unsupported` when it is not ECDSA P-256
 */
export function importPrivateKeyPem(pem: string, passphrase?: string): KeyObject {
  const encrypted = pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
  if (encrypted && passphrase === undefined) {
    throw new LogError('invalid_request', 'the private key is encrypted and no passphrase is given')
  }
  if (!encrypted && !pem.includes('-----BEGIN PRIVATE KEY-----')) {
    throw new LogError('invalid_request', 'not a PKCS#8 private key in PEM')
  }
  const privateKey = readPrivateKey(pem, encrypted ? passphrase : undefined)
  assertLogKey(privateKey)
  return privateKey
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

function assertLogKey(key: KeyObject): void {
  if (
    key.type !== 'private' ||
    key.asymmetricKeyType !== 'ec' ||
    key.asymmetricKeyDetails?.namedCurve !== 'prime256v1'
  ) {
    throw new LogError('unsupported', 'the log signs with a private ECDSA key on P-256 only')
  }
}
