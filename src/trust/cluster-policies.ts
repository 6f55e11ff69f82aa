import { Document } from 'yaml'
import { encodeBase64 } from '../encoding/base64.js'
import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'

/** What the documents for clusters are made of. */
export interface ClusterFacts {
  /** Name of the resources. */
  readonly name: string
  readonly rekorUrl: string
  readonly tufUrl: string
  readonly rootJson: Uint8Array
  /** PEM. */
  readonly rekorKey: string
  /** Undefined where no certificates are issued: then images are signed with keys. */
  readonly keyless:
    | {
        readonly fulcioUrl: string
        readonly issuers: readonly string[]
        /** PEM. */
        readonly roots: string
        /** PEM; undefined where certificates are not logged. */
        readonly ctKey: string | undefined
      }
    | undefined
  /** PEM; undefined where there are no timestamps. */
  readonly tsaChain: string | undefined
}

const EVERY_IMAGE =
  ' Every image, and everybody the issuers know: narrow both down. Nothing is refused yet, only said.'
const KEY_HINT = ` The key is made by: cosign generate-key-pair k8s://NAMESPACE/cosign-key`

/**
 * TrustRoot and ClusterImagePolicy of policy-controller, for signatures of cosign 3.
 *
 * @see policy-controller: pkg/apis/policy/v1alpha1/trustroot_types.go, v1beta1/clusterimagepolicy_types.go
 */
export function policyControllerYaml(facts: ClusterFacts): Uint8Array {
  const { name, rekorUrl, tufUrl, rootJson, keyless, tsaChain } = facts
  const trustRootRef = name
  const trustRoot = {
    apiVersion: 'policy.sigstore.dev/v1alpha1',
    kind: 'TrustRoot',
    metadata: { name },
    spec: { remote: { mirror: tufUrl, root: encodeBase64(rootJson) } }
  }
  const policy = {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name },
    spec: {
      mode: 'warn',
      images: [{ glob: '**' }],
      authorities: [
        {
          name,
          signatureFormat: 'bundle',
          ...(keyless === undefined
            ? { key: { secretRef: { name: 'cosign-key' } } }
            : {
                keyless: {
                  url: keyless.fulcioUrl,
                  trustRootRef,
                  identities: keyless.issuers.map((issuer) => ({ issuer, subjectRegExp: '.*' })),
                  ...(keyless.ctKey === undefined ? { insecureIgnoreSCT: true } : {})
                }
              }),
          ctlog: { url: rekorUrl, trustRootRef },
          ...(tsaChain === undefined ? {} : { rfc3161timestamp: { trustRootRef } })
        }
      ]
    }
  }
  const hint = keyless === undefined ? `${EVERY_IMAGE}\n${KEY_HINT}` : EVERY_IMAGE
  return encodeDocuments([trustRoot], [policy, hint.replace('NAMESPACE', 'cosign-system')])
}

/**
 * A ClusterPolicy of Kyverno with the keys in it, for signatures of cosign 2. It only audits: then Kyverno insists on leaving
 * tags as they are.
 *
 * @see kyverno: api/kyverno/v1/image_verification_types.go
 */
export function kyvernoYaml(facts: ClusterFacts): Uint8Array {
  const { name, rekorUrl, rekorKey, keyless, tsaChain } = facts
  const rekor = { url: rekorUrl, pubkey: rekorKey }
  const tsa = tsaChain === undefined ? {} : { tsaCertChain: tsaChain }
  const entries =
    keyless === undefined
      ? [
          {
            keys: {
              secret: { name: 'cosign-key', namespace: 'kyverno' },
              rekor,
              ctlog: { ignoreSCT: true, ...tsa }
            }
          }
        ]
      : keyless.issuers.map((issuer) => ({
          keyless: {
            issuer,
            subject: '*',
            roots: keyless.roots,
            rekor,
            ctlog: {
              ...(keyless.ctKey === undefined ? { ignoreSCT: true } : { pubkey: keyless.ctKey }),
              ...tsa
            }
          }
        }))
  const policy = {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name },
    spec: {
      validationFailureAction: 'Audit',
      background: false,
      webhookTimeoutSeconds: 30,
      rules: [
        {
          name: 'signed',
          match: { any: [{ resources: { kinds: ['Pod'] } }] },
          verifyImages: [
            { imageReferences: ['*'], mutateDigest: false, attestors: [{ count: 1, entries }] }
          ]
        }
      ]
    }
  }
  const hint = keyless === undefined ? `${EVERY_IMAGE}\n${KEY_HINT}` : EVERY_IMAGE
  return encodeDocuments([policy, hint.replace('NAMESPACE', 'kyverno')])
}

/** Values for Kyverno's chart: its own TUF client, which bundles of cosign 3 are verified with. */
export function kyvernoValuesYaml({ tufUrl, rootJson }: ClusterFacts): Uint8Array {
  const rootRaw = decodeUtf8(rootJson)
  return encodeDocuments([{ features: { tuf: { enabled: true, mirror: tufUrl, rootRaw } } }])
}

function encodeDocuments(
  ...documents: readonly (readonly [value: object, comment?: string])[]
): Uint8Array {
  const texts = documents.map(([value, comment]) => {
    const document = new Document(value, { aliasDuplicateObjects: false })
    if (comment !== undefined) document.commentBefore = comment
    return document.toString({ lineWidth: 0 })
  })
  return encodeUtf8(texts.join('---\n'))
}
