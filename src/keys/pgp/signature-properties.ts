import { encodeHex } from '../../encoding/hex.js'
import { createByteReader } from './byte-reader.js'
import { structuralFailure, unsupportedFailure } from './failure.js'
import type { SignaturePacket } from './signature-packet.js'
import { SUBPACKET, type Subpacket } from './subpackets.js'
import { readText } from './text.js'

/** What the subpackets of a signature say, as far as anything here depends on it. */
export interface SignatureProperties {
  readonly createdSeconds: number
  /** Seconds from creation; undefined or 0 means for ever. */
  readonly lifetimeSeconds: number | undefined
  /** Lifetime of the key a self-signature is about, in seconds from the key's creation; undefined or 0: for ever. */
  readonly keyLifetimeSeconds: number | undefined
  /** 16 lower-case hex digits. */
  readonly issuerKeyId: string | undefined
  readonly issuerFingerprint: Uint8Array | undefined
  /** First octet of the key flags, 0 if it is missing; undefined without the subpacket. */
  readonly keyFlags: number | undefined
  readonly isPrimaryUserId: boolean
  /** Code of the reason, see RFC 9580 section 5.2.3.31. */
  readonly revocationReason: number | undefined
  /** Names of the notations nobody may ignore. */
  readonly criticalNotations: readonly string[]
  /** Signature by the subkey over the primary key. */
  readonly embedded: SignaturePacket | undefined
}

/** Properties while they are being collected: later subpackets win over earlier ones. */
interface Draft {
  createdSeconds?: number
  lifetimeSeconds?: number
  keyLifetimeSeconds?: number
  issuerKeyId?: string
  issuerFingerprint?: Uint8Array
  keyFlags?: number
  isPrimaryUserId?: boolean
  revocationReason?: number | undefined
  criticalNotations: string[]
  embedded?: SignaturePacket
}

type ReadEmbedded = (body: Uint8Array) => SignaturePacket

/** The only subpackets that mean anything outside the signed area. */
const UNSIGNED: readonly number[] = [
  SUBPACKET.issuer,
  SUBPACKET.issuerFingerprint,
  SUBPACKET.embeddedSignature
]

/** Known subpackets whose contents do not matter here. */
const IGNORED: readonly number[] = [
  SUBPACKET.preferredCiphers,
  SUBPACKET.preferredHashes,
  SUBPACKET.preferredCompression,
  SUBPACKET.keyServerPreferences,
  SUBPACKET.preferredKeyServer,
  SUBPACKET.policyUri,
  SUBPACKET.signerUserId,
  SUBPACKET.features
]

/**
 * Collects the properties of a signature.
 *
 * @param readEmbedded reads the body of an embedded signature
 * @throws LogError `unsupported` | `invalid_request`
 */
export function collectProperties(
  version: 4 | 6,
  hashed: readonly Subpacket[],
  unhashed: readonly Subpacket[],
  readEmbedded: ReadEmbedded
): SignatureProperties {
  const draft: Draft = { criticalNotations: [] }
  for (const subpacket of hashed) {
    if (subpacket.type === SUBPACKET.issuer && version === 6) {
      throw structuralFailure('issuer subpacket found in v6 key')
    }
    readSubpacket(draft, version, subpacket, readEmbedded)
  }
  const { createdSeconds } = draft
  if (createdSeconds === undefined) throw structuralFailure('no creation time in signature')
  for (const subpacket of unhashed) {
    if (UNSIGNED.includes(subpacket.type)) readSubpacket(draft, version, subpacket, readEmbedded)
  }
  return {
    createdSeconds,
    lifetimeSeconds: draft.lifetimeSeconds,
    keyLifetimeSeconds: draft.keyLifetimeSeconds,
    issuerKeyId: draft.issuerKeyId,
    issuerFingerprint: draft.issuerFingerprint,
    keyFlags: draft.keyFlags,
    isPrimaryUserId: draft.isPrimaryUserId ?? false,
    revocationReason: draft.revocationReason,
    criticalNotations: draft.criticalNotations,
    embedded: draft.embedded
  }
}

