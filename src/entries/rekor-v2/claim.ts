import { LogError } from '../../errors.js'
import { hashData } from '../../keys/verify.js'
import { preAuthenticationEncoding } from '../dsse-envelope.js'
import type { LoggedSignature, LoggedVerifier } from './entry-body.js'
import type { DsseRequest, HashedRekordRequest, VerifierMessage } from './messages.js'
import type { SigningHash } from './signing-algorithms.js'

/** What a request claims: that somebody signed a digest. Nothing is missing, and nothing is verified. */
export interface Claim extends LoggedSignature {
  /** Digest made with the hash that goes with the key: as sent, of whatever length, or of what was sent. */
  digest(hash: SigningHash): Uint8Array
}

/**
 * Claim of a request for a `hashedrekord`.
 *
 * @throws LogError `invalid_request` in Rekor's words when a part is missing or empty
 * @see rekor-v2-and-tiles §1.4 steps 2 to 5
 */
export function claimOfHashedrekord({ digest, signature }: HashedRekordRequest): Claim {
  const { content, verifier } = signature ?? {}
  if (isEmpty(content)) throw invalid('missing signature')
  if (verifier === undefined) throw invalid('missing verifier')
  if (isEmpty(digest)) throw invalid('missing digest')
  return { content, verifier: readVerifier(verifier), digest: () => digest }
}

/**
 * Claim of a request for the withdrawn kind `dsse`, which older clients still make: the signature of the envelope over its
 * pre-authentication encoding, which is what newer clients send as a `hashedrekord` of their own. That has room for one
 * signature, so an envelope must have one and come with one key.
 *
 * @throws LogError `invalid_request`
 * @see rekor-v2-and-tiles §1.11
 */
export function claimOfDsse({ envelope, verifiers = [] }: DsseRequest): Claim {
  if (envelope === undefined) throw invalid('missing envelope')
  const { payload = new Uint8Array(0), payloadType = '', signatures = [] } = envelope
  const [verifier] = verifiers
  const [signature] = signatures
  if (verifier === undefined) throw invalid('missing verifiers')
  if (verifiers.length > 1) {
    throw invalid(`too many verifiers: ${verifiers.length}, max allowed: 1`)
  }
  const logged = readVerifier(verifier)
  if (signature === undefined) throw invalid('envelope missing signatures')
  if (signatures.length > 1) {
    throw invalid(`too many signatures: ${signatures.length}, max allowed: 1`)
  }
  if (isEmpty(signature.sig)) throw invalid('envelope signature empty')
  return {
    content: signature.sig,
    verifier: logged,
    digest: ({ hashName }) =>
      hashData(hashName, preAuthenticationEncoding(payloadType, payload)).slice()
  }
}

function readVerifier({
  publicKey,
  x509Certificate,
  keyDetails = 0
}: VerifierMessage): LoggedVerifier {
  if (publicKey !== undefined) {
    const { rawBytes } = publicKey
    if (isEmpty(rawBytes)) throw invalid('invalid verifier: missing public key raw bytes')
    return { type: 'publicKey', rawBytes, keyDetails }
  }
  if (x509Certificate === undefined) {
    throw invalid('invalid verifier: missing signature public key or X.509 certificate')
  }
  const { rawBytes } = x509Certificate
  if (isEmpty(rawBytes)) throw invalid('invalid verifier: missing X.509 certificate raw bytes')
  return { type: 'x509Certificate', rawBytes, keyDetails }
}

function isEmpty(bytes: Uint8Array | undefined): bytes is undefined {
  return bytes === undefined || bytes.length === 0
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
