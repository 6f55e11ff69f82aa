import { createPrivateKey, type KeyObject, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { decodeBase64 } from '../encoding/base64.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { decodePem } from '../encoding/pem.js'
import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { decryptPbes2 } from './pbes2.js'

/** Labels of keys that cosign and its kin encrypt in a way of their own. */
const SIGSTORE_LABELS = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY']

/** PKCS#8, plain and encrypted; PKCS#1; SEC 1. */
const STANDARD_LABELS = [
  'PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'RSA PRIVATE KEY',
  'EC PRIVATE KEY'
]

/** Four times what cosign uses. The file names the cost; a second of work is all it gets. */
const MAX_SCRYPT_BYTES = 256 * 1024 * 1024

const derive = promisify(
  (
    passphrase: string,
    salt: Uint8Array,
    options: { readonly N: number; readonly r: number; readonly p: number },
    done: (err: Error | null, key: Buffer) => void
  ) => {
    scrypt(passphrase, salt, 32, { ...options, maxmem: MAX_SCRYPT_BYTES + 1024 * 1024 }, done)
  }
)

/**
 * Reads a private key of an authority from elsewhere, in any form that Fulcio's file authority takes: PKCS#8, PKCS#1 and
 * SEC 1, in the clear or encrypted (PBES2, also as step writes it; PEM's own; that of cosign). The first PEM block counts.
 *
 * @throws LogError `invalid_request` that says whether the passphrase is missing or wrong, and quotes neither;
 *   `unsupported` for other means of encryption
 * @see fulcio §15
 */
export async function readPrivateKeyFile(pem: string, passphrase?: string): Promise<KeyObject> {
  const input = encodeUtf8(pem)
  const found = decodePem(input)
  if (found === undefined) throw refused('the file holds no PEM')
  const { type, bytes } = found.block
  const text = decodeUtf8(input.subarray(0, input.length - found.rest.length))
  if (!SIGSTORE_LABELS.includes(type) && !STANDARD_LABELS.includes(type)) {
    throw refused(`the file holds a PEM block ${type}, not a private key`)
  }
  const isLegacy = /^Proc-Type: 4,ENCRYPTED/m.test(text)
  if (!isLegacy && !type.startsWith('ENCRYPTED')) {
    return orRefuse('the private key cannot be read', () => createPrivateKey(text))
  }
  if (passphrase === undefined) {
    throw refused('the private key is encrypted and no passphrase is given')
  }
  if (isLegacy && /^DEK-Info: DES-CBC,/m.test(text)) throw singleDes()
  return orRefuse(
    'the private key cannot be decrypted: wrong passphrase or damaged file',
    async () => {
      if (isLegacy) return createPrivateKey({ key: text, format: 'pem', passphrase })
      const decrypt = SIGSTORE_LABELS.includes(type) ? decryptSigstoreKey : decryptPbes2
      const der = await decrypt(bytes, passphrase)
      return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
    }
  )
}

/** Passes on what `read` gives and refuses; puts everything else it throws into one sentence. */
async function orRefuse(
  problem: string,
  read: () => KeyObject | Promise<KeyObject>
): Promise<KeyObject> {
  try {
    return await read()
  } catch (err) {
    if (isLogError(err)) throw err
    throw new LogError('invalid_request', problem, { cause: err })
  }
}

/** OpenSSL has not had it since its third version, and would only say that something went wrong. */
function singleDes(): LogError {
  return new LogError(
    'unsupported',
    'the private key is encrypted with DES-CBC, which is broken: encrypt it anew, as with openssl pkcs8 -topk8'
  )
}

/**
 * Decrypts `{"kdf": {"name": "scrypt", "params": {"N", "r", "p"}, "salt"}, "cipher": {"name": "nacl/secretbox", "nonce"},
 * "ciphertext"}`, bytes in base64.
 *
 * @returns PKCS#8 DER
 */
async function decryptSigstoreKey(json: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const envelope = parseJson(json)
  const { kdf, cipher, ciphertext } = objectOf(envelope)
  const { name: kdfName, params, salt } = objectOf(kdf)
  const { name: cipherName, nonce } = objectOf(cipher)
  if (kdfName !== 'scrypt' || cipherName !== 'nacl/secretbox') {
    throw new LogError(
      'unsupported',
      'the private key is encrypted by means other than scrypt and nacl/secretbox'
    )
  }
  const { N, r, p } = objectOf(params)
  if (!isCost(N) || !isCost(r) || !isCost(p) || 128 * N * r * p > MAX_SCRYPT_BYTES) {
    throw refused('the private key is encrypted at a cost (scrypt N, r, p) beyond any in use')
  }
  const key = await derive(passphrase, bytesOf(salt), { N, r, p })
  return xsalsa20poly1305(Uint8Array.from(key), bytesOf(nonce)).decrypt(bytesOf(ciphertext))
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (isJsonObject(value)) return value
  throw refused('the encrypted private key is damaged')
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw refused('the encrypted private key is damaged')
  return decodeBase64(value, 'the encrypted private key')
}

function isCost(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function refused(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
