/**
 * Builds OpenPGP keys and signatures octet by octet, straight from RFC 9580, so that tests can make what no
 * well-behaved software writes. Keys come from a number, so the same key is made on every run (RSA and DSA excepted).
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject
} from 'node:crypto'

export const bytes = (...parts: readonly (number | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])))

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

export const uint = (value: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** (size - 1 - i)) % 256)

/** Multiprecision integer. */
export function mpi(value: Uint8Array): Uint8Array {
  const first = value.findIndex((byte) => byte !== 0)
  if (first < 0) return uint(0, 2)
  const digits = value.subarray(first)
  return bytes(uint(digits.length * 8 - Math.clz32(digits[0]!) + 24, 2), digits)
}

/** Packet with a new-format header. */
export function packet(tag: number, body: Uint8Array): Uint8Array {
  return bytes(0xc0 | tag, 255, uint(body.length, 4), body)
}

/** Packet with an old-format header, as GnuPG writes it. */
export function oldPacket(tag: number, body: Uint8Array): Uint8Array {
  return bytes(0x81 | (tag << 2), uint(body.length, 2), body)
}

export function subpacket(type: number, contents: Uint8Array, critical = false): Uint8Array {
  const length = contents.length + 1
  const prefix =
    length < 192 ? bytes(length) : bytes(((length - 192) >> 8) + 192, (length - 192) % 256)
  return bytes(prefix, critical ? type | 0x80 : type, contents)
}

/** The same with a length of five octets where one or two would do. */
export const wideSubpacket = (type: number, contents: Uint8Array): Uint8Array =>
  bytes(255, uint(contents.length + 1, 4), type, contents)

export type KeyKind = 'ed25519' | 'eddsa' | 'p256' | 'rsa' | 'rsa512' | 'dsa'

export interface TestKey {
  readonly kind: KeyKind
  readonly version: 4 | 6
  readonly algorithm: number
  readonly secret: KeyObject
  /** Body of the public key packet. */
  readonly body: Uint8Array
  /** What signatures over the key cover. */
  readonly hashed: Uint8Array
  readonly fingerprint: Uint8Array
  readonly keyId: Uint8Array
}

export const CREATED = 1_600_000_000

export interface KeyOptions {
  readonly version?: 4 | 6
  readonly created?: number
}

/** @param number makes different keys */
export function makeKey(kind: KeyKind, number = 1, options: KeyOptions = {}): TestKey {
  const { version = 4, created = CREATED } = options
  const secret = makeSecret(kind, number)
  const { algorithm, fields } = publicFields(kind, secret)
  const length = version === 6 ? uint(fields.length, 4) : bytes()
  const body = bytes(version, uint(created, 4), algorithm, length, fields)
  return describeKey(kind, version, algorithm, secret, body)
}

/** A key of any body, for those whose fields are wrong. */
export function describeKey(
  kind: KeyKind,
  version: 4 | 6,
  algorithm: number,
  secret: KeyObject,
  body: Uint8Array
): TestKey {
  const hashed =
    version === 6
      ? bytes(0x9b, uint(body.length, 4), body)
      : bytes(0x99, uint(body.length, 2), body)
  const hash = createHash(version === 6 ? 'sha256' : 'sha1')
  const fingerprint = bytes(hash.update(hashed).digest())
  const keyId = version === 6 ? fingerprint.subarray(0, 8) : fingerprint.subarray(12)
  return { kind, version, algorithm, secret, body, hashed, fingerprint, keyId }
}

const pairs = new Map<string, KeyObject>()

function makeSecret(kind: KeyKind, number: number): KeyObject {
  const seed = createHash('sha256').update(`${kind} ${number}`).digest()
  if (kind === 'ed25519' || kind === 'eddsa') {
    const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
    return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' })
  }
  if (kind === 'p256') {
    const prefix = Buffer.from(
      '304102010030130607' + '2a8648ce3d0201' + '06082a8648ce3d030107' + '0427302502010104' + '20',
      'hex'
    )
    return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' })
  }
  const name = `${kind} ${number}`
  const secret = pairs.get(name) ?? generate(kind)
  pairs.set(name, secret)
  return secret
}

