import { X509Certificate } from 'node:crypto'
import { decodePem } from '../../../encoding/pem.js'
import { encodeUtf8 } from '../../../encoding/text.js'
import { isLogError } from '../../../errors.js'
import { findIssuerType } from '../issuer-types/index.js'
import type { FixedIssuer, Issuer, IssuerPattern } from './identity-config.js'

/**
 * What is wrong with the issuers of a configuration: for each the first thing, in the words of Fulcio, with where it is.
 *
 * @see fulcio §8.5
 */
export function validateIssuers(
  issuers: readonly FixedIssuer[],
  patterns: readonly IssuerPattern[]
): readonly string[] {
  return [
    ...issuers.flatMap((issuer) => {
      const problem = issuerProblem(issuer, `issuer ${issuer.issuerUrl}`, false)
      return problem === undefined ? [] : [`validate: ${problem} (issuer ${issuer.key})`]
    }),
    ...patterns.flatMap(({ pattern, issuer }) => {
      const problem = issuerProblem(issuer, `meta issuer ${pattern}`, true)
      return problem === undefined ? [] : [`validate: ${problem} (meta issuer ${pattern})`]
    })
  ]
}

function issuerProblem(issuer: Issuer, title: string, isPattern: boolean): string | undefined {
  if (issuer.caCert !== '' && !hasCertificate(issuer.caCert)) {
    return `failed to parse CA certificate for ${title}`
  }
  if (issuer.issuerClaim !== undefined) {
    if (issuer.type !== 'email') return 'only email issuers can use issuer claim mapping'
    if (issuer.issuerClaim.length === 0) {
      return 'IssuerClaim must be a path of names such as $.federated_claims.connector_id'
    }
  }
  const type = findIssuerType(issuer.type)
  const typeProblem = refusalOf(() => type?.configProblem?.(issuer, isPattern))
  if (typeProblem !== undefined) return typeProblem
  if (type === undefined && issuer.challengeClaim === '') return 'issuer missing challenge claim'
  return addressProblem(issuer, isPattern)
}

/** What is wrong with the members that are not of Fulcio. */
function addressProblem(issuer: Issuer, isPattern: boolean): string | undefined {
  const { jwksFile, discoveryUrl, caCert, caCertFile } = issuer
  // Every issuer that matches would have the keys of all the others.
  if (isPattern && (jwksFile !== '' || discoveryUrl !== '')) {
    return 'meta issuers cannot have JWKSFile or DiscoveryURL'
  }
  if (caCert !== '' && caCertFile !== '') return 'CACert and CACertFile exclude each other'
  if (jwksFile !== '' && discoveryUrl !== '') return 'JWKSFile and DiscoveryURL exclude each other'
  if (jwksFile !== '' && (caCert !== '' || caCertFile !== '')) {
    return 'JWKSFile leaves no use for a CA certificate'
  }
  if (discoveryUrl !== '' && !isWebAddress(discoveryUrl)) {
    return 'DiscoveryURL must be an http or https URL without user information or fragment'
  }
  return undefined
}

/**
 * Names in a path such as `$.federated_claims.connector_id`; none when it is not of that form. Of JSONPath no more is in
 * use.
 */
export function parseClaimPath(text: string): readonly string[] {
  return /^\$(?:\.[A-Za-z_][A-Za-z0-9_-]*)+$/.test(text) ? text.split('.').slice(1) : []
}

/** Whether there is at least one certificate in PEM, and no block that is another thing or damaged. */
export function hasCertificate(pem: string): boolean {
  let found = false
  for (let rest = encodeUtf8(pem); ;) {
    const next = decodePem(rest)
    if (next === undefined) return found
    if (next.block.type !== 'CERTIFICATE' || !isCertificate(next.block.bytes)) return false
    found = true
    rest = next.rest
  }
}

function isCertificate(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length === der.length
  } catch {
    return false
  }
}

/** Whether something can be fetched from there, without a password in the address. */
export function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, hash } = new URL(text)
  return (
    (protocol === 'https:' || protocol === 'http:') &&
    username === '' &&
    password === '' &&
    hash === ''
  )
}

/** Result of `check`, or the message when it refuses to look at what it is given. */
function refusalOf(check: () => string | undefined): string | undefined {
  try {
    return check()
  } catch (err) {
    if (isLogError(err)) return err.message
    throw err
  }
}
