import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Test } from 'tap'
import { type Account, startOidcProvider } from '../helpers/oidc-provider.js'
import { runSigstead } from './server.js'
import { openSession, type Session } from './session.js'

export const EMAIL = 'jane@example.com'

/** Somebody who signs: known to a provider of their own, and to verifiers by what their certificates say. */
export interface Identity {
  /** Type of the issuer, as the authority's configuration has it. */
  readonly type: 'email' | 'uri' | 'username'
  /** Issuer URL of the provider. */
  readonly issuer: string
  /** The one subject alternative name. */
  readonly name: string
  /** What a proof of possession signs, and what `sub` extensions hold. */
  readonly account: Account
  /** A new ID token. @param clientId another audience than ours @param changed what the provider says otherwise */
  idToken(clientId?: string, changed?: Partial<Account>): Promise<string>
}

/** What a client must be told to trust, as files and as text. */
export interface TrustFiles {
  readonly rekorKey: string
  readonly ctKey: string
  /** Chain of the authority, issuing certificate first. */
  readonly chain: string
}

/** A log, its certificate authority, and providers whose tokens that believes. */
export interface KeylessSession {
  readonly session: Session
  /** Has an e-mail address, EMAIL, and RS256 tokens. */
  readonly person: Identity
  /** Has a URI for a subject, and ES256 tokens. */
  readonly workload: Identity
  /** Has a user name, and RS256 tokens. */
  readonly user: Identity
  /** Configuration that believes these three, for another server. */
  readonly issuersFile: string
  readonly files: TrustFiles
  /** PEM texts of the same. */
  readonly pem: TrustFiles
  /** URL of the certificate log, as trust material names it. */
  readonly ctUrl: string
  /** Variables of cosign 2 and gitsign that name the three files; each can be replaced. */
  env(replaced?: Partial<TrustFiles>): Readonly<Record<string, string>>
}

/**
 * Starts all of it on the loopback. It ends with `t`.
 *
 * @param prepare what is done to the data directory before the authority is used: what it returns is the chain to trust
 */
export async function openKeylessSession(
  t: Test,
  prepare?: (session: Session) => Promise<string>
): Promise<KeylessSession> {
  const person = await openIdentity(t, 'email', 'RS256', { sub: 'user-7', email: EMAIL })
  const workload = await openIdentity(t, 'uri', 'ES256', { sub: 'http://127.0.0.1/jobs/build' })
  const user = await openIdentity(t, 'username', 'RS256', { sub: 'jane' })
  const config = mkdtempSync(`${tmpdir()}/sigstead-issuers-`)
  t.teardown(() => rmSync(config, { recursive: true, force: true }))
  const issuersFile = `${config}/issuers.yaml`
  writeFileSync(issuersFile, issuersYaml([person, workload, user]))

  const session = await openSession(t, ['--ca-issuers-file', issuersFile])
  const prepared = await prepare?.(session)
  const trust = await trustFiles(session, prepared)
  return {
    session,
    person,
    workload,
    user,
    issuersFile,
    ...trust,
    env: (replaced = {}) => trustEnv({ ...trust.files, ...replaced })
  }
}

/** Variables of cosign 2 and gitsign. */
export function trustEnv({ rekorKey, ctKey, chain }: TrustFiles): Readonly<Record<string, string>> {
  return {
    SIGSTORE_REKOR_PUBLIC_KEY: rekorKey,
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: ctKey,
    SIGSTORE_ROOT_FILE: chain
  }
}

/** What a server's operator would hand out, written into the session's folder. @param chain that of the server's answer */
export async function trustFiles(
  session: Session,
  chain?: string
): Promise<Pick<KeylessSession, 'files' | 'pem' | 'ctUrl'>> {
  const info = await runSigstead(['ct', 'info', '--json', '--data-dir', session.dataDir])
  const [log] = (JSON.parse(info) as { logs: { publicKey: string; logName: string }[] }).logs
  if (log === undefined) throw new Error('no certificate log')
  const pem = {
    rekorKey: session.logKey,
    ctKey: log.publicKey,
    chain: chain ?? (await rootCert(session))
  }
  const files = {
    rekorKey: session.logKeyFile,
    ctKey: session.write('ctfe.pub', pem.ctKey),
    chain: session.write('fulcio.pem', pem.chain)
  }
  return { files, pem, ctUrl: `${session.server.url}/ctlog/${log.logName}` }
}

