import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { activeAuthority, loadAuthorityState } from '../store/authority-records.js'
import {
  type CertificateLog as LogOfAuthority,
  createCertificateAuthority
} from '../ca/certificate-authority.js'
import type { CertificateAuthority, IssuingAuthority } from '../ca/contract.js'
import { describeIssuers } from '../ca/identity/config/describe.js'
import type { IdentityConfig } from '../ca/identity/config/identity-config.js'
import { loadIdentityConfig } from '../ca/identity/config/load.js'
import { createFetch } from '../ca/identity/keys/fetch.js'
import { createIdentityVerifier } from '../ca/identity/verifier.js'
import { createRemoteCtLog } from '../ca/remote-ct-log.js'
import { readAuthorityPassphrase, readIssuingSigner } from '../config/secrets.js'
import { decodePem } from '../encoding/pem.js'
import { LogError } from '../errors.js'
import { parsePublicKey, type PublicKey } from '../keys/public-key.js'
import { assertCtLogKey } from '../x509/ct-signature.js'
import { checkIssuingChain, parseCertificateChainPem } from '../x509/issuing-chain.js'
import type { CertificateLog } from './certificate-log.js'
import type { Foundation } from './foundation.js'

const NO_ISSUERS: IdentityConfig = {
  issuers: [],
  patterns: [],
  ciProviders: new Map(),
  warnings: []
}

/**
 * Opens the certificate authority: reads whose tokens are believed and what issues.
 *
 * @param log our own; undefined when it is off
 * @throws LogError that says what to do
 */
export async function openAuthority(
  foundation: Foundation,
  log: CertificateLog | undefined
): Promise<CertificateAuthority> {
  const { config, options, metrics } = foundation
  const { logger, now, randomBytes } = options
  const authority = await readAuthority(foundation)
  const identityConfig = await readIssuers(foundation)
  const identity = createIdentityVerifier({
    config: identityConfig,
    fetchBytes: createFetch(),
    readFile,
    nowSeconds: () => Math.floor(now() / 1000),
    onProblem: (problem) => logger.warn(problem)
  })
  // Not waited for: an issuer that cannot be reached now may be reached when its first token comes.
  void identity.warmUp()
  return createCertificateAuthority({
    identity,
    issuers: describeIssuers(identityConfig),
    allowedAlgorithms: config.ca.clientAlgorithms,
    authority: () => authority,
    log: logOf(foundation, log),
    now,
    randomBytes,
    observer: metrics.fulcio
  })
}

async function readAuthority({
  config,
  options,
  paths,
  database
}: Foundation): Promise<IssuingAuthority> {
  const { authorities } = await loadAuthorityState(database.register, 'ca')
  if (authorities.length === 0) {
    throw new LogError(
      'conflict',
      `data directory ${paths.root} has no certificate authority yet: run sigstead init, which adds what is ` +
        'missing, or set ca.enabled to false'
    )
  }
  const record = activeAuthority(authorities)
  const signer = readIssuingSigner(paths, record, readAuthorityPassphrase(config))
  const certificates = parseCertificateChainPem(record.chain.join(''))
  const endSeconds = Math.min(...certificates.map(({ notAfterSeconds }) => notAfterSeconds))
  const nowSeconds = Math.floor(options.now() / 1000)
  if (nowSeconds > endSeconds) {
    // The logs go on: what they hold must stay provable. Every request for a certificate is refused.
    const expired = new Date(endSeconds * 1000).toISOString()
    options.logger.error({ expired }, 'the certificate authority has expired and issues nothing')
  }
  const chain = await checkIssuingChain(certificates, {
    publicKey: signer.publicKey,
    atSeconds: Math.min(nowSeconds, endSeconds)
  })
  return { chain, signer }
}

async function readIssuers({ config, options }: Foundation): Promise<IdentityConfig> {
  const { issuersFile } = config.ca
  if (issuersFile !== undefined) {
    const issuers = await loadIdentityConfig(issuersFile, readFile)
    for (const warning of issuers.warnings) options.logger.warn(`${issuersFile}: ${warning}`)
    return issuers
  }
  // The greeting says so, and every token that comes is refused by name.
  return NO_ISSUERS
}

/** Where certificates are logged: here, elsewhere or nowhere. */
function logOf(
  { config }: Foundation,
  own: CertificateLog | undefined
): LogOfAuthority | undefined {
  const { sct, ctLog } = config.ca
  if (sct === 'none') return undefined
  if (ctLog.url !== undefined) {
    return {
      delivery: sct,
      submit: createRemoteCtLog({
        url: ctLog.url,
        certificateAuthority:
          ctLog.caFile === undefined ? '' : readText('ca.ctLog.caFile', ctLog.caFile)
      }),
      publicKey: readLogKey(ctLog.publicKeyFile ?? '')
    }
  }
  if (own === undefined) throw new LogError('internal', 'an authority without a log')
  return {
    delivery: sct,
    submit: (kind, chain) => own.ct.submitOwn(kind, chain),
    publicKey: parsePublicKey(own.ct.active.publicKey)
  }
}

function readLogKey(fileName: string): PublicKey {
  const text = readText('ca.ctLog.publicKeyFile', fileName)
  try {
    const block = decodePem(Buffer.from(text))?.block
    if (block?.type !== 'PUBLIC KEY')
      throw new LogError('invalid_request', 'no PEM of a public key')
    const key = parsePublicKey(block.bytes)
    assertCtLogKey(key)
    return key
  } catch (err) {
    throw new LogError(
      'invalid_request',
      `ca.ctLog.publicKeyFile ${fileName}: ${err instanceof Error ? err.message : String(err)}`,
      { cause: err }
    )
  }
}

function readText(key: string, fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8')
  } catch (err) {
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('invalid_request', `${key} ${fileName} cannot be read: ${code}`, {
      cause: err
    })
  }
}
