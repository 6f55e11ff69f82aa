import { isEmailAddress } from '../email-address.js'
import { hostnameOf, parseGoUri } from '../go-uri.js'
import { createPrincipal } from '../principal.js'
import { refuseIdentity } from '../refusal.js'
import type { IssuerType } from './issuer-type.js'
import { subjectDomainProblem } from './subject-domain.js'

/** Names of users, which a domain makes unique: the certificate is for `name!domain`. */
export const usernameType: IssuerType = {
  name: 'username',
  challengeClaim: 'sub',
  configProblem({ subjectDomain, issuerUrl }, isPattern) {
    if (subjectDomain === '') return 'username issuer must have SubjectDomain set'
    if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(subjectDomain)) {
      return 'SubjectDomain for username should not contain scheme'
    }
    if (isPattern) return undefined
    if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(issuerUrl)) {
      return 'issuer for username must contain scheme'
    }
    return subjectDomainProblem(subjectDomain, hostnameOf(parseGoUri(issuerUrl)))
  },
  identify({ issuer, subject }, { subjectDomain }) {
    if (subject.includes('!')) throw refuseIdentity('username cannot contain ! character')
    // The text is the one of the type uri, as in Fulcio.
    if (isEmailAddress(subject)) throw refuseIdentity('uri subject should not be an email address')
    return createPrincipal(subject, () => ({
      subjectAlternativeName: { kind: 'otherName', value: `${subject}!${subjectDomain}` },
      extensions: { issuer, subject }
    }))
  }
}