function generate(kind: KeyKind): KeyObject {
  if (kind === 'dsa') {
    return generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey
  }
  return generateKeyPairSync('rsa', { modulusLength: kind === 'rsa' ? 1024 : 512 }).privateKey
}

function publicFields(kind: KeyKind, secret: KeyObject): { algorithm: number; fields: Uint8Array } {
  const publicKey = createPublicKey(secret)
  if (kind === 'dsa') {
    const [p, q, g, y] = dsaIntegers(publicKey.export({ format: 'der', type: 'spki' }))
    return { algorithm: 17, fields: bytes(mpi(p!), mpi(q!), mpi(g!), mpi(y!)) }
  }
  const jwk = publicKey.export({ format: 'jwk' })
  const member = (name: 'n' | 'e' | 'x' | 'y') => bytes(Buffer.from(jwk[name] ?? '', 'base64url'))
  switch (kind) {
    case 'ed25519':
      return { algorithm: 27, fields: member('x') }
    case 'eddsa': {
      const curve = bytes(9, Buffer.from('2b06010401da470f01', 'hex'))
      return { algorithm: 22, fields: bytes(curve, mpi(bytes(0x40, member('x')))) }
    }
    case 'p256': {
      const curve = bytes(8, Buffer.from('2a8648ce3d030107', 'hex'))
      return { algorithm: 19, fields: bytes(curve, mpi(bytes(4, member('x'), member('y')))) }
    }
    default:
      return { algorithm: 1, fields: bytes(mpi(member('n')), mpi(member('e'))) }
  }
}

/** All integers of a SubjectPublicKeyInfo of DSA: p, q, g and, inside the bit string, y. */
function dsaIntegers(der: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at < der.length;) {
    const tag = der[at]!
    let length = der[at + 1]!
    at += 2
    if (length > 0x80) {
      const size = length & 0x7f
      length = Number.parseInt(Buffer.from(der.subarray(at, at + size)).toString('hex'), 16)
      at += size
    }
    if (tag === 0x02) found.push(der.subarray(at, at + length))
    // Constructed values and the bit string (after its count of unused bits) are walked into.
    if (tag === 0x30) continue
    at += tag === 0x03 ? 1 : length
  }
  return found
}

const HASH_NAMES: Readonly<Record<number, string>> = {
  2: 'sha1',
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
  11: 'sha224',
  12: 'sha3-256',
  14: 'sha3-512'
}
const SALT_LENGTHS: Readonly<Record<number, number>> = {
  2: 0,
  8: 16,
  9: 24,
  10: 32,
  11: 16,
  12: 16,
  14: 32
}

export interface SignatureOptions {
  readonly version?: number
  readonly created?: number
  /** Id of the hash algorithm; SHA-256 if not given. */
  readonly hash?: number
  /** Added to creation time and issuer fingerprint. */
  readonly hashedSubpackets?: readonly Uint8Array[]
  readonly unhashedSubpackets?: readonly Uint8Array[]
  /** Leaves out the issuer. */
  readonly anonymous?: boolean
  /** Replaces the hashed area altogether. */
  readonly hashedArea?: Uint8Array
  readonly flags?: number
  readonly lifetime?: number
  readonly keyLifetime?: number
  readonly wrongTag?: boolean
}

