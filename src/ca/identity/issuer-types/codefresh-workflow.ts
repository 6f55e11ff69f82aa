import { readTextClaim, requireTextClaims } from '../claims.js'
import { joinGoPath, parseGoUri } from '../go-uri.js'
import { createPrincipal, uriName, uriText } from '../principal.js'
import type { IssuerType } from './issuer-type.js'

const DEFAULT_PLATFORM_URL = 'https://g.codefresh.io'

/** Workflows of Codefresh, as configured before there was `ci-provider`. */
export const codefreshWorkflowType: IssuerType = {
  name: 'codefresh-workflow',
  challengeClaim: 'sub',
  identify({ issuer, subject, claims }) {
    const is = requireTextClaims(
      claims,
      ['account_id', 'pipeline_id', 'workflow_id'],
      (name) => `missing ${name} in token`
    )
    const text = (name: string): string => readTextClaim(claims, name)
    const accountName = text('account_name')
    const pipelineName = text('pipeline_name')
    const runnerEnvironment = text('runner_environment')
    const repository = text('scm_repo_url')
    const ref = text('scm_ref')
    const platformUrl = text('platform_url') || DEFAULT_PLATFORM_URL
    return createPrincipal(subject, () => {
      const platform = parseGoUri(platformUrl)
      const build = uriText(joinGoPath(platform, 'build', is.workflow_id))
      return {
        subjectAlternativeName: uriName(
          joinGoPath(platform, accountName, `${pipelineName}:${is.account_id}/${is.pipeline_id}`)
        ),
        extensions: {
          issuer,
          subject,
          buildSignerUri: build,
          runnerEnvironment,
          sourceRepositoryUri: repository,
          sourceRepositoryRef: ref,
          buildConfigUri: uriText(joinGoPath(platform, 'api', 'pipelines', is.pipeline_id)),
          runInvocationUri: build
        }
      }
    })
  }
}
