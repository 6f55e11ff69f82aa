import type { JwsAlgorithmName } from '../jws-algorithms.js'
import type { IssuerKey } from './key-set.js'

/** Keys that tokens of one issuer may be signed with, at one time. */
export interface IssuerKeys {
  readonly keys: readonly IssuerKey[]
  readonly algorithms: readonly JwsAlgorithmName[]
  /** Where they come from, for people. */
  readonly origin: string
  /** Why other keys there cannot be used. */
  readonly unusable: readonly string[]
}

/** Where the keys of one issuer come from. */
export interface KeySource {
  /** @throws LogError `upstream`, `timeout`, `overloaded` when there are none to be had */
  current(): Promise<IssuerKeys>
  /**
   * Keys that are not `seen`, on which a token failed: the issuer may have changed them.
   *
   * @returns undefined when there are no others, or it is too soon to ask again
   * @throws LogError `upstream`, `timeout`, `overloaded`
   */
  newer(seen: IssuerKeys): Promise<IssuerKeys | undefined>
}
