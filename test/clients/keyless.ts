import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Test } from 'tap'
import { startOidcProvider } from '../helpers/oidc-provider.js'
import { runSigstead } from './server.js'
import { openSession, type Session } from './session.js'

export const EMAIL = 'jane@example.com'

/** What a client must be told to trust, as files and as text. */
export interface TrustFiles {
  readonly rekorKey: string
  readonly ctKey: string
  /** Chain of the authority, issuing certificate first. */
  readonly chain: string
}

/** A log, its certificate authority, and a provider whose tokens that believes. */
export interface KeylessSession {
  readonly session: Session
  /** Issuer URL of the provider. */
  readonly issuer: string
  /** A new ID token about EMAIL. */
  idToken(): Promise<string>
  readonly files: TrustFiles
  /** PEM texts of the same. */
  readonly pem: TrustFiles
  /** URL of the certificate log, as trust material names it. */
  readonly ctUrl: string
  /** Variables of cosign 2 and gitsign that name the three files; each can be replaced. */
  env(replaced?: Partial<TrustFiles>): Readonly<Record<string, string>>
}

/** Starts all of it on the loopback. It ends with `t`. */
export async function openKeylessSession(t: Test): Promise<KeylessSession> {
  const provider = await startOidcProvider()
  t.teardown(() => provider.close())
  const config = mkdtempSync(`${tmpdir()}/sigstead-issuers-`)
  t.teardown(() => rmSync(config, { recursive: true, force: true }))
  const { issuer } = provider
  writeFileSync(
    `${config}/issuers.yaml`,
    `oidc-issuers:\n  ${issuer}:\n    issuer-url: ${issuer}\n    client-id: sigstore\n    type: email\n`
  )
  const session = await openSession(t, ['--ca-issuers-file', `${config}/issuers.yaml`])
  const info = await runSigstead(['ct', 'info', '--json', '--data-dir', session.dataDir])
  const [log] = (JSON.parse(info) as { logs: { publicKey: string; logName: string }[] }).logs
  if (log === undefined) throw new Error('no certificate log')
  const answer = await fetch(`${session.server.url}/api/v1/rootCert`)
  const pem = {
    rekorKey: session.logKey,
    ctKey: log.publicKey,
    chain: `${await answer.text()}\n`
  }
  const files = {
    rekorKey: session.logKeyFile,
    ctKey: session.write('ctfe.pub', pem.ctKey),
    chain: session.write('fulcio.pem', pem.chain)
  }
  return {
    session,
    issuer,
    idToken: () => provider.idToken({ sub: 'user-7', email: EMAIL }),
    files,
    pem,
    ctUrl: `${session.server.url}/ctlog/${log.logName}`,
    env: (replaced = {}) => {
      const { rekorKey, ctKey, chain } = { ...files, ...replaced }
      return {
        SIGSTORE_REKOR_PUBLIC_KEY: rekorKey,
        SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: ctKey,
        SIGSTORE_ROOT_FILE: chain
      }
    }
  }
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
  const certificates = certificatesOf(trust.chain).map((certificate) => ({
    rawBytes: certificate.raw.toString('base64')
  }))
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log(trust.rekorKey, trust.rekorUrl)],
    ctlogs: [log(trust.ctKey, trust.ctUrl)],
    certificateAuthorities: [
      {
        subject: { organization: 'sigstead', commonName: 'sigstead-ca' },
        uri: trust.fulcioUrl,
        certChain: { certificates },
        validFor: { start: '2024-01-01T00:00:00Z' }
      }
    ],
    timestampAuthorities: []
  })
}

/** Certificates of a PEM text, in their order. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}
