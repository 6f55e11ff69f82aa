import { LogError } from '../../errors.js'
import { parseX509Key, type X509Key } from '../../x509/x509-format.js'
import { type DsseEnvelope, parseDsseEnvelope } from '../dsse-envelope.js'
import { checkedHash, hashMember, type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, inside, required } from '../schema.js'
import { bytesMember, objectMember, readSpec, stringMember } from '../spec-reader.js'

export interface ProposedIntoto {
  readonly form: 'proposed'
  readonly key: X509Key
  /** As sent: its exact bytes are hashed. */
  readonly envelopeText: string
  readonly envelope: DsseEnvelope
}

export interface CommittedIntoto {
  readonly form: 'committed'
  readonly key: X509Key
  readonly hash: HashValue
  /** Old entries have none. */
  readonly payloadHash: HashValue | undefined
}

/**
 *     { content: { envelope: text, hash?: ignored, payloadHash?: ignored }, publicKey: b64 of PEM }
 *     { content: { hash: {…}, payloadHash?: {…} }, publicKey: b64 of PEM }
 *
 * The first is a proposal, the second stands in the log; an empty or absent envelope tells them apart.
 */
export function parseIntoto(value: unknown): ProposedIntoto | CommittedIntoto {
  const spec = readSpec(value)
  const content = objectMember(spec, 'content')
  const envelopeText = (content && stringMember(content, 'envelope')) ?? ''
  const hash = content && hashMember(content, 'hash')
  const payloadHash = content && hashMember(content, 'payloadHash')
  const encodedKey = bytesMember(spec, 'publicKey', 'public key')
  assertSchema(
    required('content', content) ??
      inside(
        'content',
        inside('content.hash', hashViolation('content.hash', hash, ['sha256'])) ??
          inside(
            'content.payloadHash',
            hashViolation('content.payloadHash', payloadHash, ['sha256'])
          )
      ),
    required('publicKey', encodedKey)
  )
  const key = parseX509Key(encodedKey as Uint8Array) // assertSchema saw it
  if (envelopeText !== '') {
    return { form: 'proposed', key, envelopeText, envelope: parseDsseEnvelope(envelopeText) }
  }
  if (hash === undefined) {
    throw new LogError('invalid_request', 'missing hash value for envelope')
  }
  return {
    form: 'committed',
    key,
    hash: checkedHash(hash),
    payloadHash: payloadHash && checkedHash(payloadHash)
  }
}