/** Body of a signature packet. @param signed what comes before the signature's own part */
export function makeSignature(
  key: TestKey,
  type: number,
  signed: Uint8Array,
  options: SignatureOptions = {}
): Uint8Array {
  const { version = key.version, created = CREATED, hash = 8 } = options
  const lengthSize = version === 6 ? 4 : 2
  const issuer = options.anonymous ? bytes() : subpacket(33, bytes(key.version, key.fingerprint))
  const hashedArea =
    options.hashedArea ??
    bytes(
      subpacket(2, uint(created, 4)),
      issuer,
      options.flags === undefined ? bytes() : subpacket(27, bytes(options.flags)),
      options.lifetime === undefined ? bytes() : subpacket(3, uint(options.lifetime, 4)),
      options.keyLifetime === undefined ? bytes() : subpacket(9, uint(options.keyLifetime, 4)),
      ...(options.hashedSubpackets ?? [])
    )
  const unhashedArea = bytes(...(options.unhashedSubpackets ?? []))
  const hashedPart = bytes(
    version,
    type,
    key.algorithm,
    hash,
    uint(hashedArea.length, lengthSize),
    hashedArea
  )
  const salt = version === 6 ? new Uint8Array(SALT_LENGTHS[hash] ?? 16).fill(7) : bytes()
  const message = bytes(salt, signed, hashedPart, version, 0xff, uint(hashedPart.length, 4))
  const name = HASH_NAMES[hash] ?? 'sha256'
  const digest = createHash(name).update(message).digest()
  return bytes(
    hashedPart,
    uint(unhashedArea.length, lengthSize),
    unhashedArea,
    options.wrongTag ? bytes(digest[0]! ^ 1, digest[1]!) : digest.subarray(0, 2),
    version === 6 ? bytes(salt.length, salt) : bytes(),
    signatureFields(key, name, message, digest)
  )
}

function signatureFields(key: TestKey, hash: string, message: Uint8Array, digest: Uint8Array) {
  switch (key.kind) {
    case 'ed25519':
      return sign(null, digest, key.secret)
    case 'eddsa': {
      const signature = sign(null, digest, key.secret)
      return bytes(mpi(signature.subarray(0, 32)), mpi(signature.subarray(32)))
    }
    case 'p256':
    case 'dsa': {
      const signature = sign(hash, message, { key: key.secret, dsaEncoding: 'ieee-p1363' })
      const half = signature.length / 2
      return bytes(mpi(signature.subarray(0, half)), mpi(signature.subarray(half)))
    }
    default:
      return mpi(sign(hash, message, key.secret))
  }
}

/** Signature over a user ID: self-certification, certification by somebody else, or revocation. */
export function certify(
  signer: TestKey,
  subject: TestKey,
  userId: Uint8Array,
  options: SignatureOptions & { readonly type?: number } = {}
): Uint8Array {
  const signed = bytes(subject.hashed, 0xb4, uint(userId.length, 4), userId)
  return packet(2, makeSignature(signer, options.type ?? 0x13, signed, { flags: 3, ...options }))
}

export interface BindOptions extends SignatureOptions {
  readonly type?: number
  /** Options of the signature the subkey makes; false leaves it out. */
  readonly cross?:
    (SignatureOptions & { readonly type?: number; readonly unhashed?: boolean }) | false
}

/** Binding (or revocation) of a subkey, with the signature of the subkey where it may sign. */
export function bind(primary: TestKey, subkey: TestKey, options: BindOptions = {}): Uint8Array {
  const signed = bytes(primary.hashed, subkey.hashed)
  const { cross, flags = 2 } = options
  const hashed: Uint8Array[] = []
  const unhashed: Uint8Array[] = []
  if (cross !== false && (flags & 2) !== 0) {
    const embedded = makeSignature(subkey, cross?.type ?? 0x19, signed, cross)
    ;(cross?.unhashed ? unhashed : hashed).push(subpacket(32, embedded))
  }
  return packet(
    2,
    makeSignature(primary, options.type ?? 0x18, signed, {
      ...options,
      flags,
      hashedSubpackets: [...(options.hashedSubpackets ?? []), ...hashed],
      unhashedSubpackets: [...(options.unhashedSubpackets ?? []), ...unhashed]
    })
  )
}

/** Detached signature over data: one packet. */
export function signData(
  key: TestKey,
  data: Uint8Array,
  options: SignatureOptions & { readonly type?: number } = {}
): Uint8Array {
  return packet(2, makeSignature(key, options.type ?? 0, data, options))
}

export const USER_ID = utf8('Test Key <test@example.com>')

/** A v4 key with one user ID. */
export function simpleRing(key: TestKey, options: SignatureOptions = {}): Uint8Array {
  return bytes(packet(6, key.body), packet(13, USER_ID), certify(key, key, USER_ID, options))
}

/** Armored without headers, in lines of 64. */
export function armored(type: string, body: Uint8Array): Uint8Array {
  const text = Buffer.from(body)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')
  return utf8(`-----BEGIN ${type}-----\n\n${text}\n-----END ${type}-----\n`)
}
