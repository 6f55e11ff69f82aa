import { LogError } from '../../errors.js'
import { isJsonObject } from '../../encoding/json.js'
import { type DsseEnvelope, MAX_ENVELOPE_SIGNATURES, parseDsseEnvelope } from '../dsse-envelope.js'
import {
  checkedHash,
  type HashMember,
  hashMember,
  type HashValue,
  hashViolation
} from '../hash-value.js'
import {
  assertSchema,
  atLeastOneItem,
  inside,
  matching,
  required,
  type Violation
} from '../schema.js'
import {
  arrayMember,
  asString,
  bytesMember,
  decodeField,
  type JsonObject,
  objectMember,
  readSpec,
  stringMember
} from '../spec-reader.js'

/** A proposal: the envelope itself and the keys for it. */
export interface ProposedDsse {
  readonly form: 'proposed'
  /** As sent: its exact bytes are hashed. */
  readonly envelopeText: string
  readonly envelope: DsseEnvelope
  /** PEM. */
  readonly verifiers: readonly Uint8Array[]
}

/** What stands in the log. */
export interface CommittedDsse {
  readonly form: 'committed'
  readonly envelopeHash: HashValue
  readonly payloadHash: HashValue
  readonly signatures: readonly CommittedSignature[]
}

export interface CommittedSignature {
  /** Base64 text, as it stood in the envelope. */
  readonly signature: string
  /** PEM. */
  readonly verifier: Uint8Array
}

interface SignatureMember {
  readonly signature: string | undefined
  readonly verifier: Uint8Array | undefined
}

const BASE64 =
  /^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=|[A-Za-z0-9+\/]{4})$/

const WHICH_FORM =
  'either proposedContent or envelopeHash, payloadHash, and signatures must be present'

/**
 *     { proposedContent: { envelope: text, verifiers: [b64 of PEM, …] } }
 *     { envelopeHash: {…}, payloadHash: {…}, signatures: [ { signature: text, verifier: b64 of PEM }, … ] }
 *
 * Exactly one of the two.
 */
export function parseDsse(value: unknown): ProposedDsse | CommittedDsse {
  const spec = readSpec(value)
  const proposedContent = objectMember(spec, 'proposedContent')
  const envelopeText = proposedContent && stringMember(proposedContent, 'envelope')
  const verifiers = proposedContent && readVerifiers(proposedContent)
  const signatures = readSignatures(spec)
  const envelopeHash = hashMember(spec, 'envelopeHash')
  const payloadHash = hashMember(spec, 'payloadHash')
  assertSchema(
    inside('envelopeHash', hashViolation('envelopeHash', envelopeHash, ['sha256'])),
    inside('payloadHash', hashViolation('payloadHash', payloadHash, ['sha256'])),
    proposedContent && inside('proposedContent', proposalViolation(envelopeText, verifiers)),
    signatures && signaturesViolation(signatures)
  )
  if (envelopeText === undefined || verifiers === undefined) {
    return committed(envelopeHash, payloadHash, signatures)
  }
  if ([envelopeHash, payloadHash, signatures].some((member) => member !== undefined)) {
    throw new LogError('invalid_request', `${WHICH_FORM} but not both`)
  }
  const envelope = parseDsseEnvelope(envelopeText)
  if (envelope.signatures.length === 0) {
    throw new LogError('invalid_request', 'DSSE envelope must contain 1 or more signatures')
  }
  return { form: 'proposed', envelopeText, envelope, verifiers }
}

/** Items that are no text, or empty, do not count. */
function readVerifiers(proposedContent: JsonObject): readonly Uint8Array[] | undefined {
  const path = 'proposedContent.proposedContent.verifiers'
  return arrayMember(proposedContent, 'verifiers', path, MAX_ENVELOPE_SIGNATURES)
    ?.map((item) => asString(item) ?? '')
    .filter((text) => text !== '')
    .map((text) => decodeField(text, 'verifier'))
}

function readSignatures(spec: JsonObject): readonly SignatureMember[] | undefined {
  return arrayMember(spec, 'signatures', 'signatures', MAX_ENVELOPE_SIGNATURES)
    ?.filter((item) => isJsonObject(item))
    .map((item) => ({
      signature: stringMember(item, 'signature'),
      verifier: bytesMember(item, 'verifier', 'signature verifier')
    }))
}

function proposalViolation(
  envelopeText: string | undefined,
  verifiers: readonly Uint8Array[] | undefined
): Violation | undefined {
  return (
    required('proposedContent.envelope', envelopeText) ??
    required('proposedContent.verifiers', verifiers) ??
    atLeastOneItem('proposedContent.verifiers', verifiers)
  )
}

function signaturesViolation(signatures: readonly SignatureMember[]): Violation | undefined {
  const number = signatures.findIndex((item) => signatureViolation(item) !== undefined)
  const bad = signatures[number]
  return (
    atLeastOneItem('signatures', signatures) ??
    (bad && inside(`signatures.${number}`, signatureViolation(bad)))
  )
}

function signatureViolation({ signature, verifier }: SignatureMember): Violation | undefined {
  return (
    required('signature', signature) ??
    matching('signature', signature, BASE64) ??
    required('verifier', verifier)
  )
}

function committed(
  envelopeHash: HashMember | undefined,
  payloadHash: HashMember | undefined,
  signatures: readonly SignatureMember[] | undefined
): CommittedDsse {
  if (envelopeHash === undefined || payloadHash === undefined || signatures === undefined) {
    throw new LogError('invalid_request', WHICH_FORM)
  }
  return {
    form: 'committed',
    envelopeHash: checkedHash(envelopeHash),
    payloadHash: checkedHash(payloadHash),
    signatures: signatures as readonly CommittedSignature[] // signatureViolation saw both members
  }
}
