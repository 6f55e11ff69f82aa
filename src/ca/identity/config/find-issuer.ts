import type { IdentityConfig, Issuer } from './identity-config.js'

/** An issuer as configured for one `iss`. */
export interface MatchedIssuer {
  readonly issuer: Issuer
  /** The pattern it came from, or undefined for one with its own entry. */
  readonly pattern: string | undefined
}

/**
 * The issuer configured for the `iss` of a token. Fixed ones go first, then patterns in the order of the file. Of a pattern,
 * trust domain and challenge claim are not taken over.
 *
 * @see fulcio §8.3
 */
export function findIssuer(config: IdentityConfig, issuerUrl: string): MatchedIssuer | undefined {
  const fixed = config.issuers.find(
    (issuer) => issuer.issuerUrl === issuerUrl && issuer.key === issuerUrl
  )
  if (fixed !== undefined) return { issuer: fixed, pattern: undefined }
  const match = config.patterns.find(({ expression }) => expression.test(issuerUrl))
  if (match === undefined) return undefined
  return {
    issuer: { ...match.issuer, issuerUrl, spiffeTrustDomain: '', challengeClaim: '' },
    pattern: match.pattern
  }
}