function readSubpacket(
  draft: Draft,
  version: 4 | 6,
  { type, critical, contents }: Subpacket,
  readEmbedded: ReadEmbedded
): void {
  switch (type) {
    case SUBPACKET.creationTime:
      draft.createdSeconds = readSeconds(contents, 'signature creation time not four bytes')
      return
    case SUBPACKET.expirationTime:
      draft.lifetimeSeconds = readSeconds(contents, 'expiration subpacket with bad length')
      return
    case SUBPACKET.keyExpirationTime:
      draft.keyLifetimeSeconds = readSeconds(contents, 'key expiration subpacket with bad length')
      return
    case SUBPACKET.exportable:
      if (contents.length === 0) throw structuralFailure('exportable subpacket with bad length')
      if (contents[0] === 0) throw unsupportedFailure('signature with non-exportable certification')
      return
    case SUBPACKET.trust:
      if (contents.length !== 2) throw structuralFailure('trust subpacket with bad length')
      return
    case SUBPACKET.regularExpression:
      if (contents.at(-1) !== 0) {
        throw structuralFailure('expected regular expression to be null-terminated')
      }
      return
    case SUBPACKET.issuer:
      if (contents.length !== 8) throw structuralFailure('issuer subpacket with bad length')
      // Newer signatures name their issuer by fingerprint only.
      if (version === 4) draft.issuerKeyId = encodeHex(contents)
      return
    case SUBPACKET.issuerFingerprint:
      return readIssuerFingerprint(draft, contents)
    case SUBPACKET.notation:
      return readNotation(draft, contents, critical)
    case SUBPACKET.primaryUserId:
      if (contents.length !== 1) {
        throw structuralFailure('primary user id subpacket with bad length')
      }
      draft.isPrimaryUserId = contents[0] !== 0
      return
    case SUBPACKET.keyFlags:
      draft.keyFlags = (draft.keyFlags ?? 0) | (contents[0] ?? 0)
      return
    case SUBPACKET.revocationReason:
      if (contents.length === 0) throw structuralFailure('empty revocation reason subpacket')
      draft.revocationReason = contents[0]
      return
    case SUBPACKET.embeddedSignature:
      if (draft.embedded !== undefined) {
        throw structuralFailure('Cannot have multiple embedded signatures')
      }
      draft.embedded = readEmbedded(contents)
      return
    case SUBPACKET.intendedRecipient:
      assertFingerprint(contents)
      return
    case SUBPACKET.preferredCipherSuites:
      if (contents.length % 2 !== 0) throw structuralFailure('invalid aead cipher suite length')
      return
    default:
      if (critical && !IGNORED.includes(type)) {
        throw unsupportedFailure(`unknown critical signature subpacket type ${type}`)
      }
  }
}

function readSeconds(contents: Uint8Array, problem: string): number {
  if (contents.length !== 4) throw structuralFailure(problem)
  return createByteReader(contents).uint(4)
}

/** Version of the key in one octet, then its fingerprint. */
function readIssuerFingerprint(draft: Draft, contents: Uint8Array): void {
  const keyVersion = assertFingerprint(contents)
  const fingerprint = contents.subarray(1)
  draft.issuerFingerprint = fingerprint
  draft.issuerKeyId = encodeHex(
    keyVersion >= 5 ? fingerprint.subarray(0, 8) : fingerprint.subarray(12)
  )
}

function assertFingerprint(contents: Uint8Array): number {
  const [keyVersion] = contents
  if (keyVersion === undefined || contents.length !== (keyVersion >= 5 ? 33 : 21)) {
    throw structuralFailure('bad fingerprint length')
  }
  return keyVersion
}

/** Four octets of flags, lengths of name and value in two octets each, name, value. */
function readNotation(draft: Draft, contents: Uint8Array, critical: boolean): void {
  const problem = 'notation data subpacket with bad length'
  if (contents.length < 8) throw structuralFailure(problem)
  const reader = createByteReader(contents)
  reader.uint(4)
  const nameLength = reader.uint(2)
  const valueLength = reader.uint(2)
  if (reader.left() !== nameLength + valueLength) throw structuralFailure(problem)
  if (critical) draft.criticalNotations.push(readText(reader.bytes(nameLength)))
}
