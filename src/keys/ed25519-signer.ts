import { createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { LogError } from '../errors.js'
import { importPkcs8Pem } from './local-signer.js'

const signOnPool = promisify(sign)
const generateOnPool = promisify(generateKeyPair)

/**
 * Signs checkpoints and cosignatures: pure Ed25519, the one kind of key that all witnesses take. Apart from Signer, whose keys
 * also certify, so that no certificate or timestamp is ever asked of it.
 */
export interface Ed25519Signer {
  readonly algorithm: 'ed25519'
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** 64 bytes over `message`. The same message has the same signature. @throws LogError `internal` when the key cannot be used */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** New private key of a Rekor v2 log or of a witness. */
export async function generateEd25519Key(): Promise<KeyObject> {
  const { privateKey } = await generateOnPool('ed25519')
  return privateKey
}

/** Signer over a private key in this process. @throws LogError `unsupported` when it is no Ed25519 key */
export function createEd25519Signer(privateKey: KeyObject): Ed25519Signer {
  assertEd25519(privateKey)
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    algorithm: 'ed25519',
    publicKey: Uint8Array.from(publicKey),
    async sign(message) {
      try {
        return Uint8Array.from(await signOnPool(null, message, privateKey))
      } catch (err) {
        throw new LogError('internal', 'the private key did not sign', { cause: err })
      }
    }
  }
}

/**
 * Private key from PKCS#8 PEM, as exportPrivateKeyPem writes it.
 *
 * @throws LogError `invalid_request` as importSigningKeyPem; `unsupported` when it is no Ed25519 key
 */
export function importEd25519KeyPem(pem: string, passphrase?: string): KeyObject {
  const privateKey = importPkcs8Pem(pem, passphrase)
  assertEd25519(privateKey)
  return privateKey
}

function assertEd25519({ type, asymmetricKeyType }: KeyObject): void {
  if (type !== 'private' || asymmetricKeyType !== 'ed25519') {
    throw new LogError('unsupported', 'not a private Ed25519 key, the kind that signs here')
  }
}
