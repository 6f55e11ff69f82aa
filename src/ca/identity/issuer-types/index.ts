import { buildkiteJobType } from './buildkite-job.js'
import { chainguardIdentityType } from './chainguard-identity.js'
import { ciProviderType } from './ci-provider.js'
import { codefreshWorkflowType } from './codefresh-workflow.js'
import { emailType } from './email.js'
import { githubWorkflowType } from './github-workflow.js'
import { gitlabPipelineType } from './gitlab-pipeline.js'
import type { IssuerType } from './issuer-type.js'
import { kubernetesType } from './kubernetes.js'
import { spiffeType } from './spiffe.js'
import { uriType } from './uri.js'
import { usernameType } from './username.js'

/** Every issuer type there is. */
export const ISSUER_TYPES: readonly IssuerType[] = [
  emailType,
  spiffeType,
  kubernetesType,
  uriType,
  usernameType,
  buildkiteJobType,
  githubWorkflowType,
  gitlabPipelineType,
  codefreshWorkflowType,
  chainguardIdentityType,
  ciProviderType
]

export function findIssuerType(name: string): IssuerType | undefined {
  return ISSUER_TYPES.find((type) => type.name === name)
}
