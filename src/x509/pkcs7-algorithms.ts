import {
  contextTag,
  DER_TAG,
  type DerElement,
  readConstructed,
  readInteger,
  readOid
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import type { HashName } from '../keys/verify.js'

/** How a signature in PKCS#7 is made. */
export type Pkcs7Scheme =
  | { readonly keyType: 'ecdsa' }
  | { readonly keyType: 'rsa'; readonly padding: 'pkcs1' }
  /** Mask by MGF1 with the same hash. */
  | { readonly keyType: 'rsa'; readonly padding: 'pss'; readonly saltBytes: number }

const HASHES: Readonly<Record<string, HashName>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512'
}

const ECDSA: Pkcs7Scheme = { keyType: 'ecdsa' }
const PKCS1: Pkcs7Scheme = { keyType: 'rsa', padding: 'pkcs1' }

/** Without a hash in the name it is the one of the digest. */
const SCHEMES: Readonly<
  Record<string, { readonly scheme: Pkcs7Scheme; readonly hash: HashName | undefined }>
> = {
  '1.2.840.10045.2.1': { scheme: ECDSA, hash: undefined },
  '1.2.840.10045.4.1': { scheme: ECDSA, hash: 'sha1' },
  '1.2.840.10045.4.3.2': { scheme: ECDSA, hash: 'sha256' },
  '1.2.840.10045.4.3.3': { scheme: ECDSA, hash: 'sha384' },
  '1.2.840.10045.4.3.4': { scheme: ECDSA, hash: 'sha512' },
  '1.2.840.113549.1.1.1': { scheme: PKCS1, hash: undefined },
  '1.2.840.113549.1.1.5': { scheme: PKCS1, hash: 'sha1' },
  '1.3.14.3.2.29': { scheme: PKCS1, hash: 'sha1' },
  '1.2.840.113549.1.1.11': { scheme: PKCS1, hash: 'sha256' },
  '1.2.840.113549.1.1.12': { scheme: PKCS1, hash: 'sha384' },
  '1.2.840.113549.1.1.13': { scheme: PKCS1, hash: 'sha512' }
}

const OID_PSS = '1.2.840.113549.1.1.10'
const OID_MGF1 = '1.2.840.113549.1.1.8'

/** No modulus we take has room for more. In bytes. */
const MAX_SALT_BYTES = 2048n

/**
 * Hash function of an AlgorithmIdentifier, whatever its parameters. Rekor takes MD5 as well, over which a signature says nothing.
 * @throws LogError `unsupported` for any other than SHA-1 and SHA-2, `invalid_request` when malformed
 */
export function readPkcs7Hash(algorithm: DerElement): HashName {
  const oid = readOid(algorithm.children[0], 'pkcs7: digest algorithm')
  const hash = HASHES[oid]
  if (hash === undefined) {
    throw new LogError('unsupported', `pkcs7: unsupported hash algorithm ${oid}`)
  }
  return hash
}

/**
 * Signature scheme of an AlgorithmIdentifier: RSA (PKCS#1 v1.5, PSS) and ECDSA.
 * @param hash of the digest that is signed
 * @throws LogError `unsupported`, `verification_failed` when the two do not fit, `invalid_request` when malformed
 */
export function readPkcs7Scheme(algorithm: DerElement, hash: HashName): Pkcs7Scheme {
  const [oid, parameters] = algorithm.children
  const name = readOid(oid, 'pkcs7: signature algorithm')
  if (name === OID_PSS) return readPss(parameters, hash)
  const known = SCHEMES[name]
  if (known === undefined) {
    throw new LogError('unsupported', `pkcs7: unsupported public key algorithm ${name}`)
  }
  if (known.hash !== undefined && known.hash !== hash) {
    throw new LogError('verification_failed', 'signature type does not match digest type')
  }
  return known.scheme
}

/**
 *     RSASSA-PSS-params ::= SEQUENCE {
 *       hashAlgorithm [0] EXPLICIT AlgorithmIdentifier, maskGenAlgorithm [1] EXPLICIT AlgorithmIdentifier,
 *       saltLength [2] EXPLICIT INTEGER, trailerField [3] EXPLICIT INTEGER DEFAULT 1 }
 *
 * The first three have defaults for SHA-1, which nobody uses: they must be there, as in Rekor.
 *
 * @see RFC 8017 appendix A.2.3
 */
function readPss(parameters: DerElement | undefined, hash: HashName): Pkcs7Scheme {
  const label = 'pkcs7: invalid RSA-PSS parameters'
  const fields = readConstructed(parameters, DER_TAG.sequence, label)
  const field = (number: number): DerElement | undefined => {
    const [value, extra] = readConstructed(fields[number], contextTag(number, 'constructed'), label)
    if (extra !== undefined) throw new LogError('invalid_request', label)
    return value
  }
  const [maskOid, maskHash, extra] = readConstructed(field(1), DER_TAG.sequence, label)
  if (fields.length > 3 || extra !== undefined) throw new LogError('invalid_request', label)
  readConstructed(field(0), DER_TAG.sequence, label)
  readConstructed(maskHash, DER_TAG.sequence, label)
  if (readOid(maskOid, label) !== OID_MGF1) {
    throw new LogError('unsupported', 'unsupported MGF in RSA-PSS parameters')
  }
  // Both were just read.
  for (const algorithm of [field(0), maskHash] as readonly DerElement[]) {
    if (readPkcs7Hash(algorithm) !== hash) {
      throw new LogError('verification_failed', 'digest type mismatch in RSA-PSS parameters')
    }
  }
  const saltBytes = readInteger(field(2), label)
  if (saltBytes < 0n || saltBytes > MAX_SALT_BYTES) throw new LogError('invalid_request', label)
  return { keyType: 'rsa', padding: 'pss', saltBytes: Number(saltBytes) }
}
