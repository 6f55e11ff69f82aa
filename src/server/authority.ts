import { readFile } from 'node:fs/promises'
import {
  type CertificateLog as LogOfAuthority,
  createCertificateAuthority
} from '../ca/certificate-authority.js'
import type { CertificateAuthority, IssuingAuthority } from '../ca/contract.js'
import { logNameOf } from '../ct/signing.js'
import { describeIssuers } from '../ca/identity/config/describe.js'
import type { IdentityConfig } from '../ca/identity/config/identity-config.js'
import { createFetch } from '../ca/identity/keys/fetch.js'
import { createIdentityVerifier } from '../ca/identity/verifier.js'
import { createRemoteCtLog } from '../ca/remote-ct-log.js'
import { readRemoteLogKey } from '../config/log-key-file.js'
import { readTextFile } from '../config/text-file.js'
import { LogError } from '../errors.js'
import { parsePublicKey, type PublicKey } from '../keys/public-key.js'
import { createSignQueue } from '../keys/sign-queue.js'
import { checkIssuingChain } from '../x509/issuing-chain.js'
import { readIssuers } from '../site/circumstances.js'
import { readActiveAuthority } from './active-authority.js'
import type { CertificateLog } from './certificate-log.js'
import type { Foundation } from './foundation.js'

/** The certificate authority with what is needed to replace what issues. */
export interface OpenAuthority {
  readonly authority: CertificateAuthority
  readonly issuers: IdentityConfig
  /** What issues now. */
  readonly current: () => IssuingAuthority
  /** Lets what the database names issue from now on. */
  readonly reload: () => Promise<void>
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
): Promise<OpenAuthority> {
  const { config, options, metrics, checks } = foundation
  const { logger, now, randomBytes } = options
  let issuing = await readAuthority(foundation)
  const issuers = await readIssuers(config)
  for (const warning of issuers.warnings) logger.warn(`${config.ca.issuersFile ?? ''}: ${warning}`)
  const identity = createIdentityVerifier({
    config: issuers,
    fetchBytes: createFetch(),
    readFile,
    nowSeconds: () => Math.floor(now() / 1000),
    onProblem: (problem) => logger.warn(problem),
    checkData: checks.data
  })
  // Not waited for: an issuer that cannot be reached now may be reached when its first token comes.
  void identity.warmUp()
  const authority = createCertificateAuthority({
    identity,
    issuers: describeIssuers(issuers),
    allowedAlgorithms: config.ca.clientAlgorithms,
    authority: () => issuing,
    log: logOf(foundation, log),
    now,
    randomBytes,
    observer: metrics.fulcio,
    checkData: checks.data
  })
  return {
    authority,
    issuers,
    current: () => issuing,
    reload: async () => {
      issuing = await readAuthority(foundation)
    }
  }
}

async function readAuthority(foundation: Foundation): Promise<IssuingAuthority> {
  const { signer, certificates, atSeconds } = await readActiveAuthority(foundation, 'ca')
  const chain = await checkIssuingChain(certificates, { publicKey: signer.publicKey, atSeconds })
  return { chain, signer: createSignQueue(signer) }
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
          ctLog.caFile === undefined ? '' : readTextFile('ca.ctLog.caFile', ctLog.caFile)
      }),
      keyOf: constant(readRemoteLogKey(ctLog.publicKeyFile ?? ''))
    }
  }
  if (own === undefined) throw new LogError('internal', 'an authority without a log')
  return {
    delivery: sct,
    submit: (kind, chain) => own.ct.submitOwn(kind, chain),
    keyOf: createKeyFinder(own.ct)
  }
}

/** Whoever verifies with it compares the log ID. */
function constant(key: PublicKey): LogOfAuthority['keyOf'] {
  return () => key
}

/** Keys of our own logs, read once each. A timestamp may be of the log before, when it was replaced meanwhile. */
function createKeyFinder(ct: CertificateLog['ct']): LogOfAuthority['keyOf'] {
  const keys = new Map<string, PublicKey>()
  return (logId) => {
    const name = logNameOf(logId)
    const known = keys.get(name)
    if (known !== undefined) return known
    const log = ct.find(name)
    if (log === undefined) return undefined
    const key = parsePublicKey(log.publicKey)
    keys.set(name, key)
    return key
  }
}
