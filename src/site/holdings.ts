import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { logNameOf, ctLogIdOf } from '../ct/signing.js'
import type { AuthorityState } from '../store/authority-records.js'
import { loadAuthorityState } from '../store/authority-records.js'
import type { Database, NewTree } from '../store/log-store.js'
import type {
  ServiceUrl,
  TrustedAuthority,
  TrustedLog,
  TrustState,
  Validity
} from '../trust/contract.js'
import { parseCertificateChainPem } from '../x509/issuing-chain.js'
import { loadUsedCtLogs, type RemoteCtLog, type UsedCtLog } from './remote-ct-logs.js'

/** A tree as far as clients must know of it. */
export type HeldTree = Pick<NewTree, 'publicKey' | 'createdTimeSeconds'> & {
  /** Nothing is signed with its key yet, and the tree before it is not closed. */
  readonly isStaged?: boolean
}

/** Every key that signs or has signed: what trust material is made from. All lists oldest first. */
export interface Holdings {
  readonly rekor: readonly HeldTree[]
  readonly ct: readonly HeldTree[]
  readonly ca: AuthorityState
  readonly tsa: AuthorityState
  /** Certificate logs elsewhere that ours were handed to. */
  readonly remoteCt?: readonly UsedCtLog[]
}

/** What configuration adds to that. */
export interface Circumstances {
  /** Base URL of the server, no slash at the end. */
  readonly publicUrl: string
  /** Who runs it, for clients to see: a host name. */
  readonly operator: string
  /** Which services are on. */
  readonly serves: { readonly ca: boolean; readonly tsa: boolean }
  /** Issuer that clients are to ask for ID tokens, if there is one. */
  readonly oidcIssuer: string | undefined
  /** A certificate log elsewhere that our certificates are handed to. */
  readonly remoteCtLog?: RemoteCtLog
}

/**
 * How far the clocks of servers may have been apart: everything is believed this much before it began and after it ended.
 * A start that is too late makes good signatures fail.
 */
const SKEW_SECONDS = 300

/** What was issued just before a rotation is used for as long as it is valid (fulcio §12). */
const CERTIFICATE_SECONDS = 600

const TIMESTAMP_PATH = '/api/v1/timestamp'

export async function readHoldings(
  database: Pick<Database, 'trees' | 'register'>
): Promise<Holdings> {
  const { register } = database
  return {
    rekor: await database.trees('rekor'),
    ct: await database.trees('ct'),
    ca: (await loadAuthorityState(register, 'ca')).authorities,
    tsa: (await loadAuthorityState(register, 'tsa')).authorities,
    remoteCt: await loadUsedCtLogs(register)
  }
}

/** What clients are to be told. */
export function trustStateOf(holdings: Holdings, circumstances: Circumstances): TrustState {
  const { publicUrl, operator, serves, oidcIssuer } = circumstances
  const service = (
    url: string,
    since: readonly { readonly startSeconds: number }[]
  ): readonly ServiceUrl[] => {
    if (since.length === 0) return []
    return [{ url, majorApiVersion: 1, validity: { startSeconds: earliest(since) } }]
  }
  const rekorLogs = trustedLogs(holdings.rekor, () => publicUrl)
  const certificateAuthorities = trustedAuthorities(holdings.ca, publicUrl, CERTIFICATE_SECONDS)
  const timestampUrl = publicUrl + TIMESTAMP_PATH
  const timestampAuthorities = trustedAuthorities(holdings.tsa, timestampUrl, 0)
  const startsOf = (all: readonly { readonly validity: Validity }[]) =>
    all.map(({ validity }) => validity)
  return {
    operator,
    rekorLogs,
    ctLogs: [
      ...endedRemoteLogs(holdings, circumstances),
      ...trustedLogs(holdings.ct, (key) => `${publicUrl}/ctlog/${logNameOf(ctLogIdOf(key))}`),
      ...remoteLogs(circumstances, certificateAuthorities)
    ],
    certificateAuthorities,
    timestampAuthorities,
    services: {
      rekor: service(publicUrl, startsOf(rekorLogs)),
      fulcio: serves.ca ? service(publicUrl, startsOf(certificateAuthorities)) : [],
      tsa: serves.tsa ? service(timestampUrl, startsOf(timestampAuthorities)) : [],
      oidc:
        oidcIssuer === undefined || !serves.ca
          ? []
          : service(oidcIssuer, startsOf(certificateAuthorities))
    }
  }
}

