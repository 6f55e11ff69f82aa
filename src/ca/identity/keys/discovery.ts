import { isJsonObject, parseJson } from '../../../encoding/json.js'
import { LogError } from '../../../errors.js'
import { readClaim } from '../claims.js'
import { isJwsAlgorithmName, type JwsAlgorithmName } from '../jws-algorithms.js'

/** Most bytes of a discovery document that are read. The longest in use have 5 kB. */
export const MAX_DISCOVERY_BYTES = 128 * 1024

/** What we need of a discovery document. */
export interface DiscoveryDocument {
  readonly jwksUri: string
  /** Of those it names, the ones we verify; RS256 when it names none at all. */
  readonly algorithms: readonly JwsAlgorithmName[]
}

/** Where the discovery document of an issuer is. One slash at the end of its URL does not count. @see fulcio §7 step 4 */
export function discoveryAddress(issuerUrl: string): string {
  return `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`
}

/**
 * Reads a discovery document.
 *
 * @param issuerUrl what it must say it is for, to the last slash
 * @param address where it came from: what came over TLS may not send us to where there is none
 * @throws LogError `upstream`
 * @see OpenID Connect Discovery 1.0 section 4
 */
export function parseDiscoveryDocument(
  bytes: Uint8Array,
  issuerUrl: string,
  address: string
): DiscoveryDocument {
  const document = parseJson(bytes)
  if (!isJsonObject(document)) throw wrong('is not a JSON object')
  const issuer = readClaim(document, 'issuer')
  if (issuer !== issuerUrl) {
    const found = JSON.stringify(issuer ?? null).slice(0, 200)
    throw wrong(`is of issuer ${found}, not ${JSON.stringify(issuerUrl)}`)
  }
  const jwksUri = readClaim(document, 'jwks_uri')
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri)) throw wrong('has no jwks_uri')
  if (address.startsWith('https:') && new URL(jwksUri).protocol !== 'https:') {
    throw wrong('has a jwks_uri without TLS')
  }
  const names = readClaim(document, 'id_token_signing_alg_values_supported') ?? ['RS256']
  if (!isList(names)) throw wrong('has signing algorithms that are no list')
  return { jwksUri, algorithms: names.filter(isJwsAlgorithmName) }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function wrong(problem: string): LogError {
  return new LogError('upstream', `discovery document ${problem}`)
}
