/** Public key algorithms (RFC 9580 section 9.1). */
export const KEY_ALGORITHM = {
  rsa: 1,
  rsaEncrypt: 2,
  rsaSign: 3,
  elgamal: 16,
  dsa: 17,
  ecdh: 18,
  ecdsa: 19,
  eddsaLegacy: 22,
  x25519: 25,
  x448: 26,
  ed25519: 27,
  ed448: 28
} as const

/** How a failed check of each signing algorithm is named in messages. */
const SIGNING_NAMES: ReadonlyMap<number, string> = new Map([
  [KEY_ALGORITHM.rsa, 'RSA'],
  [KEY_ALGORITHM.rsaSign, 'RSA'],
  [KEY_ALGORITHM.dsa, 'DSA'],
  [KEY_ALGORITHM.ecdsa, 'ECDSA'],
  [KEY_ALGORITHM.eddsaLegacy, 'EdDSA'],
  [KEY_ALGORITHM.ed25519, 'Ed25519'],
  [KEY_ALGORITHM.ed448, 'Ed448']
])

/** Name of a signing algorithm; undefined for those that cannot sign. */
export function signingAlgorithmName(algorithm: number): string | undefined {
  return SIGNING_NAMES.get(algorithm)
}

export interface HashAlgorithm {
  /** As node:crypto calls it. */
  readonly name: string
  /** Length of the salt of a v6 signature in bytes; undefined where v6 forbids the hash. */
  readonly saltLength: number | undefined
}

/** By id (RFC 9580 section 9.5). MD5 and RIPEMD-160 are missing on purpose; SHA-1 is in use in old v4 signatures. */
const HASHES: ReadonlyMap<number, HashAlgorithm> = new Map([
  [2, { name: 'sha1', saltLength: undefined }],
  [8, { name: 'sha256', saltLength: 16 }],
  [9, { name: 'sha384', saltLength: 24 }],
  [10, { name: 'sha512', saltLength: 32 }],
  [11, { name: 'sha224', saltLength: 16 }],
  [12, { name: 'sha3-256', saltLength: 16 }],
  [14, { name: 'sha3-512', saltLength: 32 }]
])

export function hashAlgorithm(id: number): HashAlgorithm | undefined {
  return HASHES.get(id)
}

export interface Curve {
  readonly use: 'ecdsa' | 'eddsa' | 'ecdh'
  /** As node:crypto calls it, where a point has to be checked. */
  readonly name: string
  /** Length of an encoded point in bytes. */
  readonly pointLength: number
}

/** By object identifier, in hex (RFC 9580 section 9.2 and the curves older software writes). */
const CURVES: ReadonlyMap<string, Curve> = new Map([
  ['2a8648ce3d030107', { use: 'ecdsa', name: 'prime256v1', pointLength: 65 }],
  ['2b81040022', { use: 'ecdsa', name: 'secp384r1', pointLength: 97 }],
  ['2b81040023', { use: 'ecdsa', name: 'secp521r1', pointLength: 133 }],
  ['2b8104000a', { use: 'ecdsa', name: 'secp256k1', pointLength: 65 }],
  ['2b2403030208010107', { use: 'ecdsa', name: 'brainpoolP256r1', pointLength: 65 }],
  ['2b240303020801010b', { use: 'ecdsa', name: 'brainpoolP384r1', pointLength: 97 }],
  ['2b240303020801010d', { use: 'ecdsa', name: 'brainpoolP512r1', pointLength: 129 }],
  ['2b060104019755010501', { use: 'ecdh', name: 'x25519', pointLength: 33 }],
  ['2b656f', { use: 'ecdh', name: 'x448', pointLength: 57 }],
  ['2b06010401da470f01', { use: 'eddsa', name: 'ed25519', pointLength: 33 }],
  ['2b6571', { use: 'eddsa', name: 'ed448', pointLength: 58 }]
])

/** @param objectId hex of the identifier's contents */
export function curveByObjectId(objectId: string): Curve | undefined {
  return CURVES.get(objectId)
}
