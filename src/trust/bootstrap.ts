import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { sha256Hex } from './bootstrap-archive.js'
import type { BootstrapContent, BootstrapExpiry, BootstrapFile } from './bootstrap-contract.js'
import { clientGuides } from './client-guides.js'
import {
  type ClusterFacts,
  kyvernoValuesYaml,
  kyvernoYaml,
  policyControllerYaml
} from './cluster-policies.js'
import type { ServiceUrl, TrustFile, TrustState } from './contract.js'

export interface BootstrapOptions {
  /** Where clients reach this server; a slash at the end does not matter. */
  readonly publicUrl: string
  /** Whose ID tokens become certificates. */
  readonly issuers: readonly string[]
  readonly state: TrustState
  /** As `buildDownloads` makes them of the state. */
  readonly files: readonly TrustFile[]
  /** The root metadata to start from. */
  readonly rootJson: Uint8Array
  /** Of the metadata that is published now. */
  readonly expiries: readonly BootstrapExpiry[]
  /** The whole repository, by path below the address of the mirror. */
  readonly tufFiles: readonly { readonly path: string; readonly bytes: Uint8Array }[]
}

const PEM_KEY = 'application/x-pem-file'
const PEM_CHAIN = 'application/pem-certificate-chain'

/**
 * What people and programs need to start with this server: files, and lines for each client with its addresses in them.
 *
 * @throws LogError `internal` when there is no key of the log among the files
 * @see clients §4 to §12
 */
export function buildBootstrap(options: BootstrapOptions): BootstrapContent {
  const { state, rootJson, files, expiries, tufFiles } = options
  const publicUrl = options.publicUrl.replace(/\/+$/, '')
  const tufUrl = `${publicUrl}/tuf`
  const rekorUrl = current(state.services.rekor, 1)?.url ?? publicUrl
  const fulcioUrl = current(state.services.fulcio)?.url
  const tsaUrl = current(state.services.tsa)?.url
  const issuer = current(state.services.oidc)?.url ?? options.issuers.at(-1)
  const canIssue = fulcioUrl !== undefined && issuer !== undefined
  const issuers = canIssue ? unique([issuer, ...options.issuers]) : []
  const pem = (name: string): string | undefined => {
    const file = files.find((candidate) => candidate.name === name)
    return file && decodeUtf8(file.bytes)
  }
  const rekorKey = pem('rekor.pub')
  if (rekorKey === undefined) throw new LogError('internal', 'trust: the log has no rekor.pub')
  const ctKey = pem('ctfe.pub')

  const cluster: ClusterFacts = {
    name: resourceName(state.operator),
    rekorUrl,
    tufUrl,
    rootJson,
    rekorKey,
    keyless: canIssue
      ? { fulcioUrl, issuers, roots: pem('fulcio-all.pem') ?? '', ctKey }
      : undefined,
    tsaChain: pem('tsa-chain.pem')
  }
  const all = [
    { name: 'root.json', bytes: rootJson },
    ...files,
    { name: 'cosign.env', bytes: cosignEnv(files.map(({ name }) => name)) },
    { name: 'policy-controller.yaml', bytes: policyControllerYaml(cluster) },
    { name: 'kyverno.yaml', bytes: kyvernoYaml(cluster) },
    { name: 'kyverno-values.yaml', bytes: kyvernoValuesYaml(cluster) }
  ].map(describe)

  const rootSha256 = sha256Hex(rootJson)
  return {
    publicUrl,
    operator: state.operator,
    issuers,
    tuf: { mirrorUrl: tufUrl, rootSha256, expiries, files: tufFiles },
    files: all,
    clients: clientGuides({
      publicUrl,
      tufUrl,
      rekorUrl,
      rootSha256,
      fileNames: all.map(({ name }) => name),
      keyless: canIssue ? { fulcioUrl, issuer } : undefined,
      tsaUrl,
      hasCtLog: ctKey !== undefined
    })
  }
}

/** The one in use is the last of its list. */
function current(
  services: readonly ServiceUrl[],
  majorApiVersion?: number
): ServiceUrl | undefined {
  return services.findLast(
    (service) => majorApiVersion === undefined || service.majorApiVersion === majorApiVersion
  )
}

/** In the order of `variables`, those of which there is a file. With whole paths, for clients that change the directory. */
function cosignEnv(names: readonly string[]): Uint8Array {
  const variables = [
    ['SIGSTORE_REKOR_PUBLIC_KEY', 'rekor.pub'],
    ['SIGSTORE_CT_LOG_PUBLIC_KEY_FILE', 'ctfe.pub'],
    ['SIGSTORE_ROOT_FILE', 'fulcio-all.pem'],
    ['SIGSTORE_TSA_CERTIFICATE_FILE', 'tsa-chain.pem']
  ] as const
  const lines = variables
    .filter(([, file]) => names.includes(file))
    .map(([variable, file]) => `export ${variable}="$PWD/${file}"\n`)
  return encodeUtf8(
    `# For cosign 2 and gitsign, read with ". ./cosign.env" in the directory of the files. Not for cosign 3.\n${lines.join('')}`
  )
}

/** Name of a resource in a cluster (RFC 1123 label). */
function resourceName(operator: string): string {
  const name = operator
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 63)
    .replace(/-$/, '')
  return name === '' ? 'sigstead' : name
}

function describe({ name, bytes }: TrustFile): BootstrapFile {
  const [about, mediaType] = KNOWN[name] ?? byEnding(name)
  return { name, bytes, about, mediaType, sha256: sha256Hex(bytes) }
}

const JSON_TYPE = 'application/json'
const YAML = 'application/yaml'

const KNOWN: Readonly<Record<string, readonly [about: string, mediaType: string]>> = {
  'root.json': ['Root of the TUF repository: what TUF clients start from', JSON_TYPE],
  'trusted_root.json': ['Every key and chain, past and present, for verifying', JSON_TYPE],
  'signing_config.v0.2.json': ['Addresses of the services, for signing', JSON_TYPE],
  'client_trust_config.json': ['Both in one file, for sigstore-python', JSON_TYPE],
  'rekor.pub': ['Key of the log', PEM_KEY],
  'ctfe.pub': ['Key of the certificate log', PEM_KEY],
  'fulcio-chain.pem': ['Chain of the certificate authority, its root last', PEM_CHAIN],
  'fulcio-all.pem': ['All chains of the certificate authority, newest first', PEM_CHAIN],
  'tsa-chain.pem': ['Chain of the timestamp authority, its root last', PEM_CHAIN],
  'tsa-all.pem': ['All chains of the timestamp authority, newest first', PEM_CHAIN],
  'cosign.env': ['Variables for cosign 2 and gitsign', 'text/plain; charset=utf-8'],
  'policy-controller.yaml': ['TrustRoot and ClusterImagePolicy for policy-controller', YAML],
  'kyverno.yaml': ['ClusterPolicy for Kyverno', YAML],
  'kyverno-values.yaml': ["Values for Kyverno's chart: the TUF mirror", YAML]
}

/** Of an earlier time: they have a hash in their names. */
function byEnding(name: string): readonly [about: string, mediaType: string] {
  if (name.endsWith('.pub')) return ['An earlier key', PEM_KEY]
  if (name.endsWith('.pem')) return ['An earlier chain', PEM_CHAIN]
  return ['Another file', name.endsWith('.json') ? JSON_TYPE : 'text/plain; charset=utf-8']
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)]
}
