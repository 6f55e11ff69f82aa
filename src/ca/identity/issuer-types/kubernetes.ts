import { readObjectClaim, readTextClaim } from '../claims.js'
import { createPrincipal, uriName } from '../principal.js'
import { refuseIdentity } from '../refusal.js'
import type { IssuerType } from './issuer-type.js'

// What Kubernetes itself allows. Fulcio takes anything here, the empty text included, and so would certify paths of a
// stranger's making.
const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const SERVICE_ACCOUNT = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/** Service accounts of a cluster. */
export const kubernetesType: IssuerType = {
  name: 'kubernetes',
  challengeClaim: 'sub',
  identify({ issuer, subject, claims }) {
    const cluster = readObjectClaim(claims, 'kubernetes.io')
    const namespace = readTextClaim(cluster, 'namespace')
    const account = readTextClaim(readObjectClaim(cluster, 'serviceaccount'), 'name')
    if (!NAMESPACE.test(namespace)) {
      throw refuseIdentity(`kubernetes.io claim has no valid namespace (${show(namespace)})`)
    }
    if (!SERVICE_ACCOUNT.test(account)) {
      throw refuseIdentity(
        `kubernetes.io claim has no valid serviceaccount.name (${show(account)})`
      )
    }
    return createPrincipal(subject, () => ({
      subjectAlternativeName: uriName(
        `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/${account}`
      ),
      extensions: { issuer, subject }
    }))
  }
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
