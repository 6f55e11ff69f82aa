import { LogError } from '../errors.js'
import type { ServiceUrl, TrustedAuthority, TrustedLog, TrustState, Validity } from './contract.js'
import type { DocumentWindow } from './document-reader.js'
import { readSigningConfig, type ServiceEntry } from './read-signing-config.js'
import { type AuthorityEntry, type LogEntry, readTrustedRoot } from './read-trusted-root.js'

/**
 * The state that a server's published documents were made from.
 *
 * @throws LogError `upstream` when they are not what a server of ours publishes
 */
export function stateOfDocuments(trustedRoot: Uint8Array, signingConfig: Uint8Array): TrustState {
  const root = readTrustedRoot(trustedRoot)
  const config = readSigningConfig(signingConfig)
  const [problem] = [...root.problems, ...config.problems].filter(
    ({ severity }) => severity === 'error'
  )
  if (problem !== undefined) throw unusable(`${problem.where} ${problem.message}`)
  const services = [config.rekorTlogUrls, config.caUrls, config.tsaUrls, config.oidcUrls]
  return {
    operator: services.flat()[0]?.operator ?? '',
    rekorLogs: root.tlogs.map(logOf),
    ctLogs: root.ctlogs.map(logOf),
    certificateAuthorities: root.certificateAuthorities.map(authorityOf),
    timestampAuthorities: root.timestampAuthorities.map(authorityOf),
    services: {
      rekor: config.rekorTlogUrls.map(serviceOf).toReversed(),
      fulcio: config.caUrls.map(serviceOf).toReversed(),
      tsa: config.tsaUrls.map(serviceOf).toReversed(),
      oidc: config.oidcUrls.map(serviceOf).toReversed()
    }
  }
}

function logOf({ where, baseUrl, publicKey, window }: LogEntry): TrustedLog {
  if (baseUrl === undefined || publicKey === undefined) throw unusable(`${where} is not whole`)
  return { baseUrl, publicKey, validity: validityOf(where, window) }
}

function authorityOf({ where, uri, chain, window }: AuthorityEntry): TrustedAuthority {
  const [first, ...others] = chain
  if (uri === undefined || first === undefined) throw unusable(`${where} is not whole`)
  return { url: uri, chain: [first, ...others], validity: validityOf(where, window) }
}

function serviceOf({ where, url, majorApiVersion, window }: ServiceEntry): ServiceUrl {
  if (url === undefined || majorApiVersion === undefined) throw unusable(`${where} is not whole`)
  return { url, majorApiVersion, validity: validityOf(where, window) }
}

function validityOf(where: string, { startSeconds, endSeconds }: DocumentWindow): Validity {
  if (startSeconds === undefined) throw unusable(`${where} has no start`)
  return { startSeconds, ...(endSeconds === undefined ? {} : { endSeconds }) }
}

function unusable(problem: string): LogError {
  return new LogError('upstream', `what the server publishes cannot be read: ${problem}`)
}
