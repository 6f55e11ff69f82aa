import { createDecipheriv, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import {
  DER_TAG,
  type DerElement,
  parseDer,
  readConstructed,
  readContent,
  readInteger,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'

const OID_PBES2 = '1.2.840.113549.1.5.13'
const OID_PBKDF2 = '1.2.840.113549.1.5.12'

/** Hashes of the HMAC, which is what the key is derived with. The first is the default. */
const HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512'
}

/** OpenSSL's names, and bytes of the key. */
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 }
}

/** Ten times what is advised today, and some seconds of work. The file names the number. */
const MAX_ITERATIONS = 10_000_000

/** hmacWithSHA256 as step writes it: an end-of-contents where NULL belongs. */
const MALFORMED_PRF = Uint8Array.from([
  0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09, 0x00, 0x00
])

const LABEL = 'the encrypted private key'

const deriveOnPool = promisify(pbkdf2)

interface Pbes2 {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly hash: string
  readonly cipher: { readonly name: string; readonly keyBytes: number }
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
}

/**
 * Decrypts PKCS#8 encrypted with PBES2: PBKDF2 and AES-CBC or triple DES. By hand, because OpenSSL refuses what step
 * writes, and works as many iterations as a file tells it to.
 *
 *     EncryptedPrivateKeyInfo ::= SEQUENCE {
 *       SEQUENCE { pbes2 OID, SEQUENCE { keyDerivation AlgorithmIdentifier, encryption AlgorithmIdentifier } },
 *       encryptedData OCTET STRING }
 *     PBKDF2-params ::= SEQUENCE {
 *       salt OCTET STRING, iterationCount INTEGER, keyLength INTEGER OPTIONAL,
 *       prf AlgorithmIdentifier DEFAULT hmacWithSHA1 }
 *
 * @returns PKCS#8 DER, or rubbish: one wrong passphrase in 256 leaves a good padding
 * @throws LogError `invalid_request` when malformed or too costly, `unsupported` for other means of encryption; whatever
 *   node:crypto throws when the passphrase is wrong
 * @see RFC 5958 section 3, RFC 8018 appendix A
 */
export async function decryptPbes2(der: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const { salt, iterations, hash, cipher, iv, ciphertext } = readPbes2(mendPrf(der))
  const key = await deriveOnPool(passphrase, salt, iterations, cipher.keyBytes, hash)
  const decipher = createDecipheriv(cipher.name, key, iv)
  return Uint8Array.from(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
}

function readPbes2(der: Uint8Array): Pbes2 {
  const [algorithm, data] = readConstructed(parseDer(der, LABEL), DER_TAG.sequence, LABEL)
  const [derivation, encryption] = readConstructed(
    parametersOf(algorithm, OID_PBES2),
    DER_TAG.sequence,
    LABEL
  )
  const [salt, count, ...optional] = readConstructed(
    parametersOf(derivation, OID_PBKDF2),
    DER_TAG.sequence,
    LABEL
  )
  const iterations = readInteger(count, LABEL)
  if (iterations < 1n || iterations > BigInt(MAX_ITERATIONS)) {
    throw new LogError(
      'invalid_request',
      `${LABEL} asks for ${iterations} iterations, not 1 to ${MAX_ITERATIONS}`
    )
  }
  const [cipherOid, iv] = readConstructed(encryption, DER_TAG.sequence, LABEL)
  const cipher = CIPHERS[readOid(cipherOid, LABEL)]
  if (cipher === undefined) throw otherMeans()
  const hasKeyLength = optional[0]?.tag === DER_TAG.integer
  if (hasKeyLength && readInteger(optional.shift(), LABEL) !== BigInt(cipher.keyBytes)) {
    throw new LogError('invalid_request', `${LABEL} names a key length that is not the cipher's`)
  }
  return {
    salt: readContent(salt, DER_TAG.octetString, LABEL),
    iterations: Number(iterations),
    hash: readHash(optional[0]),
    cipher,
    iv: readContent(iv, DER_TAG.octetString, LABEL),
    ciphertext: readContent(data, DER_TAG.octetString, LABEL)
  }
}

/** Parameters of an AlgorithmIdentifier that must be this one. */
function parametersOf(algorithm: DerElement | undefined, oid: string): DerElement | undefined {
  const [found, parameters] = readConstructed(algorithm, DER_TAG.sequence, LABEL)
  if (readOid(found, LABEL) !== oid) throw otherMeans()
  return parameters
}

function readHash(prf: DerElement | undefined): string {
  if (prf === undefined) return 'sha1'
  const [oid] = readConstructed(prf, DER_TAG.sequence, LABEL)
  const hash = HASHES[readOid(oid, LABEL)]
  if (hash === undefined) throw otherMeans()
  return hash
}

/** Puts the one byte right that keeps strict readers from reading keys of step. */
function mendPrf(der: Uint8Array): Uint8Array {
  const mended = Uint8Array.from(der)
  const at = Buffer.from(der).indexOf(MALFORMED_PRF)
  if (at >= 0) mended[at + MALFORMED_PRF.length - 2] = DER_TAG.null
  return mended
}

function otherMeans(): LogError {
  return new LogError(
    'unsupported',
    `${LABEL} is encrypted by means other than PBES2 with PBKDF2 and AES-CBC or triple DES: ` +
      'openssl pkcs8 -topk8 -v2 aes-256-cbc writes that'
  )
}
