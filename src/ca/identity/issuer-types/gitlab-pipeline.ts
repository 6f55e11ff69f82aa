import { type Claims, readClaim, readTextClaim, requireTextClaims } from '../claims.js'
import { joinGoPath, parseGoUri } from '../go-uri.js'
import { createPrincipal, uriName, uriText } from '../principal.js'
import { refuseIdentity } from '../refusal.js'
import type { IssuerType } from './issuer-type.js'

/** Checked in this order. */
const CLAIMS = [
  'project_path',
  'pipeline_source',
  'pipeline_id',
  'ci_config_ref_uri',
  'job_id',
  'ref',
  'ref_type',
  'namespace_path',
  'namespace_id',
  'project_id',
  'sha',
  'runner_environment'
] as const

const REF_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['branch', 'refs/heads/'],
  ['tag', 'refs/tags/']
])

/** Pipelines of gitlab.com, as configured before there was `ci-provider`. For another GitLab that type is needed. */
export const gitlabPipelineType: IssuerType = {
  name: 'gitlab-pipeline',
  challengeClaim: 'sub',
  identify({ issuer, subject, claims }) {
    const describe = (name: string): string => `missing ${name} claim in ID token`
    const is = requireTextClaims(claims, CLAIMS, describe)
    assertRunnerId(claims, describe('runner_id'))
    const configDigest = readTextClaim(claims, 'ci_config_sha')
    const visibility = readTextClaim(claims, 'project_visibility')
    const refPrefix = REF_PREFIXES.get(is.ref_type)
    if (refPrefix === undefined) throw refuseIdentity(`unexpected ref_type: ${is.ref_type}`)
    return createPrincipal(subject, () => {
      const gitlab = parseGoUri('https://gitlab.com/')
      const under = (...elements: string[]): string => uriText(joinGoPath(gitlab, ...elements))
      // The claim is a URI but for its scheme. Its double slash, before the path within the project, must survive.
      const config = parseGoUri(`https://${is.ci_config_ref_uri}`)
      return {
        subjectAlternativeName: uriName(config),
        extensions: {
          issuer,
          subject,
          buildSignerUri: uriText(config),
          buildSignerDigest: configDigest,
          runnerEnvironment: is.runner_environment,
          sourceRepositoryUri: under(is.project_path),
          sourceRepositoryDigest: is.sha,
          sourceRepositoryRef: refPrefix + is.ref,
          sourceRepositoryIdentifier: is.project_id,
          sourceRepositoryOwnerUri: under(is.namespace_path),
          sourceRepositoryOwnerIdentifier: is.namespace_id,
          buildConfigUri: uriText(config),
          buildConfigDigest: configDigest,
          buildTrigger: is.pipeline_source,
          runInvocationUri: under(is.project_path, '/-/jobs/', is.job_id),
          sourceRepositoryVisibilityAtSigning: visibility
        }
      }
    })
  }
}

/** A number among claims that are all texts. */
function assertRunnerId(claims: Claims, reason: string): void {
  const value = readClaim(claims, 'runner_id') ?? 0
  if (!Number.isSafeInteger(value)) throw refuseIdentity('claim runner_id must be an integer')
  if (value === 0) throw refuseIdentity(reason)
}
