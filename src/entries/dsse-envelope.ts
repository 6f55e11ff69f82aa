import { decodeBase64Loose } from '../encoding/base64.js'
import { concatBytes } from '../encoding/bytes.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'
import { verifyData } from '../keys/verify.js'
import { parseX509Key, type X509Key } from '../x509/x509-format.js'
import { goMember, matchesShape, type Shape } from './go-struct.js'

/**
 * Most signatures of one envelope and most keys for it. Every key may have to be tried on every signature, each time over
 * the whole payload.
 */
export const MAX_ENVELOPE_SIGNATURES = 16

export interface DsseSignature {
  readonly keyid: string
  /** Base64 text as it stands in the envelope. */
  readonly sig: string
}

/** A DSSE envelope, its fields still in base64. */
export interface DsseEnvelope {
  readonly payloadType: string
  readonly payload: string
  readonly signatures: readonly DsseSignature[]
}

const ENVELOPE: Shape = {
  payloadType: 'text',
  payload: 'text',
  signatures: [{ keyid: 'text', sig: 'text' }]
}

/** Reads the JSON text of an envelope. Missing members are empty. @throws LogError `invalid_request` */
export function parseDsseEnvelope(text: string): DsseEnvelope {
  if (text.trim() === '') throw new LogError('invalid_request', 'unexpected end of JSON input')
  const value = parseJson(text)
  const signatures = goMember(value, 'signatures') ?? []
  if (Array.isArray(signatures)) assertFewSignatures(signatures)
  if ((value !== null && !isJsonObject(value)) || !matchesShape(value, ENVELOPE)) {
    throw new LogError(
      'invalid_request',
      'DSSE envelope: payloadType, payload, keyid and sig must be strings, signatures an array of objects'
    )
  }
  return {
    payloadType: textMember(value, 'payloadType'),
    payload: textMember(value, 'payload'),
    signatures: (signatures as readonly JsonValue[]).map((signature) => ({
      keyid: textMember(signature, 'keyid'),
      sig: textMember(signature, 'sig')
    })) // matchesShape saw an array
  }
}

/** Which key signed which signature of an envelope, and what they signed. */
export interface VerifiedEnvelope {
  readonly payload: Uint8Array
  /** By signature text: equal texts are one signature. */
  readonly keys: ReadonlyMap<string, X509Key>
}

/**
 * Checks an envelope against a list of keys: every key must verify a signature and every signature must be verified; a key
 * counts for the first signature it verifies and no other. Key ids mean nothing.
 *
 * @param encodedKeys PEM
 * @param spareKeys what to do with keys left when every signature has its key: dsse ignores them, intoto checks them too
 * @throws LogError `invalid_request`, `unsupported`, `verification_failed`
 * @see rekor-v1 §8.2, §8.4
 */
export async function verifyEnvelope(
  envelope: DsseEnvelope,
  encodedKeys: readonly Uint8Array[],
  spareKeys: 'ignore' | 'check'
): Promise<VerifiedEnvelope> {
  assertFewSignatures(envelope.signatures)
  const open = new Set(envelope.signatures.map(({ sig }) => sig))
  const keys = new Map<string, X509Key>()
  let decoded: DecodedEnvelope | undefined
  for (const encodedKey of encodedKeys) {
    if (open.size === 0 && spareKeys === 'ignore') break
    const key = prefixing('could not parse public key as x509', () => parseX509Key(encodedKey))
    decoded ??= prefixing('could not verify envelope', () => decodeEnvelope(envelope))
    const sig = await findSignature(decoded, key.publicKey)
    if (sig === undefined) throw noneAccepted('could not verify envelope: ')
    open.delete(sig)
    keys.set(sig, key)
  }
  if (open.size > 0 || decoded === undefined) {
    throw new LogError('verification_failed', 'all signatures must have a key that verifies it')
  }
  return { payload: decoded.payload, keys }
}

/**
 * Checks an envelope against one key. A signature whose key id is neither empty nor the key's own is passed over.
 *
 * @param keyFingerprint OpenSSH fingerprint of the key; undefined for a key that has none, which takes any key id
 * @throws LogError `invalid_request`, `verification_failed`
 * @see rekor-v1 §8.3
 */
export async function verifyEnvelopeWithKey(
  envelope: DsseEnvelope,
  key: PublicKey,
  keyFingerprint: string | undefined
): Promise<void> {
  assertFewSignatures(envelope.signatures)
  if (envelope.signatures.length === 0) {
    throw new LogError('verification_failed', 'no signature found')
  }
  const decoded = decodeEnvelope(envelope)
  const candidates = decoded.signatures.filter(
    ({ keyid }) => keyid === '' || keyFingerprint === undefined || keyid === keyFingerprint
  )
  if ((await findSignature({ ...decoded, signatures: candidates }, key)) === undefined) {
    throw noneAccepted('')
  }
}

interface DecodedEnvelope {
  readonly payload: Uint8Array
  /** What is signed. */
  readonly encoding: Uint8Array
  readonly signatures: readonly (DsseSignature & { readonly bytes: Uint8Array })[]
}

/** One undecodable field spoils the whole envelope. @throws LogError `invalid_request` */
function decodeEnvelope(envelope: DsseEnvelope): DecodedEnvelope {
  const payload = decodeEitherBase64(envelope.payload)
  return {
    payload,
    encoding: preAuthenticationEncoding(envelope.payloadType, payload),
    signatures: envelope.signatures.map((signature) => ({
      ...signature,
      bytes: decodeEitherBase64(signature.sig)
    }))
  }
}

/** The first signature the key verifies. */
async function findSignature(
  { encoding, signatures }: DecodedEnvelope,
  key: PublicKey
): Promise<string | undefined> {
  for (const { sig, bytes } of signatures) {
    try {
      await verifyData(key, 'sha256', encoding, bytes)
      return sig
    } catch (err) {
      if (!isLogError(err, 'verification_failed')) throw err
    }
  }
  return undefined
}

/** What a DSSE signature is over. @see https://github.com/secure-systems-lab/dsse protocol.md, PAE */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = encodeUtf8(payloadType)
  return concatBytes(
    encodeUtf8(`DSSEv1 ${type.length} `),
    type,
    encodeUtf8(` ${payload.length} `),
    payload
  )
}

/** Standard base64 or the URL alphabet, both with padding. */
function decodeEitherBase64(text: string): Uint8Array {
  try {
    const standard = /[+/]/.test(text)
      ? text
      : text.replace(/[-_]/g, (character) => (character === '-' ? '+' : '/'))
    return decodeBase64Loose(standard)
  } catch (err) {
    throw new LogError(
      'invalid_request',
      'unable to base64 decode payload (is payload in the right format?)',
      { cause: err }
    )
  }
}

function assertFewSignatures(signatures: readonly unknown[]): void {
  if (signatures.length > MAX_ENVELOPE_SIGNATURES) {
    throw new LogError(
      'invalid_request',
      `DSSE envelope has ${signatures.length} signatures, more than ${MAX_ENVELOPE_SIGNATURES}`
    )
  }
}

function noneAccepted(prefix: string): LogError {
  return new LogError(
    'verification_failed',
    `${prefix}accepted signatures do not match threshold, Found: 0, Expected 1`
  )
}

function prefixing<Result>(prefix: string, action: () => Result): Result {
  try {
    return action()
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError(err.code, `${prefix}: ${err.message}`, { cause: err })
  }
}

function textMember(value: JsonValue, name: string): string {
  const member = goMember(value, name)
  return typeof member === 'string' ? member : ''
}
