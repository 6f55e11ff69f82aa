import { createPrincipal, uriName } from '../principal.js'
import { refuseIdentity } from '../refusal.js'
import { isTrustDomain, trustDomainOf } from '../spiffe-id.js'
import type { IssuerType } from './issuer-type.js'

/** Workloads, by their SPIFFE ID. */
export const spiffeType: IssuerType = {
  name: 'spiffe',
  challengeClaim: 'sub',
  configProblem({ spiffeTrustDomain }, isPattern) {
    // Many issuers for one trust domain would each be able to speak for all of it.
    if (isPattern) return 'SPIFFE meta issuers not supported'
    if (spiffeTrustDomain === '') return 'spiffe issuer must have SPIFFETrustDomain set'
    const name = configuredTrustDomain(spiffeTrustDomain)
    return name === undefined ? 'spiffe trust domain is invalid' : undefined
  },
  identify({ issuer, subject }, { spiffeTrustDomain }) {
    const trustDomain = trustDomainOf(subject)
    if (trustDomain === undefined) throw refuseIdentity(`invalid spiffe ID provided: ${subject}`)
    if (trustDomain !== configuredTrustDomain(spiffeTrustDomain)) {
      throw refuseIdentity(
        `spiffe ID trust domain ${trustDomain} doesn't match configured trust domain ${spiffeTrustDomain}`
      )
    }
    return createPrincipal(subject, () => ({
      subjectAlternativeName: uriName(subject),
      extensions: { issuer, subject }
    }))
  }
}

/** A trust domain may be written as a name or as the SPIFFE ID of one of its own. */
function configuredTrustDomain(text: string): string | undefined {
  if (text.includes(':/')) return trustDomainOf(text)
  return isTrustDomain(text) ? text : undefined
}
