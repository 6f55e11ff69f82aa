import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import {
  createCertificateAuthority,
  type CertificateLog
} from '../../src/ca/certificate-authority.js'
import type {
  CertificateAuthority,
  IssuingAuthority,
  SctDelivery,
  SubmitChain
} from '../../src/ca/contract.js'
import { describeIssuers } from '../../src/ca/identity/config/describe.js'
import { parseIdentityConfig } from '../../src/ca/identity/config/parse.js'
import { createIdentityVerifier } from '../../src/ca/identity/verifier.js'
import { CA_CLIENT_ALGORITHMS } from '../../src/config/schema.js'
import { loadFulcioContract } from '../../src/http/contract.js'
import { fulcio } from '../../src/http/fulcio.js'
import { createLocalSigner, generateSigningKey } from '../../src/keys/local-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import type { SignatureAlgorithm } from '../../src/keys/signer.js'
import { buildRootCertificate } from '../../src/x509/ca-certificate.js'
import { checkIssuingChain } from '../../src/x509/issuing-chain.js'
import { CT_NOW_MS, openTestCt } from './ct-log.js'
import { createInjectChecked, type InjectChecked } from './inject-checked.js'
import { stubApp } from './stub-app.js'
import {
  createTestIssuer,
  discoveryAnswers,
  fakeFetch,
  noFiles,
  type TestIssuer
} from './test-issuer.js'
import type { Teardown } from './test-log.js'

export const ISSUER = 'https://idp.example.com'

export interface FulcioSiteOptions {
  /** In the JSON spelling; without it one e-mail issuer. */
  readonly config?: object
  readonly delivery?: SctDelivery
  /** Issuers that answer besides those of the configuration: such as only match a pattern. */
  readonly issuerUrls?: readonly string[]
  /** What the issuers publish instead of the key they sign with. */
  readonly keySet?: object
  /** Instead of the certificate log. */
  readonly submit?: SubmitChain
  /** Puts something between the authority and the certificate log. */
  readonly wrapSubmit?: (submit: SubmitChain) => SubmitChain
  readonly algorithm?: SignatureAlgorithm
  readonly rootSeconds?: number
  readonly now?: () => number
  readonly authority?: (authority: IssuingAuthority) => IssuingAuthority
}

/** A certificate authority with a log of its own behind the Fulcio API. */
export interface FulcioSite {
  /** Not listening. */
  readonly app: FastifyInstance
  readonly inject: InjectChecked
  readonly authority: CertificateAuthority
  readonly issuing: IssuingAuthority
  readonly issuer: TestIssuer
  /** Key of the certificate log. */
  readonly ctKey: Uint8Array
  readonly ctEntries: () => number
  readonly issued: () => number
  /** Lines the server logged. */
  readonly lines: readonly Record<string, unknown>[]
  /** Requests that were counted. */
  readonly counted: readonly { readonly method: string; readonly code: number }[]
  /** A token of the first issuer, with these claims besides. */
  token(claims?: object, header?: object): string
}

const SECONDS = Math.floor(CT_NOW_MS / 1000)

export async function openFulcioSite(
  t: Teardown,
  options: FulcioSiteOptions = {}
): Promise<FulcioSite> {
  const now = options.now ?? (() => CT_NOW_MS)
  const issuer = createTestIssuer()
  const configText = JSON.stringify(
    options.config ?? {
      OIDCIssuers: { [ISSUER]: { IssuerURL: ISSUER, ClientID: 'sigstore', Type: 'email' } }
    }
  )
  const config = parseIdentityConfig(configText)
  const issuerUrls = config.issuers.map(({ issuerUrl }) => issuerUrl)
  const answers = [...issuerUrls, ...(options.issuerUrls ?? [])].flatMap((issuerUrl) =>
    Object.entries(
      discoveryAnswers(issuerUrl.replace(/\/$/, ''), options.keySet ?? issuer.keySet, {
        issuer: issuerUrl
      })
    )
  )
  const identity = createIdentityVerifier({
    config,
    fetchBytes: fakeFetch(Object.fromEntries(answers)).fetchBytes,
    readFile: noFiles,
    nowSeconds: () => Math.floor(now() / 1000),
    onProblem: () => undefined
  })
  const signer = createLocalSigner(
    await generateSigningKey(options.algorithm ?? 'ecdsa-sha2-256-nistp256')
  )
  const root = await buildRootCertificate({
    subject: { organization: 'test', commonName: 'root' },
    signer,
    serialNumber: 1n,
    notBeforeSeconds: SECONDS - 10,
    notAfterSeconds: SECONDS + (options.rootSeconds ?? 86_400)
  })
  const chain = await checkIssuingChain([root], {
    publicKey: signer.publicKey,
    atSeconds: SECONDS
  })
  const own: IssuingAuthority = { chain, signer }
  const issuing = options.authority?.(own) ?? own
  const log = await openTestCt(t, { roots: () => [root.der], now })
  const delivery = options.delivery ?? 'embedded'
  let issued = 0
  const certificateLog: CertificateLog | undefined =
    delivery === 'none'
      ? undefined
      : {
          delivery,
          submit: (options.wrapSubmit ?? ((submit) => submit))(
            options.submit ?? ((kind, chain) => log.ct.submitOwn(kind, chain))
          ),
          keyOf: () => parsePublicKey(log.signer.publicKey)
        }
  const authority = createCertificateAuthority({
    identity,
    issuers: describeIssuers(config),
    allowedAlgorithms: CA_CLIENT_ALGORITHMS,
    authority: () => issuing,
    log: certificateLog,
    now,
    randomBytes: (length) => Uint8Array.from({ length }, () => Math.floor(Math.random() * 256)),
    observer: { newCertificate: () => issued++ }
  })
  const contract = loadFulcioContract()
  const lines: Record<string, unknown>[] = []
  const counted: { method: string; code: number }[] = []
  const { app } = await stubApp(
    {},
    {
      logger: pino(
        { level: 'debug' },
        { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) }
      ),
      plugins: [
        (scope) =>
          fulcio(scope, { contract, authority, onRequestDone: (request) => counted.push(request) })
      ],
      families: [{ family: 'fulcio', contract }]
    }
  )
  const iss = config.issuers[0]?.issuerUrl ?? ISSUER
  t.teardown(() => app.close())
  return {
    app,
    inject: createInjectChecked(app, contract),
    authority,
    issuing: own,
    issuer,
    ctKey: log.signer.publicKey,
    ctEntries: () => log.ct.active.signedTreeHead().treeSize,
    issued: () => issued,
    lines,
    counted,
    token: (claims = {}, header) =>
      issuer.token(
        {
          iss,
          aud: 'sigstore',
          sub: 'u-1',
          email: 'alice@example.com',
          email_verified: true,
          exp: SECONDS + 60,
          ...claims
        },
        header
      )
  }
}

/** A client's key with its proof of possession. */
export interface ClientKey {
  readonly publicKey: KeyObject
  readonly pem: string
  readonly der: Uint8Array
  /** Base64. */
  prove(challenge: string): string
}

export function createClientKey(): ClientKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    publicKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    der: publicKey.export({ type: 'spki', format: 'der' }),
    prove: (challenge) => sign('sha256', Buffer.from(challenge), privateKey).toString('base64')
  }
}

/** A body of version 2 with a key. */
export function keyBody(key: ClientKey, challenge = 'alice@example.com', token?: string): object {
  return {
    ...(token === undefined ? {} : { credentials: { oidcIdentityToken: token } }),
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: key.pem },
      proofOfPossession: key.prove(challenge)
    }
  }
}
