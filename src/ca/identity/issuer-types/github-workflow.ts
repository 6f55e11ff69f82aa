import { requireTextClaims } from '../claims.js'
import { joinGoPath, parseGoUri } from '../go-uri.js'
import { createPrincipal, uriName, uriText } from '../principal.js'
import type { IssuerType } from './issuer-type.js'

/** Checked in this order. */
const CLAIMS = [
  'job_workflow_ref',
  'sha',
  'event_name',
  'repository',
  'workflow',
  'ref',
  'job_workflow_sha',
  'runner_environment',
  'repository_id',
  'repository_owner',
  'repository_owner_id',
  'repository_visibility',
  'workflow_ref',
  'workflow_sha',
  'run_id',
  'run_attempt'
] as const

/** GitHub Actions of github.com, as configured before there was `ci-provider`. */
export const githubWorkflowType: IssuerType = {
  name: 'github-workflow',
  challengeClaim: 'sub',
  identify({ issuer, subject, claims }) {
    const is = requireTextClaims(claims, CLAIMS, (name) => `missing ${name} claim in ID token`)
    return createPrincipal(subject, () => {
      const github = parseGoUri('https://github.com/')
      const under = (...elements: string[]): string => uriText(joinGoPath(github, ...elements))
      return {
        subjectAlternativeName: uriName(joinGoPath(github, is.job_workflow_ref)),
        extensions: {
          issuer,
          subject,
          githubWorkflowTrigger: is.event_name,
          githubWorkflowSha: is.sha,
          githubWorkflowName: is.workflow,
          githubWorkflowRepository: is.repository,
          githubWorkflowRef: is.ref,
          buildSignerUri: under(is.job_workflow_ref),
          buildSignerDigest: is.job_workflow_sha,
          runnerEnvironment: is.runner_environment,
          sourceRepositoryUri: under(is.repository),
          sourceRepositoryDigest: is.sha,
          sourceRepositoryRef: is.ref,
          sourceRepositoryIdentifier: is.repository_id,
          sourceRepositoryOwnerUri: under(is.repository_owner),
          sourceRepositoryOwnerIdentifier: is.repository_owner_id,
          buildConfigUri: under(is.workflow_ref),
          buildConfigDigest: is.workflow_sha,
          buildTrigger: is.event_name,
          runInvocationUri: under(
            is.repository,
            'actions/runs',
            is.run_id,
            'attempts',
            is.run_attempt
          ),
          sourceRepositoryVisibilityAtSigning: is.repository_visibility
        }
      }
    })
  }
}
