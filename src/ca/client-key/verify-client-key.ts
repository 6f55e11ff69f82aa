import { type CheckData, checkDataHere } from '../../keys/check-queue.js'
import type { PublicKey } from '../../keys/public-key.js'
import { assertPermittedAlgorithm } from './algorithm-policy.js'
import { parseSigningRequest, verifyRequestSignature } from './certificate-request.js'
import { parseClientKey } from './parse-key.js'
import { defaultHash, verifyProofOfPossession } from './proof-of-possession.js'
import { assertStrongKey } from './weak-key.js'

/** The two ways to bring a key. */
export type ClientKeyRequest =
  | {
      readonly kind: 'publicKey'
      /** PEM, or the bare DER of a SubjectPublicKeyInfo. */
      readonly content: Uint8Array
      readonly proofOfPossession: Uint8Array
    }
  | {
      readonly kind: 'certificateRequest'
      /** PEM of a PKCS#10 request. */
      readonly content: Uint8Array
    }

/**
 * The key to certify, once it is proven that the client has its private half. The order of the checks decides which
 * error is seen: read, weak, proof, permitted.
 *
 * @param challenge what the client must have signed, `Principal.challenge`; not part of a certificate request
 * @param allowedAlgorithms names of permitted pairs of key and hash, see `DEFAULT_CA_CLIENT_ALGORITHMS`
 * @param checkData what checks the proof itself; on this thread unless it says otherwise
 * @throws LogError `invalid_request`, `verification_failed`, `unsupported`: all HTTP 400, with the texts of fulcio §5;
 *   `internal` when OpenSSL itself failed
 * @see fulcio §6 steps 3 and 4
 */
export async function verifyClientKey(
  request: ClientKeyRequest,
  challenge: string,
  allowedAlgorithms: readonly string[],
  checkData: CheckData = checkDataHere
): Promise<PublicKey> {
  if (request.kind === 'certificateRequest') {
    const parsed = parseSigningRequest(request.content)
    assertStrongKey(parsed.publicKey)
    const hash = await verifyRequestSignature(parsed, checkData)
    assertPermittedAlgorithm(parsed.publicKey, hash, allowedAlgorithms)
    return parsed.publicKey
  }
  const publicKey = parseClientKey(request.content)
  assertStrongKey(publicKey)
  await verifyProofOfPossession(publicKey, request.proofOfPossession, challenge, checkData)
  assertPermittedAlgorithm(publicKey, defaultHash(publicKey), allowedAlgorithms)
  return publicKey
}
