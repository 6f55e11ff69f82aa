import type { IdToken } from '../claims.js'
import type { CiProvider, Issuer } from '../config/identity-config.js'
import type { Principal } from '../principal.js'

/** What an issuer is, and so what its tokens must say and what their certificates do. Pure. @see fulcio §9 */
export interface IssuerType {
  /** As in the configuration. */
  readonly name: string
  /** The claim whose value clients sign, as the API tells it. */
  readonly challengeClaim: 'email' | 'sub'
  /**
   * What is wrong with an issuer of this type, in the words of fulcio §8.5. For a pattern the URL is not known, and
   * `isPattern` says so.
   */
  readonly configProblem?: (issuer: Issuer, isPattern: boolean) => string | undefined
  /** @throws LogError `unauthenticated` when the token does not say what it must */
  readonly identify: (
    token: IdToken,
    issuer: Issuer,
    ciProviders: ReadonlyMap<string, CiProvider>
  ) => Principal
}
