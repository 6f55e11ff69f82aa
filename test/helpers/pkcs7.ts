import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeGeneralizedTime,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTime,
  encodeUnsignedInteger
} from '../../src/encoding/der.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { parseCertificate } from '../../src/x509/certificate.js'
import { certificate, name } from './certificates.js'
import { derChildren, derElement } from './der-children.js'

// PKCS#7 to order, right or wrong in any part.

export const PKCS7_OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  countersignature: '1.2.840.113549.1.9.6',
  timestampToken: '1.2.840.113549.1.9.16.2.14',
  microsoftToken: '1.3.6.1.4.1.311.3.3.1',
  ecdsa: '1.2.840.10045.2.1',
  rsa: '1.2.840.113549.1.1.1',
  pss: '1.2.840.113549.1.1.10',
  mgf1: '1.2.840.113549.1.1.8'
} as const

export const HASH_OIDS: Readonly<Record<string, string>> = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha224: '2.16.840.1.101.3.4.2.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3'
}

/** A key and a certificate for it. */
export interface TestSigner {
  readonly privateKey: KeyObject
  readonly certificate: Uint8Array
}

const RSA_BITS = { rsa: 2048, rsa1024: 1024, rsa1020: 1020, rsa768: 768 }

let serial = 100n

export function newTestSigner(
  kind: 'ec' | keyof typeof RSA_BITS | 'ed25519' = 'ec',
  commonName = 'signer'
): TestSigner {
  const { publicKey, privateKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : kind === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: RSA_BITS[kind] })
  serial += 1n
  return {
    privateKey,
    certificate: certificate({
      key: publicKey,
      serial: encodeUnsignedInteger(serial),
      issuer: name(`issuer of ${commonName}`),
      subject: name(commonName)
    })
  }
}

export const ecSigner = newTestSigner()
export const rsaSigner = newTestSigner('rsa', 'rsa signer')

export function algorithmId(oid: string, parameters: Uint8Array = encodeNull()): Uint8Array {
  return encodeSequence(encodeOid(oid), parameters)
}

export function attribute(oid: string, ...values: readonly Uint8Array[]): Uint8Array {
  return encodeSequence(encodeOid(oid), encodeDer(DER_TAG.set, ...values))
}

export interface SignerParts {
  readonly signer?: TestSigner
  readonly hash?: string
  /** What is signed, for the digest. */
  readonly content: Uint8Array
  readonly contentType?: string
  /** `none`: the content itself is signed. */
  readonly attributes?: readonly Uint8Array[] | 'none'
  readonly digestAlgorithm?: Uint8Array
  readonly signatureAlgorithm?: Uint8Array
  /** In place of the signature. */
  readonly signature?: (signedBytes: Uint8Array) => Uint8Array
  readonly unsigned?: (signature: Uint8Array) => readonly Uint8Array[]
}

/** A SignerInfo. */
export function signerInfo(parts: SignerParts): Uint8Array {
  const { signer = ecSigner, hash = 'sha256', content } = parts
  const attributes = parts.attributes ?? signedAttributes(parts)
  const isPlain = attributes === 'none'
  const signedBytes = isPlain ? content : encodeDer(DER_TAG.set, ...attributes)
  const signature =
    parts.signature?.(signedBytes) ?? Uint8Array.from(sign(hash, signedBytes, signer.privateKey))
  const { issuer, serialNumber } = parseCertificate(signer.certificate)
  const unsigned = parts.unsigned?.(signature) ?? []
  const isRsa = signer.privateKey.asymmetricKeyType === 'rsa'
  return encodeSequence(
    encodeUnsignedInteger(1n),
    encodeSequence(issuer, encodeUnsignedInteger(serialNumber)),
    parts.digestAlgorithm ?? algorithmId(HASH_OIDS[hash] ?? ''),
    ...(isPlain ? [] : [encodeDer(contextTag(0, 'constructed'), ...attributes)]),
    parts.signatureAlgorithm ?? algorithmId(isRsa ? PKCS7_OID.rsa : PKCS7_OID.ecdsa),
    encodeOctetString(signature),
    ...(unsigned.length === 0 ? [] : [encodeDer(contextTag(1, 'constructed'), ...unsigned)])
  )
}

/** Content type and digest. */
export function signedAttributes({
  content,
  contentType = PKCS7_OID.data,
  hash = 'sha256'
}: Pick<SignerParts, 'content' | 'contentType' | 'hash'>): readonly Uint8Array[] {
  return [
    attribute(PKCS7_OID.contentType, encodeOid(contentType)),
    attribute(PKCS7_OID.messageDigest, encodeOctetString(createHash(hash).update(content).digest()))
  ]
}

export interface Pkcs7Parts {
  readonly contentType?: string
  /** The content that comes along. */
  readonly content?: Uint8Array | undefined
  readonly certificates?: readonly Uint8Array[]
  readonly revocations?: readonly Uint8Array[]
  readonly digestAlgorithms?: readonly Uint8Array[]
  readonly signers: readonly Uint8Array[]
}