/** Trees that sign with one key are one log to clients: they see the key. */
function trustedLogs(
  trees: readonly HeldTree[],
  urlOf: (publicKey: Uint8Array) => string
): readonly TrustedLog[] {
  const logs: TrustedLog[] = []
  for (const [i, { publicKey, createdTimeSeconds, isStaged }] of trees.entries()) {
    const known = logs.findIndex((log) => equalBytes(log.publicKey, publicKey))
    // One that waits closes nothing, and nothing has closed it.
    const next = isStaged === true ? undefined : trees.slice(i + 1).find((tree) => !tree.isStaged)
    const ownStart = createdTimeSeconds - SKEW_SECONDS
    const startSeconds = Math.min(ownStart, logs[known]?.validity.startSeconds ?? ownStart)
    const validity = validityOf(startSeconds, next?.createdTimeSeconds, 0)
    const log = { baseUrl: urlOf(publicKey), publicKey, validity }
    if (known >= 0) logs.splice(known, 1)
    logs.push(log)
  }
  return logs
}

function trustedAuthorities(
  authorities: AuthorityState,
  url: string,
  useSeconds: number
): readonly TrustedAuthority[] {
  return authorities.map(({ chain, activeFromSeconds, activeUntilSeconds }) => {
    const [first, ...others] = parseCertificateChainPem(chain.join('')).map(({ der }) => der)
    if (first === undefined) throw new LogError('integrity', 'an authority without certificates')
    return {
      url,
      chain: [first, ...others],
      validity: validityOf(activeFromSeconds - SKEW_SECONDS, activeUntilSeconds, useSeconds)
    }
  })
}

/** Those that are not used any more; one that is used again is as it was. */
function endedRemoteLogs(
  { remoteCt = [] }: Holdings,
  { remoteCtLog }: Circumstances
): readonly TrustedLog[] {
  const logs = new Map<string, TrustedLog>()
  for (const { url, publicKey, startSeconds, endSeconds } of remoteCt) {
    const isInUse = remoteCtLog !== undefined && equalBytes(remoteCtLog.publicKey, publicKey)
    if (isInUse || endSeconds === undefined) continue
    const id = encodeHex(publicKey)
    const first = logs.get(id)?.validity.startSeconds ?? startSeconds - SKEW_SECONDS
    logs.delete(id)
    logs.set(id, { baseUrl: url, publicKey, validity: validityOf(first, endSeconds, 0) })
  }
  return [...logs.values()]
}

function remoteLogs(
  { remoteCtLog }: Circumstances,
  authorities: readonly TrustedAuthority[]
): readonly TrustedLog[] {
  if (remoteCtLog === undefined || authorities.length === 0) return []
  const { url, publicKey } = remoteCtLog
  const startSeconds = earliest(authorities.map(({ validity }) => validity))
  return [{ baseUrl: url, publicKey, validity: { startSeconds } }]
}

/** What waits to be used stands before what is in use, and began later. */
function earliest(windows: readonly Pick<Validity, 'startSeconds'>[]): number {
  return Math.min(...windows.map(({ startSeconds }) => startSeconds))
}

/** @param endedSeconds when something else took over; undefined while it is in use */
function validityOf(
  startSeconds: number,
  endedSeconds: number | undefined,
  useSeconds: number
): Validity {
  if (endedSeconds === undefined) return { startSeconds }
  return { startSeconds, endSeconds: endedSeconds + useSeconds + SKEW_SECONDS }
}
