import { findIssuerType } from '../issuer-types/index.js'
import type { IdentityConfig, Issuer } from './identity-config.js'

/** One issuer as `GET /api/v2/configuration` tells it; a pattern has the first member under another name. @see fulcio §3.3 */
export type IssuerDescription = (
  { readonly issuerUrl: string } | { readonly wildcardIssuerUrl: string }
) & {
  readonly audience: string
  readonly challengeClaim: string
  readonly spiffeTrustDomain: string
  readonly issuerType: string
  readonly subjectDomain: string
  readonly skipEmailVerification: boolean
}

/** Fixed issuers, then patterns, each sorted by URL. */
export function describeIssuers(config: IdentityConfig): readonly IssuerDescription[] {
  const fixed = config.issuers.map((issuer) => {
    return { issuerUrl: issuer.issuerUrl, ...describe(issuer) }
  })
  const patterns = config.patterns.map(({ pattern, issuer }) => {
    return { wildcardIssuerUrl: pattern, ...describe(issuer) }
  })
  return [
    ...fixed.sort((a, b) => (a.issuerUrl < b.issuerUrl ? -1 : 1)),
    ...patterns.sort((a, b) => (a.wildcardIssuerUrl < b.wildcardIssuerUrl ? -1 : 1))
  ]
}

function describe(issuer: Issuer) {
  return {
    audience: issuer.clientId,
    challengeClaim: issuer.challengeClaim || (findIssuerType(issuer.type)?.challengeClaim ?? ''),
    spiffeTrustDomain: issuer.spiffeTrustDomain,
    issuerType: issuer.type,
    subjectDomain: issuer.subjectDomain,
    skipEmailVerification: issuer.skipEmailVerification
  }
}
