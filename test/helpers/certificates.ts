import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  contextTag,
  DER_TAG,
  encodeBitString,
  encodeDer,
  encodeNull,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger
} from '../../src/encoding/der.js'
import { encodeUtf8 } from '../../src/encoding/text.js'

/** Certificates to order, right or wrong in any part. */
export interface CertificateParts {
  readonly version?: Uint8Array | 'none'
  readonly serial?: Uint8Array
  readonly subject?: Uint8Array
  readonly issuer?: Uint8Array
  readonly notBefore?: Uint8Array
  readonly notAfter?: Uint8Array
  /** Key that is certified. */
  readonly key?: KeyObject
  readonly spki?: Uint8Array
  /** Elements between the key and the extensions. */
  readonly uniqueIds?: readonly Uint8Array[]
  readonly extensions?: readonly Uint8Array[] | 'none'
  /** Elements after the extensions. */
  readonly afterExtensions?: readonly Uint8Array[]
  /** Private key that signs. */
  readonly signer?: KeyObject
  readonly algorithm?: Uint8Array
  readonly outerAlgorithm?: Uint8Array
  readonly hash?: string
  /** Bytes in place of the signature. */
  readonly signature?: Uint8Array
  /** Elements after the signature. */
  readonly afterSignature?: readonly Uint8Array[]
}

export const OID = {
  commonName: '2.5.4.3',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  rsaSha256: '1.2.840.113549.1.1.11',
  rsaSha1: '1.2.840.113549.1.1.5',
  ed25519: '1.3.101.112'
} as const

export const ECDSA_SHA256 = encodeSequence(encodeOid(OID.ecdsaSha256))

export function name(commonName: string, tag: number = DER_TAG.utf8String): Uint8Array {
  return rawName(encodeDer(tag, encodeUtf8(commonName)))
}

/** A Name with one attribute, whatever its value. */
export function rawName(value: Uint8Array): Uint8Array {
  const attribute = encodeSequence(encodeOid(OID.commonName), value)
  return encodeSequence(encodeDer(DER_TAG.set, attribute))
}

export function utcTime(text: string): Uint8Array {
  return encodeDer(DER_TAG.utcTime, encodeUtf8(text))
}

export function boolean(value: boolean): Uint8Array {
  return encodeDer(DER_TAG.boolean, Uint8Array.of(value ? 0xff : 0))
}

export function extension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  return encodeSequence(
    encodeOid(oid),
    ...(critical ? [boolean(true)] : []),
    encodeDer(DER_TAG.octetString, value)
  )
}

export function basicConstraints(isCa: boolean, maxPathLength?: number): Uint8Array {
  return extension(
    OID.basicConstraints,
    encodeSequence(
      ...(isCa ? [boolean(true)] : []),
      ...(maxPathLength === undefined ? [] : [encodeUnsignedInteger(BigInt(maxPathLength))])
    ),
    true
  )
}

/** KeyUsage with these bits, bit 5 being keyCertSign. */
export function keyUsage(...bits: readonly number[]): Uint8Array {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0)
  const unused = bits.length === 0 ? 7 : 7 - Math.max(...bits)
  return extension(OID.keyUsage, encodeDer(DER_TAG.bitString, Uint8Array.of(unused, byte)), true)
}

export const general = {
  email: (text: string) => encodeDer(contextTag(1, 'primitive'), encodeUtf8(text)),
  dns: (text: string) => encodeDer(contextTag(2, 'primitive'), encodeUtf8(text)),
  uri: (text: string) => encodeDer(contextTag(6, 'primitive'), encodeUtf8(text)),
  ip: (...bytes: readonly number[]) =>
    encodeDer(contextTag(7, 'primitive'), Uint8Array.from(bytes)),
  other: (oid: string, ...value: readonly Uint8Array[]) =>
    encodeDer(
      contextTag(0, 'constructed'),
      encodeOid(oid),
      encodeDer(contextTag(0, 'constructed'), ...value)
    )
}

export function subjectAltName(names: readonly Uint8Array[], critical = false): Uint8Array {
  return extension(OID.subjectAltName, encodeSequence(...names), critical)
}

export function spkiOf(key: KeyObject): Uint8Array {
  return Uint8Array.from(key.export({ type: 'spki', format: 'der' }))
}

const defaultPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** DER of a certificate; every part left out is as an ordinary one has it. */
export function certificate(parts: CertificateParts = {}): Uint8Array {
  const algorithm = parts.algorithm ?? ECDSA_SHA256
  const version =
    parts.version ?? encodeDer(contextTag(0, 'constructed'), encodeUnsignedInteger(2n))
  const extensions = parts.extensions ?? []
  const tbs = encodeSequence(
    ...(version === 'none' ? [] : [version]),
    parts.serial ?? encodeUnsignedInteger(7n),
    algorithm,
    parts.issuer ?? name('issuer'),
    encodeSequence(
      parts.notBefore ?? utcTime('250101000000Z'),
      parts.notAfter ?? utcTime('350101000000Z')
    ),
    parts.subject ?? name('subject'),
    parts.spki ?? spkiOf(parts.key ?? defaultPair.publicKey),
    ...(parts.uniqueIds ?? []),
    ...(extensions === 'none'
      ? []
      : [encodeDer(contextTag(3, 'constructed'), encodeSequence(...extensions))]),
    ...(parts.afterExtensions ?? [])
  )
  const signer = parts.signer ?? defaultPair.privateKey
  const hash = signer.asymmetricKeyType === 'ed25519' ? null : (parts.hash ?? 'sha256')
  return encodeSequence(
    tbs,
    parts.outerAlgorithm ?? algorithm,
    encodeBitString(parts.signature ?? sign(hash, tbs, signer)),
    ...(parts.afterSignature ?? [])
  )
}

/** AlgorithmIdentifier of an RSA signature. */
export function rsaAlgorithm(oid: string): Uint8Array {
  return encodeSequence(encodeOid(oid), encodeNull())
}
