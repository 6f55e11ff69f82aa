import type { Signer } from '../keys/signer.js'
import type { IssuingChain } from '../x509/issuing-chain.js'
import type { SignedCertificateTimestamp } from '../x509/sct.js'
import type { ClientKeyRequest } from './client-key/verify-client-key.js'
import type { IssuerDescription } from './identity/config/describe.js'

/** What issues: one key with its chain. Read once per certificate, so that a change in between cannot mix two. */
export interface IssuingAuthority {
  readonly chain: IssuingChain
  readonly signer: Signer
}

/** How the certificate shows that it was logged (fulcio §14). */
export type SctDelivery = 'embedded' | 'detached' | 'none'

/**
 * Hands a chain to a certificate log, our own or a remote one.
 *
 * @param chain DER, the (pre)certificate first, the root last
 * @throws LogError any: the client is told that the log could not be reached
 */
export type SubmitChain = (
  kind: 'certificate' | 'precertificate',
  chain: readonly Uint8Array[]
) => Promise<SignedCertificateTimestamp>

/** A request to either version of the API, after its form was read. */
export interface SigningRequest {
  readonly token: string
  readonly key: ClientKeyRequest
}

export interface IssuedCertificate {
  /** DER, the new certificate first, the root last. */
  readonly chain: readonly Uint8Array[]
  readonly delivery: SctDelivery
  /** The timestamp that goes beside the certificate: for `detached`. */
  readonly sct: SignedCertificateTimestamp | undefined
}

/** The certificate authority. */
export interface CertificateAuthority {
  /**
   * Checks token and key, logs and issues (fulcio §6, §12, §14).
   *
   * @throws LogError `unauthenticated` for the token (clients see CLIENT_MESSAGES.identityToken); `invalid_request`,
   *   `verification_failed`, `unsupported` with the text clients see (400); `internal` or `upstream` with
   *   `details.failed` of `ctLog` or `signer` (500, see fulcio §5)
   */
  issue(request: SigningRequest): Promise<IssuedCertificate>
  /** PEM certificates of each chain that issues now, the issuing one first; each ends with a newline. */
  trustBundle(): readonly (readonly string[])[]
  issuers(): readonly IssuerDescription[]
}
