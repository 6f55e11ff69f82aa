import { encodeBase64 } from '../../encoding/base64.js'
import { equalBytes } from '../../encoding/bytes.js'
import type { JsonValue } from '../../encoding/canonical-json.js'
import { parseProtoJson } from '../../encoding/proto-json.js'
import { decodeUtf8 } from '../../encoding/text.js'
import { LogError } from '../../errors.js'
import { encodeLeafValue } from '../leaf.js'
import { enumName, HASH_ALGORITHMS, PUBLIC_KEY_DETAILS } from './key-details.js'
import {
  ENTRY,
  type HashOutputMessage,
  type SignatureMessage,
  type VerifierMessage
} from './messages.js'

/** Version of both kinds. */
export const BODY_VERSION = '0.0.2'

/** Longest body that fits an entry bundle of tiles, which has 16 bits for its length. In bytes. */
export const MAX_BODY_BYTES = 65_535

/** Key of a signature. */
export interface LoggedVerifier {
  readonly type: 'publicKey' | 'x509Certificate'
  /** DER, byte for byte as it was sent: SubjectPublicKeyInfo, or one certificate. */
  readonly rawBytes: Uint8Array
  /** Number of PublicKeyDetails; 0 if there is none. */
  readonly keyDetails: number
}

export interface LoggedSignature {
  readonly content: Uint8Array
  readonly verifier: LoggedVerifier
}

export interface LoggedHash {
  /** Number of HashAlgorithm; 0 if there is none, as older logs wrote of pure Ed25519. */
  readonly algorithm: number
  readonly digest: Uint8Array
}

/** A signature over a digest: of an artifact, or of the encoding of a DSSE envelope. */
export interface LoggedHashedrekord {
  readonly kind: 'hashedrekord'
  readonly data: LoggedHash
  readonly signature: LoggedSignature
}

/** An envelope from before the kind was withdrawn. Other logs have them; ours never. */
export interface LoggedDsse {
  readonly kind: 'dsse'
  readonly payloadHash: LoggedHash
  readonly signatures: readonly LoggedSignature[]
}

export type LoggedEntry = LoggedHashedrekord | LoggedDsse

/**
 * Canonical body of an entry, which is the leaf: JSON by RFC 8785 of what protojson writes, without fields that are empty or zero.
 *
 *     { apiVersion: "0.0.2", kind: "hashedrekord", spec: { hashedRekordV002: { data, signature } } }
 *     { apiVersion: "0.0.2", kind: "dsse", spec: { dsseV002: { payloadHash, signatures } } }
 *
 * @see rekor-v2-and-tiles §1.7, §1.11
 */
export function encodeEntryBody(entry: LoggedEntry): Uint8Array {
  const spec: JsonValue =
    entry.kind === 'hashedrekord'
      ? {
          hashedRekordV002: {
            data: hashJson(entry.data),
            signature: signatureJson(entry.signature)
          }
        }
      : {
          dsseV002: {
            payloadHash: hashJson(entry.payloadHash),
            signatures: entry.signatures.map(signatureJson)
          }
        }
  return encodeLeafValue(entry.kind, BODY_VERSION, spec)
}

function hashJson({ algorithm, digest }: LoggedHash): JsonValue {
  return { algorithm: enumJson(HASH_ALGORITHMS, algorithm), digest: encodeBase64(digest) }
}

function signatureJson({ content, verifier }: LoggedSignature): JsonValue {
  const { type, rawBytes, keyDetails } = verifier
  return {
    content: encodeBase64(content),
    verifier: {
      keyDetails: enumJson(PUBLIC_KEY_DETAILS, keyDetails),
      [type]: { rawBytes: encodeBase64(rawBytes) }
    }
  }
}

/** A name; a number where it has none; nothing for zero. */
function enumJson(
  values: Readonly<Record<string, number>>,
  number: number
): string | number | undefined {
  if (number === 0) return undefined
  return Object.values(values).includes(number) ? enumName(values, number) : number
}

/**
 * Reads a body back, of our logs or of others. Only the one spelling that encodeEntryBody writes passes. Nothing is verified: keys
 * and certificates are bytes here.
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` for another kind or version, `too_large` beyond
 *   MAX_BODY_BYTES
 */
export function parseEntryBody(body: Uint8Array): LoggedEntry {
  if (body.length > MAX_BODY_BYTES) {
    throw new LogError('too_large', `entry body: more than ${MAX_BODY_BYTES} bytes`)
  }
  const { kind, apiVersion, spec } = parseProtoJson(decodeUtf8(body), ENTRY)
  if ((kind !== 'hashedrekord' && kind !== 'dsse') || apiVersion !== BODY_VERSION) {
    throw new LogError('unsupported', 'entry body: neither hashedrekord nor dsse 0.0.2')
  }
  const entry = kind === 'hashedrekord' ? readHashedrekord(spec) : readDsse(spec)
  if (!equalBytes(encodeEntryBody(entry), body)) throw malformed('not in canonical form')
  return entry
}

type SpecMessage = NonNullable<ReturnType<typeof parseProtoJson<(typeof ENTRY)['fields']>>['spec']>

function readHashedrekord(spec: SpecMessage | undefined): LoggedHashedrekord {
  const { data, signature } = spec?.hashedRekordV002 ?? {}
  return { kind: 'hashedrekord', data: readHash(data), signature: readSignature(signature ?? {}) }
}

function readDsse(spec: SpecMessage | undefined): LoggedDsse {
  const { payloadHash, signatures } = spec?.dsseV002 ?? {}
  if (signatures === undefined || signatures.length === 0) throw malformed('no signatures')
  return {
    kind: 'dsse',
    payloadHash: readHash(payloadHash),
    signatures: signatures.map(readSignature)
  }
}

function readHash({ algorithm = 0, digest }: HashOutputMessage = {}): LoggedHash {
  return { algorithm, digest: present(digest, 'digest') }
}

function readSignature({ content, verifier }: SignatureMessage): LoggedSignature {
  return { content: present(content, 'signature'), verifier: readVerifier(verifier) }
}

function readVerifier({
  publicKey,
  x509Certificate,
  keyDetails = 0
}: VerifierMessage = {}): LoggedVerifier {
  const type = publicKey === undefined ? 'x509Certificate' : 'publicKey'
  const { rawBytes } = publicKey ?? x509Certificate ?? {}
  return { type, rawBytes: present(rawBytes, 'verifier'), keyDetails }
}

function present(bytes: Uint8Array | undefined, what: string): Uint8Array {
  if (bytes === undefined || bytes.length === 0) throw malformed(`no ${what}`)
  return bytes
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `entry body: ${problem}`)
}
