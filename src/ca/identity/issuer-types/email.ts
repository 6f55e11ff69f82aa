import { isJsonObject } from '../../../encoding/json.js'
import type { JsonValue } from '../../../encoding/canonical-json.js'
import { type IdToken, readClaim, readEmailVerified, requireTextClaim } from '../claims.js'
import { isEmailAddress } from '../email-address.js'
import { createPrincipal } from '../principal.js'
import { refuseIdentity } from '../refusal.js'
import type { IssuerType } from './issuer-type.js'

/** People, by the address their provider has verified. */
export const emailType: IssuerType = {
  name: 'email',
  challengeClaim: 'email',
  identify(token, issuer) {
    const isVerified = readEmailVerified(token.claims)
    const address = requireTextClaim(token.claims, 'email', 'token missing email claim')
    if (!isVerified && !issuer.skipEmailVerification) {
      throw refuseIdentity('email_verified claim was false')
    }
    if (!isEmailAddress(address)) throw refuseIdentity('email address is not valid')
    const certifiedIssuer = readIssuer(token, issuer.issuerClaim)
    return createPrincipal(address, () => ({
      subjectAlternativeName: { kind: 'rfc822Name', value: address },
      extensions: { issuer: certifiedIssuer, subject: token.subject }
    }))
  }
}

/** The issuer to certify: of a provider that asks others (Dex), the other one. */
function readIssuer({ issuer, claims }: IdToken, path: readonly string[] | undefined): string {
  if (path === undefined) return issuer
  let value: JsonValue | undefined = claims as JsonValue
  for (const name of path) value = isJsonObject(value) ? readClaim(value, name) : undefined
  if (value === undefined) throw refuseIdentity('JSONPath key not found')
  if (typeof value !== 'string' || value === '') {
    throw refuseIdentity(`claim ${path.join('.')} is not a text that could be an issuer`)
  }
  return value
}
