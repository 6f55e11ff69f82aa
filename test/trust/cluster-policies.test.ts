import t from 'tap'
import { parseAllDocuments } from 'yaml'
import type { BootstrapContent } from '../../src/trust/bootstrap-contract.js'
import {
  BARE,
  FULL,
  HOSTILE,
  ISSUER,
  NO_CT,
  PUBLIC_URL,
  ROOT,
  build,
  fileOf,
  hostile
} from '../helpers/bootstrap.js'

type Json = Readonly<Record<string, unknown>>

function documents(content: BootstrapContent, name: string): Json[] {
  return parseAllDocuments(fileOf(content, name).toString()).map((document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0] as Error
    return document.toJS() as Json
  })
}

t.test('policy-controller', async (t) => {
  const [trustRoot, policy, ...more] = documents(build(), 'policy-controller.yaml')
  t.same(more, [])
  t.same(trustRoot, {
    apiVersion: 'policy.sigstore.dev/v1alpha1',
    kind: 'TrustRoot',
    metadata: { name: 'sigstead-example-test' },
    spec: { remote: { mirror: `${PUBLIC_URL}/tuf`, root: ROOT.toString('base64') } }
  })
  const trustRootRef = 'sigstead-example-test'
  t.same(policy, {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name: trustRootRef },
    spec: {
      mode: 'warn',
      images: [{ glob: '**' }],
      authorities: [
        {
          name: trustRootRef,
          signatureFormat: 'bundle',
          keyless: {
            url: PUBLIC_URL,
            trustRootRef,
            identities: [{ issuer: ISSUER, subjectRegExp: '.*' }]
          },
          ctlog: { url: PUBLIC_URL, trustRootRef },
          rfc3161timestamp: { trustRootRef }
        }
      ]
    }
  })
  const [, keyed] = documents(build(BARE), 'policy-controller.yaml')
  t.same((keyed as { spec: { authorities: unknown } }).spec.authorities, [
    {
      name: trustRootRef,
      signatureFormat: 'bundle',
      key: { secretRef: { name: 'cosign-key' } },
      ctlog: { url: PUBLIC_URL, trustRootRef }
    }
  ])
  const [, blind] = documents(build(NO_CT), 'policy-controller.yaml')
  t.match(blind, { spec: { authorities: [{ keyless: { insecureIgnoreSCT: true } }] } })
  const [oddRoot, odd] = documents(hostile(), 'policy-controller.yaml')
  t.match(oddRoot, {
    metadata: { name: /^b-x$/ },
    spec: { remote: { mirror: `${PUBLIC_URL}${HOSTILE}/tuf`, root: ROOT.toString('base64') } }
  })
  t.match(odd, {
    spec: { authorities: [{ keyless: { identities: [{ issuer: `${ISSUER}${HOSTILE}` }] } }] }
  })
})

t.test('names of resources', async (t) => {
  for (const [operator, name] of [
    ['log.example', 'log-example'],
    ['LOG.Example', 'log-example'],
    ['[::1]', '1'],
    ['...', 'sigstead'],
    ['', 'sigstead'],
    [`${'a'.repeat(62)}.b`, 'a'.repeat(62)]
  ] as const) {
    const [trustRoot] = documents(build({ ...FULL, operator }), 'policy-controller.yaml')
    t.match(trustRoot, { metadata: { name } }, operator)
    t.match(name, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
  }
})

t.test('Kyverno', async (t) => {
  const content = build(FULL, { issuers: ['https://other.example', ISSUER] })
  const text = (name: string) => fileOf(content, name).toString()
  const [policy, ...more] = documents(content, 'kyverno.yaml')
  t.same(more, [])
  const keyless = (issuer: string) => ({
    keyless: {
      issuer,
      subject: '*',
      roots: text('fulcio-all.pem'),
      rekor: { url: PUBLIC_URL, pubkey: text('rekor.pub') },
      ctlog: { pubkey: text('ctfe.pub'), tsaCertChain: text('tsa-chain.pem') }
    }
  })
  t.match(policy, {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    spec: { validationFailureAction: 'Audit' }
  })
  const rules = (document: Json | undefined) =>
    (document as { spec: { rules: { verifyImages: unknown }[] } }).spec.rules
  t.same(rules(policy)[0]?.verifyImages, [
    {
      imageReferences: ['*'],
      mutateDigest: false,
      attestors: [{ count: 1, entries: [keyless(ISSUER), keyless('https://other.example')] }]
    }
  ])
  const bare = build(BARE)
  const [keyed] = documents(bare, 'kyverno.yaml')
  t.same(rules(keyed)[0]?.verifyImages, [
    {
      imageReferences: ['*'],
      mutateDigest: false,
      attestors: [
        {
          count: 1,
          entries: [
            {
              keys: {
                secret: { name: 'cosign-key', namespace: 'kyverno' },
                rekor: { url: PUBLIC_URL, pubkey: fileOf(bare, 'rekor.pub').toString() },
                ctlog: { ignoreSCT: true }
              }
            }
          ]
        }
      ]
    }
  ])
  for (const [made, mirror] of [
    [content, `${PUBLIC_URL}/tuf`],
    [hostile(), `${PUBLIC_URL}${HOSTILE}/tuf`]
  ] as const) {
    t.same(documents(made, 'kyverno-values.yaml'), [
      { features: { tuf: { enabled: true, mirror, rootRaw: ROOT.toString() } } }
    ])
  }
})
