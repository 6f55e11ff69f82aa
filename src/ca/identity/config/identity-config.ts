import type { FulcioExtensionName } from '../../../x509/fulcio-extensions.js'
import type { CiValue } from '../templates/ci-value.js'

/** Whose tokens are taken and what becomes of them. Read from the file format of Fulcio; frozen. @see fulcio §8 */
export interface IdentityConfig {
  /** In the order of the file. */
  readonly issuers: readonly FixedIssuer[]
  readonly patterns: readonly IssuerPattern[]
  readonly ciProviders: ReadonlyMap<string, CiProvider>
  /** What an operator should know and what stops nothing, such as names that mean nothing. */
  readonly warnings: readonly string[]
}

/** One issuer of tokens. Texts that were not given are empty. */
export interface Issuer {
  /** What `iss` must be. */
  readonly issuerUrl: string
  /** What `aud` must contain. When empty, every token is refused. */
  readonly clientId: string
  /** Name of an IssuerType. Another name loads when there is a challenge claim, and then never issues. */
  readonly type: string
  readonly ciProvider: string
  /** Names of members that lead to the claim that stands for `iss` in certificates. */
  readonly issuerClaim: readonly string[] | undefined
  readonly subjectDomain: string
  readonly spiffeTrustDomain: string
  /** Shown by the API; changes nothing. */
  readonly challengeClaim: string
  readonly description: string
  readonly contact: string
  readonly environment: string
  /** PEM of TLS roots to trust for this issuer besides the system's. */
  readonly caCert: string
  readonly skipEmailVerification: boolean

  // Not of Fulcio: for issuers that cannot be reached from here, or not at their own address.

  /** File with such roots. */
  readonly caCertFile: string
  /** File with the keys (a JWK Set). There is then no discovery and no network. */
  readonly jwksFile: string
  /** Address of the discovery document. */
  readonly discoveryUrl: string
}

export interface FixedIssuer extends Issuer {
  /** Name in the file. An issuer is used only if this is its URL. */
  readonly key: string
}

/** Many issuers by one rule. @see fulcio §8.3 */
export interface IssuerPattern {
  /** With `*` for what may differ. */
  readonly pattern: string
  readonly expression: RegExp
  /** For every issuer that matches, but for its URL, which is empty here. */
  readonly issuer: Issuer
}

/** How tokens of one CI system become certificates. @see fulcio §10 */
export interface CiProvider {
  readonly defaults: ReadonlyMap<string, string>
  readonly extensions: ReadonlyMap<FulcioExtensionName, CiValue>
  readonly subjectAlternativeName: CiValue | undefined
}
