import { equalBytes } from '../encoding/bytes.js'
import { parsePublicKey } from '../keys/public-key.js'
import { logIdOf } from '../x509/ct-signature.js'
import type { DocumentWindow } from './document-reader.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { keyDetailsOf } from './key-details.js'
import { type AuthorityEntry, type LogEntry, readTrustedRoot } from './read-trusted-root.js'
import { HASH_ALGORITHM } from './trusted-root.js'

/** What the running services sign with now. A service that does not run has an empty list. */
export interface LiveServices {
  readonly nowSeconds: number
  /** SubjectPublicKeyInfo DER. */
  readonly rekorKeys: readonly Uint8Array[]
  readonly ctKeys: readonly Uint8Array[]
  /** DER, the issuing or signing certificate first. */
  readonly certificateChains: readonly (readonly Uint8Array[])[]
  readonly timestampChains: readonly (readonly Uint8Array[])[]
}

export interface TrustGap {
  /** `file` when clients could not read it at all. */
  readonly service: 'file' | 'rekor' | 'ct' | 'fulcio' | 'tsa'
  readonly problem: string
}

/**
 * Where a published trusted root and the running services disagree, so that clients would refuse what is signed now. Reads the
 * bytes anew, with none of the code that wrote them.
 *
 * @param bytes of `trusted_root.json`
 * @returns empty: everything that is signed now can be verified
 */
export function findGaps(bytes: Uint8Array, live: LiveServices): readonly TrustGap[] {
  const root = readTrustedRoot(bytes)
  const { nowSeconds } = live
  return [
    ...root.problems
      .filter(({ severity }) => severity === 'error')
      .map(({ where, message }): TrustGap => ({ service: 'file', problem: `${where} ${message}` })),
    ...live.rekorKeys.flatMap((key) => gapOf('rekor', findLogGap(root.tlogs, key, nowSeconds))),
    ...live.ctKeys.flatMap((key) => gapOf('ct', findLogGap(root.ctlogs, key, nowSeconds))),
    ...live.certificateChains.flatMap((chain) =>
      gapOf('fulcio', findChainGap(root.certificateAuthorities, chain, nowSeconds))
    ),
    ...live.timestampChains.flatMap((chain) =>
      gapOf('tsa', findChainGap(root.timestampAuthorities, chain, nowSeconds))
    )
  ]
}

function gapOf(service: TrustGap['service'], problem: string | undefined): readonly TrustGap[] {
  return problem === undefined ? [] : [{ service, problem }]
}

/** Of several entries for one key it is enough that one is right. */
function findLogGap(
  logs: readonly LogEntry[],
  publicKey: Uint8Array,
  nowSeconds: number
): string | undefined {
  const logId = logIdOf(parsePublicKey(publicKey))
  const problems = logs
    .filter((log) => log.publicKey !== undefined && equalBytes(log.publicKey, publicKey))
    .map((log) => findLogProblem(log, { publicKey, logId, nowSeconds }))
  if (problems.length > 0) return problems.includes(undefined) ? undefined : problems.at(-1)
  const other = logs.find((log) => log.logId !== undefined && equalBytes(log.logId, logId))
  return other === undefined
    ? 'the key in use is not in it'
    : `${other.where} has the log id of the key in use, but another key`
}

function findLogProblem(
  log: LogEntry,
  live: {
    readonly publicKey: Uint8Array
    readonly logId: Uint8Array
    readonly nowSeconds: number
  }
): string | undefined {
  const { where, logId, keyDetails, hashAlgorithm, window } = log
  if (logId === undefined || !equalBytes(logId, live.logId)) {
    return `${where} has the key in use with a wrong log id`
  }
  const details = keyDetailsOf(parsePublicKey(live.publicKey))
  if (keyDetails !== details) return `${where} does not call its key ${details}`
  if (hashAlgorithm !== HASH_ALGORITHM) return `${where} has another hash than ${HASH_ALGORITHM}`
  return findWindowProblem(where, window, live.nowSeconds)
}

function findChainGap(
  authorities: readonly AuthorityEntry[],
  chain: readonly Uint8Array[],
  nowSeconds: number
): string | undefined {
  const candidates = authorities.filter((entry) =>
    entry.chain.some((der) => chain[0] !== undefined && equalBytes(der, chain[0]))
  )
  if (candidates.length === 0) return 'the certificate in use is not in it'
  const problems = candidates.map((entry) => {
    const isSame =
      entry.chain.length === chain.length &&
      chain.every((der, i) => equalBytes(der, entry.chain[i] ?? new Uint8Array()))
    if (!isSame) return `${entry.where} has the certificate in use in another chain`
    return findWindowProblem(entry.where, entry.window, nowSeconds)
  })
  return problems.includes(undefined) ? undefined : problems.at(-1)
}

function findWindowProblem(
  where: string,
  { startSeconds, endSeconds }: DocumentWindow,
  nowSeconds: number
): string | undefined {
  if (startSeconds === undefined || nowSeconds < startSeconds) {
    const from = startSeconds === undefined ? '' : ` before ${formatUtcTime(startSeconds)}`
    return `${where} is not to be believed${from}`
  }
  return endSeconds !== undefined && nowSeconds > endSeconds
    ? `${where} is not to be believed after ${formatUtcTime(endSeconds)}`
    : undefined
}