/** What the authority says its chain is. @returns PEM */
export async function rootCert({ server }: Session): Promise<string> {
  const answer = await fetch(`${server.url}/api/v1/rootCert`)
  if (answer.status !== 200) throw new Error(`rootCert answered ${answer.status}`)
  return `${await answer.text()}\n`
}

async function openIdentity(
  t: Test,
  type: Identity['type'],
  algorithm: 'RS256' | 'ES256',
  account: Account
): Promise<Identity> {
  const provider = await startOidcProvider(algorithm)
  t.teardown(() => provider.close())
  const names = {
    email: account.email ?? '',
    uri: account.sub,
    username: `${account.sub}!127.0.0.1`
  }
  return {
    type,
    issuer: provider.issuer,
    name: names[type],
    account,
    idToken: (clientId, changed = {}) => provider.idToken({ ...account, ...changed }, clientId)
  }
}

/** Fulcio's own configuration file. */
function issuersYaml(identities: readonly Identity[]): string {
  const subjectDomains = { email: [], uri: ['http://127.0.0.1'], username: ['127.0.0.1'] }
  const lines = identities.flatMap(({ issuer, type }) => [
    `  ${issuer}:`,
    `    issuer-url: ${issuer}`,
    '    client-id: sigstore',
    `    type: ${type}`,
    ...subjectDomains[type].map((domain) => `    subject-domain: ${domain}`)
  ])
  return ['oidc-issuers:', ...lines, ''].join('\n')
}

/** Flags of cosign and gitsign that say who must have signed. */
export function expecting(
  { name, issuer }: Identity,
  wrong: { readonly name?: string; readonly issuer?: string } = {}
): readonly string[] {
  return [
    ...['--certificate-identity', wrong.name ?? name],
    ...['--certificate-oidc-issuer', wrong.issuer ?? issuer]
  ]
}

/** A key no log has. @returns PEM */
export function strangeKey(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

/** What a hand-made trusted root knows; each can be replaced by what is wrong. */
export interface KeylessTrust extends TrustFiles {
  readonly rekorUrl: string
  readonly ctUrl: string
  readonly fulcioUrl: string
  /** Chain of the timestamp authority, leaf first, PEM; without it the root knows none. */
  readonly tsaChain?: string
}

/** All of it right. */
export function trustOf({ pem, session, ctUrl }: KeylessSession): KeylessTrust {
  const { url } = session.server
  return { ...pem, rekorUrl: url, fulcioUrl: url, ctUrl }
}

/** trusted_root.json from PEM texts. Valid for ever, which no real one is. */
export function keylessTrustedRoot(trust: KeylessTrust): string {
  const log = (pem: string, baseUrl: string) => {
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
    return {
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: der.toString('base64'),
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        validFor: { start: '2024-01-01T00:00:00Z' }
      },
      logId: { keyId: createHash('sha256').update(der).digest('base64') }
    }
  }
  const authority = (name: string, uri: string, chain: string) => ({
    subject: { organization: 'sigstead', commonName: name },
    uri,
    certChain: {
      certificates: certificatesOf(chain).map(({ raw }) => ({ rawBytes: raw.toString('base64') }))
    },
    validFor: { start: '2024-01-01T00:00:00Z' }
  })
  const { fulcioUrl, chain, tsaChain } = trust
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log(trust.rekorKey, trust.rekorUrl)],
    ctlogs: [log(trust.ctKey, trust.ctUrl)],
    certificateAuthorities: [authority('sigstead-ca', fulcioUrl, chain)],
    timestampAuthorities:
      tsaChain === undefined
        ? []
        : [authority('sigstead-tsa', `${fulcioUrl}/api/v1/timestamp`, tsaChain)]
  })
}

/** Certificates of a PEM text, in their order. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}
