import { decodeUtf8 } from '../../../encoding/text.js'
import { LogError } from '../../../errors.js'
import type { Issuer } from '../config/identity-config.js'
import {
  discoveryAddress,
  type DiscoveryDocument,
  MAX_DISCOVERY_BYTES,
  parseDiscoveryDocument
} from './discovery.js'
import type { FetchBytes } from './fetch.js'
import { MAX_JWKS_BYTES, parseKeySet } from './key-set.js'
import type { IssuerKeys, KeySource } from './key-source.js'
import type { ReadFile } from './pinned-keys.js'

/** For each of the two requests. @see fulcio §7 step 4 */
const TIMEOUT_MS = 10_000

/** Least time between two attempts at one issuer, so that junk tokens cannot make us hammer it. */
export const MIN_REFETCH_SECONDS = 10

/**
 * Keys that an issuer publishes, found through its discovery document. The document is kept for good, the keys until a token
 * fails on them; then they are fetched anew, once for all who wait, and not too often. Failures are kept as long.
 *
 * @see fulcio §7 steps 4 and 8
 */
export function createDiscoveredKeySource(options: {
  readonly issuer: Issuer
  readonly fetchBytes: FetchBytes
  readonly readFile: ReadFile
  readonly nowSeconds: () => number
}): KeySource {
  const { issuer, fetchBytes, readFile, nowSeconds } = options
  const address = issuer.discoveryUrl || discoveryAddress(issuer.issuerUrl)
  let document: DiscoveryDocument | undefined
  let keys: IssuerKeys | undefined
  let fetching: Promise<IssuerKeys> | undefined
  let lastAttempt: { readonly seconds: number; readonly failure?: LogError } | undefined

  async function load(): Promise<IssuerKeys> {
    const certificateAuthority =
      issuer.caCertFile === '' ? issuer.caCert : decodeUtf8(await readFile(issuer.caCertFile))
    const get = (from: string, maximumBytes: number): Promise<Uint8Array> =>
      fetchBytes(from, { maximumBytes, timeoutMs: TIMEOUT_MS, certificateAuthority })
    document ??= parseDiscoveryDocument(
      await get(address, MAX_DISCOVERY_BYTES),
      issuer.issuerUrl,
      address
    )
    const { jwksUri, algorithms } = document
    const set = parseKeySet(await get(jwksUri, MAX_JWKS_BYTES))
    return { ...set, algorithms, origin: jwksUri }
  }

  async function attempt(): Promise<IssuerKeys> {
    const seconds = nowSeconds()
    try {
      keys = await load()
      lastAttempt = { seconds }
      return keys
    } catch (err) {
      const failure = new LogError('upstream', `keys of the issuer: ${(err as Error).message}`, {
        cause: err
      })
      lastAttempt = { seconds, failure }
      throw failure
    } finally {
      fetching = undefined
    }
  }

  function isTooSoon(): boolean {
    if (lastAttempt === undefined) return false
    const elapsed = nowSeconds() - lastAttempt.seconds
    return elapsed >= 0 && elapsed < MIN_REFETCH_SECONDS // a clock set back must not stop us
  }

  return {
    async current() {
      if (keys !== undefined) return keys
      const failure = lastAttempt?.failure
      if (fetching === undefined && isTooSoon() && failure !== undefined) throw failure
      return (fetching ??= attempt())
    },
    async newer(seen) {
      if (keys !== seen) return keys
      if (fetching === undefined && isTooSoon()) return undefined
      return (fetching ??= attempt())
    }
  }
}
