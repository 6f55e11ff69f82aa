import { createPrivateKey, type KeyObject, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { decodeBase64 } from '../encoding/base64.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { decodePem, encodePem } from '../encoding/pem.js'
import { encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'

/** Labels of keys that cosign and its kin encrypt in a way of their own. */
const SIGSTORE_LABELS = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY']

/** PKCS#8, plain and encrypted; PKCS#1; SEC 1. */
const STANDARD_LABELS = [
  'PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'RSA PRIVATE KEY',
  'EC PRIVATE KEY'
]

/** AlgorithmIdentifier of hmacWithSHA256 as step writes it, with an end-of-contents where NULL belongs. */
const MALFORMED_PRF = Uint8Array.from([
  0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09, 0x00, 0x00
])
const NULL_TAG = 0x05

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
 * SEC 1, in the clear or encrypted (PBES2, also as step writes it; PEM's own; that of cosign).
 *
 * @throws LogError `invalid_request` that says whether the passphrase is missing or wrong, and quotes neither
 * @see fulcio §15
 */
export async function readPrivateKeyFile(pem: string, passphrase?: string): Promise<KeyObject> {
  const block = decodePem(encodeUtf8(pem))?.block
  if (block === undefined) throw refused('the file holds no PEM')
  const { type, bytes } = block
  const isSigstore = SIGSTORE_LABELS.includes(type)
  if (!isSigstore && !STANDARD_LABELS.includes(type)) {
    throw refused(`the file holds a PEM block ${type}, not a private key`)
  }
  const isEncrypted =
    isSigstore || type === 'ENCRYPTED PRIVATE KEY' || pem.includes('\nProc-Type: 4,ENCRYPTED')
  if (isEncrypted && passphrase === undefined) {
    throw refused('the private key is encrypted and no passphrase is given')
  }
  try {
    if (isSigstore) {
      const der = await decryptSigstoreKey(bytes, passphrase)
      return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
    }
    const key = type === 'ENCRYPTED PRIVATE KEY' ? encodePem(type, mendPrf(bytes)) : pem
    return createPrivateKey({
      key,
      format: 'pem',
      ...(isEncrypted && passphrase !== undefined ? { passphrase } : {})
    })
  } catch (err) {
    if (isLogError(err)) throw err
    const problem = isEncrypted
      ? 'the private key cannot be decrypted: wrong passphrase or damaged file'
      : 'the private key cannot be read'
    throw new LogError('invalid_request', problem, { cause: err })
  }
}

/** Puts the one byte right that makes OpenSSL refuse keys of step. */
function mendPrf(der: Uint8Array): Uint8Array {
  const mended = Uint8Array.from(der)
  const at = Buffer.from(der).indexOf(MALFORMED_PRF)
  if (at >= 0) mended[at + MALFORMED_PRF.length - 2] = NULL_TAG
  return mended
}

/**
 * Decrypts `{"kdf": {"name": "scrypt", "params": {"N", "r", "p"}, "salt"}, "cipher": {"name": "nacl/secretbox", "nonce"},
 * "ciphertext"}`, bytes in base64.
 *
 * @returns PKCS#8 DER
 */
async function decryptSigstoreKey(json: Uint8Array, passphrase = ''): Promise<Uint8Array> {
  const envelope = parseJson(json)
  const { kdf, cipher, ciphertext } = objectOf(envelope)
  const { name: kdfName, params, salt } = objectOf(kdf)
  const { name: cipherName, nonce } = objectOf(cipher)
  if (kdfName !== 'scrypt' || cipherName !== 'nacl/secretbox') {
    throw refused('the private key is encrypted by means other than scrypt and nacl/secretbox')
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
