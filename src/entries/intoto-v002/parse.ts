import { isJsonObject } from '../../encoding/json.js'
import { MAX_ENVELOPE_SIGNATURES } from '../dsse-envelope.js'
import { checkedHash, hashMember, type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, atLeastOneItem, inside, required, type Violation } from '../schema.js'
import {
  arrayMember,
  bytesMember,
  decodeField,
  type JsonObject,
  objectMember,
  readSpec,
  stringMember
} from '../spec-reader.js'

export interface IntotoV002 {
  readonly payloadType: string
  /** Base64 text of the envelope's payload; undefined in the committed form. */
  readonly payloadText: string | undefined
  readonly signatures: readonly IntotoSignature[]
  /** Computed by the client and taken on trust: with the keys inlined the envelope cannot be rebuilt. */
  readonly hash: HashValue | undefined
  readonly payloadHash: HashValue | undefined
}

export interface IntotoSignature {
  readonly keyid: string
  /** Base64 text of the envelope's signature, as bytes. */
  readonly sig: Uint8Array
  /** PEM as sent: the leaf holds it unnormalised. */
  readonly publicKey: Uint8Array
}

interface SignatureMember {
  readonly keyid: string
  readonly sig: Uint8Array | undefined
  readonly publicKey: Uint8Array | undefined
}

const ENVELOPE = 'content.envelope'

/**
 *     { content: { envelope: { payloadType: text, payload?: b64 of b64 text,
 *                              signatures: [ { keyid?: text, sig: b64 of b64 text, publicKey: b64 of PEM }, … ] },
 *                  hash: {…}, payloadHash?: {…} } }
 *
 * Without a payload this is the committed form.
 */
export function parseIntotoV002(value: unknown): IntotoV002 {
  const spec = readSpec(value)
  // A missing content or envelope is reported by what is missing in it.
  const content = objectMember(spec, 'content') ?? {}
  const envelope = objectMember(content, 'envelope') ?? {}
  const payloadType = stringMember(envelope, 'payloadType')
  const payload = bytesMember(envelope, 'payload', 'payload')
  const signatures = readSignatures(envelope)
  const hash = hashMember(content, 'hash')
  const payloadHash = hashMember(content, 'payloadHash')
  assertSchema(
    inside(
      'content',
      inside(ENVELOPE, required(`${ENVELOPE}.payloadType`, payloadType)) ??
        inside(ENVELOPE, signaturesViolation(signatures)) ??
        inside('content.hash', hashViolation('content.hash', hash, ['sha256'])) ??
        inside('content.payloadHash', hashViolation('content.payloadHash', payloadHash, ['sha256']))
    )
  )
  return {
    // assertSchema saw the type, the signatures and both members of each.
    payloadType: payloadType as string,
    // Base64 of nothing but line ends is empty, too.
    payloadText: payload?.length ? bytesToText(payload) : undefined,
    signatures: signatures as readonly IntotoSignature[],
    hash: hash && checkedHash(hash),
    payloadHash: payloadHash && checkedHash(payloadHash)
  }
}

/** Text of a byte field that ought to hold base64; what is not ASCII in it will not decode. */
export function bytesToText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function readSignatures(envelope: JsonObject): readonly SignatureMember[] | undefined {
  const path = `content.${ENVELOPE}.${ENVELOPE}.signatures`
  return arrayMember(envelope, 'signatures', path, MAX_ENVELOPE_SIGNATURES)
    ?.filter((item) => isJsonObject(item))
    .map((item) => ({
      keyid: stringMember(item, 'keyid') ?? '',
      sig: readBytes(item, 'sig', 'signature'),
      publicKey: readBytes(item, 'publicKey', 'public key')
    }))
}

// Here, and only here, the empty text is not absent.
function readBytes(object: JsonObject, name: string, field: string): Uint8Array | undefined {
  const text = stringMember(object, name)
  return text === undefined ? undefined : decodeField(text, field)
}

function signaturesViolation(
  signatures: readonly SignatureMember[] | undefined
): Violation | undefined {
  const path = `${ENVELOPE}.signatures`
  const items = signatures ?? []
  const number = items.findIndex((item) => signatureViolation(item) !== undefined)
  const bad = items[number]
  return (
    required(path, signatures) ??
    atLeastOneItem(path, items) ??
    (bad && inside(`${path}.${number}`, signatureViolation(bad)))
  )
}

function signatureViolation({ publicKey, sig }: SignatureMember): Violation | undefined {
  return required('publicKey', publicKey) ?? required('sig', sig)
}
