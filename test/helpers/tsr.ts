import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger
} from '../../src/encoding/der.js'
import { certificate, name, utcTime } from './certificates.js'

// Answers of a timestamp authority that keeps to no rule but those of PKCS#7.

const OID_SIGNED_DATA = '1.2.840.113549.1.7.2'
const OID_TST_INFO = '1.2.840.113549.1.9.16.1.4'
const OID_CONTENT_TYPE = '1.2.840.113549.1.9.3'
const OID_MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
const SHA256 = encodeSequence(encodeOid('2.16.840.1.101.3.4.2.1'), encodeNull())
export const ECDSA_WITH_SHA256 = encodeSequence(encodeOid('1.2.840.10045.4.3.2'))
export const RSA_ENCRYPTION = encodeSequence(encodeOid('1.2.840.113549.1.1.1'), encodeNull())

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const CONTEXT_0 = contextTag(0, 'constructed')

export interface TsrParts {
  readonly key?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  readonly signatureAlgorithm?: Uint8Array
  /** Bytes of the content; a real one would be a TSTInfo. */
  readonly content?: Uint8Array | 'none'
  /** Bytes that the attributes name; by default the content. */
  readonly digested?: Uint8Array
  readonly withAttributes?: boolean
  readonly certificates?: readonly Uint8Array[]
  readonly signature?: Uint8Array
  readonly signers?: number
  readonly tokenType?: string
  /** Elements of the PKIStatusInfo. */
  readonly status?: readonly Uint8Array[]
  readonly withToken?: boolean
  /** Elements after the token. */
  readonly extra?: readonly Uint8Array[]
}

export const GRANTED = encodeUnsignedInteger(0n)

/** Certificate of the authority, or of one with another key: of no use for timestamps, and long expired. */
export function tsaCertificate(key: KeyObject = pair.publicKey): Uint8Array {
  return certificate({
    key,
    notBefore: utcTime('600101000000Z'),
    notAfter: utcTime('610101000000Z')
  })
}

/** DER of a TimeStampResp. */
export function timestampResponse(parts: TsrParts = {}): Uint8Array {
  const { withToken = true, status = [GRANTED], extra = [] } = parts
  return encodeSequence(
    encodeSequence(...status),
    ...(withToken ? [timestampToken(parts)] : []),
    ...extra
  )
}

function timestampToken(parts: TsrParts): Uint8Array {
  const { key = pair, content = Buffer.from('a statement'), signers = 1 } = parts
  const { certificates = [tsaCertificate(key.publicKey)] } = parts
  const bytes = content === 'none' ? new Uint8Array(0) : content
  const signedData = encodeSequence(
    encodeUnsignedInteger(3n),
    encodeDer(DER_TAG.set, SHA256),
    encodeSequence(
      encodeOid(OID_TST_INFO),
      ...(content === 'none' ? [] : [encodeDer(CONTEXT_0, encodeOctetString(bytes))])
    ),
    ...(certificates.length === 0 ? [] : [encodeDer(CONTEXT_0, ...certificates)]),
    encodeDer(DER_TAG.set, ...Array.from({ length: signers }, () => signerInfo(parts, bytes)))
  )
  return encodeSequence(
    encodeOid(parts.tokenType ?? OID_SIGNED_DATA),
    encodeDer(CONTEXT_0, signedData)
  )
}

function signerInfo(parts: TsrParts, content: Uint8Array): Uint8Array {
  const { key = pair, withAttributes = true, digested = content } = parts
  const digest = createHash('sha256').update(digested).digest()
  const attributes = [
    attribute(OID_CONTENT_TYPE, encodeOid(OID_TST_INFO)),
    attribute(OID_MESSAGE_DIGEST, encodeOctetString(digest))
  ]
  const signed = withAttributes ? encodeDer(DER_TAG.set, ...attributes) : content
  return encodeSequence(
    encodeUnsignedInteger(1n),
    encodeSequence(name('issuer'), encodeUnsignedInteger(7n)),
    SHA256,
    ...(withAttributes ? [encodeDer(CONTEXT_0, ...attributes)] : []),
    parts.signatureAlgorithm ?? ECDSA_WITH_SHA256,
    encodeOctetString(parts.signature ?? sign('sha256', signed, key.privateKey))
  )
}

function attribute(oid: string, value: Uint8Array): Uint8Array {
  return encodeSequence(encodeOid(oid), encodeDer(DER_TAG.set, value))
}