/** A ContentInfo with a SignedData. Sets are written as they are given. */
export function pkcs7(parts: Pkcs7Parts): Uint8Array {
  const { content, certificates = [ecSigner.certificate], revocations } = parts
  const sha256 = algorithmId(HASH_OIDS['sha256'] ?? '')
  const context0 = contextTag(0, 'constructed')
  return encodeSequence(
    encodeOid(PKCS7_OID.signedData),
    encodeDer(
      context0,
      encodeSequence(
        encodeUnsignedInteger(1n),
        encodeDer(DER_TAG.set, ...(parts.digestAlgorithms ?? [sha256])),
        encodeSequence(
          encodeOid(parts.contentType ?? PKCS7_OID.data),
          ...(content === undefined ? [] : [encodeDer(context0, encodeOctetString(content))])
        ),
        ...(certificates.length === 0 ? [] : [encodeDer(context0, ...certificates)]),
        ...(revocations === undefined
          ? []
          : [encodeDer(contextTag(1, 'constructed'), ...revocations)]),
        encodeDer(DER_TAG.set, ...parts.signers)
      )
    )
  )
}

/** A signature over `content`, detached. */
export function signPkcs7(
  content: Uint8Array,
  parts: Omit<SignerParts, 'content'> = {},
  encapsulated = false
): Uint8Array {
  const { signer = ecSigner } = parts
  return pkcs7({
    content: encapsulated ? content : undefined,
    certificates: [signer.certificate],
    signers: [signerInfo({ ...parts, content })]
  })
}

export const TEST_TIME_SECONDS = 1_750_000_000

/** TSTInfo over `data`. @param genTime DER in place of the time */
export function tstInfo(data: Uint8Array, hash = 'sha256', genTime?: Uint8Array): Uint8Array {
  return encodeSequence(
    encodeUnsignedInteger(1n),
    encodeOid('1.3.6.1.4.1.99999.1'),
    encodeSequence(
      algorithmId(HASH_OIDS[hash] ?? ''),
      encodeOctetString(createHash(hash).update(data).digest())
    ),
    encodeUnsignedInteger(5n),
    genTime ?? encodeGeneralizedTime(TEST_TIME_SECONDS)
  )
}

export const tsaSigner = newTestSigner('rsa', 'tsa')

/** A timestamp token around a TSTInfo. */
export function timestampToken(
  content: Uint8Array,
  parts: Partial<Pkcs7Parts> & { readonly signer?: Partial<SignerParts> } = {}
): Uint8Array {
  const contentType = PKCS7_OID.tstInfo
  return pkcs7({
    contentType,
    content,
    certificates: [tsaSigner.certificate],
    signers: [signerInfo({ signer: tsaSigner, contentType, content, ...parts.signer })],
    ...parts
  })
}

/** A countersignature of PKCS#9 over `data`. */
export function countersignature(data: Uint8Array, parts: Partial<SignerParts> = {}): Uint8Array {
  const [, digest] = signedAttributes({ content: data })
  return signerInfo({
    content: data,
    attributes: [
      attribute(PKCS7_OID.signingTime, encodeTime(TEST_TIME_SECONDS)),
      digest ?? new Uint8Array(0)
    ],
    ...parts
  })
}

export function pssAlgorithm(
  hash: string,
  saltBytes: number,
  parts: readonly (Uint8Array | undefined)[] = []
): Uint8Array {
  const hashId = algorithmId(HASH_OIDS[hash] ?? '')
  const fields = [
    parts[0] ?? hashId,
    parts[1] ?? algorithmId(PKCS7_OID.mgf1, hashId),
    parts[2] ?? encodeUnsignedInteger(BigInt(saltBytes)),
    ...parts.slice(3)
  ]
  return algorithmId(
    PKCS7_OID.pss,
    encodeSequence(
      ...fields.map((field, number) =>
        encodeDer(contextTag(number, 'constructed'), field ?? new Uint8Array(0))
      )
    )
  )
}

export function signPss(
  { privateKey }: TestSigner,
  hash: string,
  saltLength: number
): (signedBytes: Uint8Array) => Uint8Array {
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return (signedBytes) =>
    Uint8Array.from(sign(hash, signedBytes, { key: privateKey, padding, saltLength }))
}

/**
 * The same DER with one element inside it replaced.
 * @param path which child of which child
 * @param change what stands in its place: nothing, one or more elements
 */
export function editDer(
  der: Uint8Array,
  path: readonly number[],
  change: (element: Uint8Array) => readonly Uint8Array[]
): Uint8Array {
  const [step, ...rest] = path
  if (step === undefined) return Uint8Array.from(Buffer.concat(change(der)))
  const children = derChildren(der).map((child): Uint8Array => Uint8Array.from(child))
  const found = children[step]
  // One beyond the last: something is added.
  const replaced = found === undefined ? change(new Uint8Array(0)) : [editDer(found, rest, change)]
  children.splice(step, 1, ...replaced)
  return Uint8Array.from(derElement(der[0] ?? 0, ...children))
}

export const text = encodeUtf8
