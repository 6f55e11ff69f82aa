import { LogError } from '../../errors.js'
import type { Attestation, VerifiedEntry, VerifyOptions } from '../entry-type.js'
import { prefixedHash } from '../hash-value.js'
import { IN_TOTO_PAYLOAD_TYPE, statementSearchKeys } from '../in-toto.js'
import { sha256Value } from '../leaf.js'
import { assertAlgorithm, coseVerifier } from './algorithm.js'
import { coseLeafValue, coseSearchKeys } from './canonical.js'
import { contentTypeOf } from './headers.js'
import type { CommittedCose, ProposedCose } from './parse.js'
import { type CoseSign1, encodeSigStructure, parseSign1 } from './sign1.js'

/**
 * Checks the signature of a message. A committed form holds no message to build the leaf from again, so it cannot be looked
 * up, as in Rekor.
 */
export async function verifyCose(
  entry: ProposedCose | CommittedCose,
  { maxAttestationBytes }: VerifyOptions
): Promise<VerifiedEntry> {
  if (entry.form === 'committed') {
    throw new LogError('invalid_request', 'signed message uninitialized')
  }
  const { key, message, aad } = entry
  const verifier = coseVerifier(key.publicKey)
  const signed = parseSign1(message)
  if (aad === undefined) {
    throw new LogError('invalid_request', 'cose object data cannot be nil')
  }
  assertAlgorithm(signed.protectedHeader, verifier, aad)
  await verifier.verify(encodeSigStructure(signed, aad), signed.signature)
  const envelopeHash = sha256Value(message)
  const payloadHash = sha256Value(signed.payload)
  const attestation: Attestation = { key: prefixedHash(envelopeHash), value: message }
  return {
    leafValue: coseLeafValue(key, envelopeHash, payloadHash),
    searchKeys: coseSearchKeys(key, envelopeHash, payloadHash, subjectKeys(signed)),
    ...(message.length > maxAttestationBytes ? {} : { attestation })
  }
}

/** Only the signer can say that a payload is a statement. What is none all the same adds nothing. */
function subjectKeys({ protectedHeader, payload }: CoseSign1): readonly string[] {
  if (contentTypeOf(protectedHeader) !== IN_TOTO_PAYLOAD_TYPE) return []
  return statementSearchKeys(payload, 'nothing') ?? []
}
