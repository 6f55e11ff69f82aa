import { LogError } from '../../errors.js'
import { parseX509Key, type X509Key } from '../../x509/x509-format.js'
import { checkedHash, hashMember, type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, inside, required } from '../schema.js'
import { bytesMember, objectMember, readSpec } from '../spec-reader.js'

export interface ProposedCose {
  readonly form: 'proposed'
  readonly key: X509Key
  /** As sent: its exact bytes are hashed. */
  readonly message: Uint8Array
  /** Undefined where there was no `data`, which must be there, if only to be empty. */
  readonly aad: Uint8Array | undefined
}

export interface CommittedCose {
  readonly form: 'committed'
  readonly key: X509Key
  readonly envelopeHash: HashValue
  readonly payloadHash: HashValue | undefined
}

/**
 *     { message: b64 of COSE_Sign1_Tagged, publicKey: b64 of PEM, data: { aad?: b64 } }
 *     { publicKey: b64 of PEM, data: { envelopeHash: {…}, payloadHash: {…} } }
 *
 * The first is a proposal, in which hashes are not looked at; the second stands in the log. An empty or absent message tells
 * them apart.
 */
export function parseCose(value: unknown): ProposedCose | CommittedCose {
  const spec = readSpec(value)
  const message = bytesMember(spec, 'message', 'message')
  const encodedKey = bytesMember(spec, 'publicKey', 'publicKey')
  const data = objectMember(spec, 'data')
  const payloadHash = data && hashMember(data, 'payloadHash')
  const envelopeHash = data && hashMember(data, 'envelopeHash')
  const aad = data && (bytesMember(data, 'aad', 'aad') ?? new Uint8Array(0))
  assertSchema(
    inside(
      'data',
      inside('data.envelopeHash', hashViolation('data.envelopeHash', envelopeHash, ['sha256'])) ??
        inside('data.payloadHash', hashViolation('data.payloadHash', payloadHash, ['sha256']))
    ),
    required('publicKey', encodedKey)
  )
  const key = parseX509Key(encodedKey as Uint8Array) // assertSchema saw it
  // Base64 of nothing but line ends is empty, too.
  if (message !== undefined && message.length > 0) return { form: 'proposed', key, message, aad }
  if (envelopeHash === undefined) {
    throw new LogError('invalid_request', 'envelope hash should have been previously computed')
  }
  return {
    form: 'committed',
    key,
    envelopeHash: checkedHash(envelopeHash),
    payloadHash: payloadHash && checkedHash(payloadHash)
  }
}
