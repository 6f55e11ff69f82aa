import { requireTextClaims } from '../claims.js'
import { createPrincipal, uriName } from '../principal.js'
import type { IssuerType } from './issuer-type.js'

/** Jobs of Buildkite, as configured before there was `ci-provider`. */
export const buildkiteJobType: IssuerType = {
  name: 'buildkite-job',
  challengeClaim: 'sub',
  identify({ issuer, subject, claims }) {
    const { organization_slug: organization, pipeline_slug: pipeline } = requireTextClaims(
      claims,
      ['organization_slug', 'pipeline_slug'],
      (name) => `missing ${name} claim in ID token`
    )
    return createPrincipal(subject, () => ({
      subjectAlternativeName: uriName(`https://buildkite.com/${organization}/${pipeline}`),
      extensions: { issuer, subject }
    }))
  }
}
