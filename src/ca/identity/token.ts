import type { JsonValue } from '../../encoding/canonical-json.js'
import { isJsonObject, parseJson } from '../../encoding/json.js'
import { encodeUtf8 } from '../../encoding/text.js'
import { isLogError } from '../../errors.js'
import { decodeBase64Url } from './base64url.js'
import { type Claims, readClaim } from './claims.js'
import { isJwsAlgorithmName, type JwsAlgorithmName } from './jws-algorithms.js'
import { refuseIdentity } from './refusal.js'

/** Longest token that is looked at. The largest in use, with claims of a large CI system, have 3,000 characters. */
export const MAX_TOKEN_LENGTH = 64 * 1024

/** How far `nbf` may lie ahead, for clocks that differ. */
const NOT_BEFORE_LEEWAY_SECONDS = 300

/** The three parts of a token in compact form, still encoded. */
export interface TokenParts {
  readonly header: string
  readonly payload: string
  readonly signature: string
}

/**
 * Splits a token. Dots are counted first, and not beyond the third: a token of millions of dots would otherwise become
 * millions of texts (GHSA-f83f-xpx7-ffpw).
 *
 * @throws LogError `unauthenticated`
 */
export function splitToken(token: string): TokenParts {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw refuseIdentity(`token longer than ${MAX_TOKEN_LENGTH} characters`)
  }
  const first = token.indexOf('.')
  const second = first < 0 ? -1 : token.indexOf('.', first + 1)
  if (second < 0 || token.includes('.', second + 1)) {
    throw refuseIdentity('oidc: malformed jwt, token must have 3 parts')
  }
  return {
    header: token.slice(0, first),
    payload: token.slice(first + 1, second),
    signature: token.slice(second + 1)
  }
}

/** Claims of a token, not verified in any way, with the issuer that they name. @throws LogError `unauthenticated` */
export function readClaims(payload: string): { readonly issuer: string; readonly claims: Claims } {
  const claims = readJsonPart(payload, 'payload')
  const issuer = readClaim(claims, 'iss')
  if (typeof issuer !== 'string' || issuer === '') throw refuseIdentity('token has no issuer (iss)')
  return { issuer, claims }
}

/** What the header of a token says about its signature. */
export interface TokenHeader {
  readonly algorithm: JwsAlgorithmName
  readonly keyId: string | undefined
}

/**
 * Reads the header. Where it says to take the key from (`jwk`, `jku`, `x5c`, `x5u`) is not looked at.
 *
 * @param allowed algorithms of this issuer
 * @throws LogError `unauthenticated`
 * @see RFC 7515 section 4.1
 */
export function readHeader(header: string, allowed: readonly JwsAlgorithmName[]): TokenHeader {
  const members = readJsonPart(header, 'header')
  const algorithm = readClaim(members, 'alg')
  if (!isJwsAlgorithmName(algorithm) || !allowed.includes(algorithm)) {
    throw refuseIdentity(
      `algorithm ${show(algorithm)} not allowed; allowed are ${allowed.join(', ') || 'none'}`
    )
  }
  // We understand no extension, and one that must be understood may change what is signed.
  for (const name of ['crit', 'b64']) {
    if (Object.hasOwn(members, name)) throw refuseIdentity(`header member ${name} not supported`)
  }
  const keyId = readClaim(members, 'kid')
  if (keyId !== undefined && typeof keyId !== 'string') {
    throw refuseIdentity('header member kid must be a string')
  }
  return { algorithm, keyId: keyId === '' ? undefined : keyId }
}

/** The bytes a token's signature is over. */
export function signedBytes({ header, payload }: TokenParts): Uint8Array {
  return encodeUtf8(`${header}.${payload}`)
}

/** @throws LogError `unauthenticated` */
export function readSignature({ signature }: TokenParts): Uint8Array {
  return translate('signature', () => decodeBase64Url(signature, 'signature'))
}

/** Checks that the token is for us. @throws LogError `unauthenticated` */
export function checkAudience(claims: Claims, clientId: string): readonly string[] {
  const value = readClaim(claims, 'aud') ?? []
  const audiences = asTexts(typeof value === 'string' ? [value] : value)
  if (clientId === '') throw refuseIdentity('the issuer is configured without a client id')
  if (!audiences.includes(clientId)) {
    throw refuseIdentity(`expected audience ${show(clientId)} got ${show(audiences)}`)
  }
  return audiences
}

function asTexts(value: unknown): readonly string[] {
  const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string')
  if (!isTexts) throw refuseIdentity('claim aud must be a string or a list of strings')
  return value as readonly string[] // checked above
}

/** Checks that the token is still good: `exp` may be this very second. @throws LogError `unauthenticated` */
export function checkExpiry(claims: Claims, nowSeconds: number): number {
  const expiry = readSeconds(claims, 'exp')
  if (expiry === undefined) throw refuseIdentity('token has no expiry (exp)')
  if (expiry < nowSeconds) {
    throw refuseIdentity(`token is expired (exp ${expiry}, now ${nowSeconds})`)
  }
  return expiry
}

/** Checks that the token is good already, give or take five minutes. @throws LogError `unauthenticated` */
export function checkNotBefore(claims: Claims, nowSeconds: number): number | undefined {
  const notBefore = readSeconds(claims, 'nbf')
  if (notBefore !== undefined && notBefore > nowSeconds + NOT_BEFORE_LEEWAY_SECONDS) {
    throw refuseIdentity(`token is not valid yet (nbf ${notBefore}, now ${nowSeconds})`)
  }
  return notBefore
}

/** The subject, which may not be empty, as Fulcio would have it. @throws LogError `unauthenticated` */
export function checkSubject(claims: Claims): string {
  const subject = readClaim(claims, 'sub')
  if (typeof subject !== 'string' || subject === '') {
    throw refuseIdentity('token has no subject (sub)')
  }
  return subject
}

/** Whole seconds of a time claim; undefined when it is not there or null. */
function readSeconds(claims: Claims, name: string): number | undefined {
  const value = readClaim(claims, name) ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw refuseIdentity(`claim ${name} must be a number`)
  }
  return Math.trunc(value)
}

function readJsonPart(text: string, part: string): Claims {
  const value = translate(part, () => parseJson(decodeBase64Url(text, part)))
  if (!isJsonObject(value)) throw refuseIdentity(`oidc: malformed jwt ${part}: not a JSON object`)
  return value
}

function translate<Result>(part: string, read: () => Result): Result {
  try {
    return read()
  } catch (err) {
    if (isLogError(err)) throw refuseIdentity(`oidc: malformed jwt ${part}: ${err.message}`, err)
    throw err
  }
}

/** A value from a stranger, for a message. */
function show(value: JsonValue | undefined): string {
  return JSON.stringify(value ?? null).slice(0, 200)
}
