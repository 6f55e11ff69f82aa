import { readEmailVerified, readTextClaim } from '../claims.js'
import { joinGoPath, parseGoUri } from '../go-uri.js'
import { createPrincipal, uriName } from '../principal.js'
import { refuseIdentity } from '../refusal.js'
import type { IssuerType } from './issuer-type.js'

/** Identities of Chainguard. Clients sign the e-mail address when there is one; the certificate never has it. */
export const chainguardIdentityType: IssuerType = {
  name: 'chainguard-identity',
  challengeClaim: 'sub',
  identify({ issuer, subject, claims }) {
    const isVerified = readEmailVerified(claims)
    const email = readTextClaim(claims, 'email')
    if (email !== '' && !isVerified) throw refuseIdentity('not verified by identity provider')
    return createPrincipal(email === '' ? subject : email, () => ({
      subjectAlternativeName: uriName(joinGoPath(parseGoUri(issuer), subject)),
      extensions: { issuer, subject }
    }))
  }
}
