import { isLogError } from '../../../errors.js'
import { isEmailAddress } from '../email-address.js'
import { type GoUri, hostnameOf, parseGoUri } from '../go-uri.js'
import { createPrincipal, uriName } from '../principal.js'
import { refuseIdentity } from '../refusal.js'
import type { IssuerType } from './issuer-type.js'
import { subjectDomainProblem } from './subject-domain.js'

/** Subjects that are URIs under one host. */
export const uriType: IssuerType = {
  name: 'uri',
  challengeClaim: 'sub',
  configProblem({ subjectDomain, issuerUrl }, isPattern) {
    if (subjectDomain === '') return 'uri issuer must have SubjectDomain set'
    const subject = tryParse(subjectDomain)
    if (typeof subject === 'string') return subject
    if (subject.scheme === '') return 'SubjectDomain for uri must contain scheme'
    if (isPattern) return undefined
    const issuer = tryParse(issuerUrl)
    if (typeof issuer === 'string') return issuer
    if (issuer.scheme === '') return 'issuer for uri must contain scheme'
    if (subject.scheme !== issuer.scheme) {
      return `subject (${subject.scheme}) and issuer (${issuer.scheme}) URI schemes do not match`
    }
    return subjectDomainProblem(hostnameOf(subject), hostnameOf(issuer))
  },
  identify({ issuer, subject }, { subjectDomain }) {
    if (isEmailAddress(subject)) {
      throw refuseIdentity('uri subject should not be an email address')
    }
    const uri = tryParse(subject)
    if (typeof uri === 'string') throw refuseIdentity(uri)
    const domain = parseGoUri(subjectDomain)
    if (uri.scheme !== domain.scheme) {
      throw refuseIdentity(
        `subject URI scheme (${uri.scheme}) must match expected domain URI scheme (${domain.scheme})`
      )
    }
    if (hostnameOf(uri) !== hostnameOf(domain)) {
      throw refuseIdentity(
        `subject hostname (${hostnameOf(uri)}) must match expected domain (${hostnameOf(domain)})`
      )
    }
    return createPrincipal(subject, () => ({
      subjectAlternativeName: uriName(uri),
      extensions: { issuer, subject }
    }))
  }
}

/** The URI, or what is wrong with it. */
function tryParse(text: string): GoUri | string {
  try {
    return parseGoUri(text)
  } catch (err) {
    if (isLogError(err)) return err.message
    throw err
  }
}
