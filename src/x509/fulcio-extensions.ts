import { contextTag, DER_TAG, encodeDer, encodeOid, encodeSequence } from '../encoding/der.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { Extension } from './certificate.js'

const FULCIO_ARC = '1.3.6.1.4.1.57264.1'

interface Definition {
  readonly name: string
  /** Last arc of the OID. */
  readonly arc: number
  /** `raw`: the text is the value, which the oldest extensions got wrong for good. `der`: a UTF8String. */
  readonly encoding: 'raw' | 'der'
}

/** Every extension in the order a certificate has them. Arc 7 is no extension but the type of the otherName below. */
const DEFINITIONS = [
  { name: 'issuer', arc: 1, encoding: 'raw' },
  { name: 'githubWorkflowTrigger', arc: 2, encoding: 'raw' },
  { name: 'githubWorkflowSha', arc: 3, encoding: 'raw' },
  { name: 'githubWorkflowName', arc: 4, encoding: 'raw' },
  { name: 'githubWorkflowRepository', arc: 5, encoding: 'raw' },
  { name: 'githubWorkflowRef', arc: 6, encoding: 'raw' },
  { name: 'issuer', arc: 8, encoding: 'der' },
  { name: 'buildSignerUri', arc: 9, encoding: 'der' },
  { name: 'buildSignerDigest', arc: 10, encoding: 'der' },
  { name: 'runnerEnvironment', arc: 11, encoding: 'der' },
  { name: 'sourceRepositoryUri', arc: 12, encoding: 'der' },
  { name: 'sourceRepositoryDigest', arc: 13, encoding: 'der' },
  { name: 'sourceRepositoryRef', arc: 14, encoding: 'der' },
  { name: 'sourceRepositoryIdentifier', arc: 15, encoding: 'der' },
  { name: 'sourceRepositoryOwnerUri', arc: 16, encoding: 'der' },
  { name: 'sourceRepositoryOwnerIdentifier', arc: 17, encoding: 'der' },
  { name: 'buildConfigUri', arc: 18, encoding: 'der' },
  { name: 'buildConfigDigest', arc: 19, encoding: 'der' },
  { name: 'buildTrigger', arc: 20, encoding: 'der' },
  { name: 'runInvocationUri', arc: 21, encoding: 'der' },
  { name: 'sourceRepositoryVisibilityAtSigning', arc: 22, encoding: 'der' },
  { name: 'deploymentEnvironment', arc: 23, encoding: 'der' },
  { name: 'subject', arc: 24, encoding: 'der' }
] as const satisfies readonly Definition[]

export type FulcioExtensionName = (typeof DEFINITIONS)[number]['name']

/** Each name once, in the order of the extensions. */
export const FULCIO_EXTENSION_NAMES: readonly FulcioExtensionName[] = [
  ...new Set(DEFINITIONS.map(({ name }) => name))
]

/** Texts to put into a certificate. An empty text is as good as none. */
export type FulcioExtensionValues = Readonly<
  Partial<Record<FulcioExtensionName, string>> & { readonly issuer: string }
>

/** One extension in words. */
export interface FulcioExtension {
  readonly oid: string
  readonly name: FulcioExtensionName
  readonly text: string
}

/** What buildFulcioExtensions would put into a certificate, for people: those with a text, in their order. */
export function listFulcioExtensions(values: FulcioExtensionValues): readonly FulcioExtension[] {
  return DEFINITIONS.flatMap(({ name, arc }) => {
    const text = values[name] ?? ''
    return text === '' ? [] : [{ oid: `${FULCIO_ARC}.${arc}`, name, text }]
  })
}

/**
 * The extensions of a Fulcio certificate that say where its identity comes from, in their order; none is critical.
 *
 * @throws LogError `invalid_request` when the issuer is empty
 * @see fulcio §13
 */
export function buildFulcioExtensions(values: FulcioExtensionValues): readonly Extension[] {
  if (values.issuer === '') {
    throw new LogError('invalid_request', 'extensions must have a non-empty issuer url')
  }
  return DEFINITIONS.flatMap(({ name, arc, encoding }) => {
    const text = values[name] ?? ''
    if (text === '') return []
    const bytes = encodeUtf8(text)
    const value = encoding === 'raw' ? bytes : encodeDer(DER_TAG.utf8String, bytes)
    return [{ oid: `${FULCIO_ARC}.${arc}`, critical: false, value }]
  })
}

/** The one name a Fulcio certificate is for. */
export interface SubjectName {
  readonly kind: 'rfc822Name' | 'uniformResourceIdentifier' | 'otherName'
  readonly value: string
}

/**
 * The subjectAltName extension with that one name: critical, because the subject of the certificate is empty.
 *
 *     otherName                  [0] { type-id OBJECT IDENTIFIER, value [0] EXPLICIT UTF8String }
 *     rfc822Name                 [1] IA5String
 *     uniformResourceIdentifier  [6] IA5String
 *
 * @throws LogError `invalid_request` when an e-mail address or URI is not ASCII
 * @see fulcio §12, RFC 5280 section 4.2.1.6
 */
export function buildSubjectAltName(name: SubjectName): Extension {
  return { oid: '2.5.29.17', critical: true, value: encodeSequence(encodeSubjectName(name)) }
}

function encodeSubjectName({ kind, value }: SubjectName): Uint8Array {
  const bytes = encodeUtf8(value)
  if (kind === 'otherName') {
    const wrapper = contextTag(0, 'constructed')
    return encodeDer(
      wrapper,
      encodeOid(`${FULCIO_ARC}.7`),
      encodeDer(wrapper, encodeDer(DER_TAG.utf8String, bytes))
    )
  }
  if (bytes.some((byte) => byte > 0x7f)) {
    throw new LogError(
      'invalid_request',
      `x509: ${JSON.stringify(value)} cannot be encoded as an IA5String`
    )
  }
  return encodeDer(contextTag(kind === 'rfc822Name' ? 1 : 6, 'primitive'), bytes)
}

/** `SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }` */
export function encodeExtension({ oid, critical, value }: Extension): Uint8Array {
  return encodeSequence(
    encodeOid(oid),
    critical ? encodeDer(DER_TAG.boolean, Uint8Array.of(0xff)) : new Uint8Array(0),
    encodeDer(DER_TAG.octetString, value)
  )
}
