import { equalBytes } from '../encoding/bytes.js'
import { encodeBase64 } from '../encoding/base64.js'
import { isLogError } from '../errors.js'
import { parsePublicKey, type PublicKey } from '../keys/public-key.js'
import { logIdOf } from '../x509/ct-signature.js'
import { compareUrl } from './check-url.js'
import { checkWindow } from './check-window.js'
import type { TrustedLog } from './contract.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { error, ok, quoted, type TrustFinding, warning } from './finding.js'
import { keyDetailsOf } from './key-details.js'
import { shortHash } from './legacy-targets.js'
import type { LogEntry } from './read-trusted-root.js'
import { HASH_ALGORITHM } from './trusted-root.js'

/** How a log of this kind is called. */
export interface LogKind {
  /** Of the list in the file. */
  readonly list: string
  readonly name: string
  /** Whether clients look for the host of checkpoints in the address: sigstore-js does for Rekor. */
  readonly needsHost: boolean
}

/** Every entry of a list of logs beside ours, then what is missing of ours. */
export function checkLogs(
  entries: readonly LogEntry[],
  ours: readonly TrustedLog[],
  options: { readonly kind: LogKind; readonly nowSeconds: number }
): readonly TrustFinding[] {
  const active = ours.at(-1)
  const isListed = (log: TrustedLog): boolean =>
    entries.some(({ publicKey }) => publicKey !== undefined && equalBytes(publicKey, log.publicKey))
  const absent = ours.filter((log) => !isListed(log))
  return [
    ...entries.flatMap((entry) => checkEntry(entry, ours, options)),
    ...absent.map((log) => reportAbsent(log, log === active, options.kind))
  ]
}

function reportAbsent(log: TrustedLog, isActive: boolean, { list, name }: LogKind): TrustFinding {
  const id = shortHash(log.publicKey)
  if (isActive) {
    return error(
      list,
      `is without the key of the ${name} in use (log id ${id}...): fetch the file again, what is signed now is refused`
    )
  }
  const { startSeconds, endSeconds } = log.validity
  const until = endSeconds === undefined ? '' : ` to ${formatUtcTime(endSeconds)}`
  return warning(
    list,
    `is without the key of the ${name} from ${formatUtcTime(startSeconds)}${until} (log id ${id}...): ` +
      'fetch the file again, what was signed then is refused'
  )
}

function checkEntry(
  entry: LogEntry,
  ours: readonly TrustedLog[],
  { kind, nowSeconds }: { readonly kind: LogKind; readonly nowSeconds: number }
): readonly TrustFinding[] {
  const { where, publicKey } = entry
  if (publicKey === undefined) return [] // told by the reader
  const key = readKey(publicKey)
  if (key === undefined) {
    const problem = 'is no public key that clients can use: take it from this server'
    return [error(`${where}.publicKey.rawBytes`, problem)]
  }
  const log = ours.find((candidate) => equalBytes(candidate.publicKey, publicKey))
  const findings = [
    ...checkKeyMembers(entry, key),
    ...checkWindow(`${where}.publicKey.validFor`, entry.window, {
      ours: log?.validity,
      nowSeconds
    }),
    ...(log === undefined ? [] : checkBaseUrl(entry, log, kind))
  ]
  const id = shortHash(publicKey)
  if (log === undefined) {
    const problem = `has the key of another ${kind.name} (log id ${id}...), not of this server: remove it unless you trust that one too`
    return [...findings, warning(where, problem)]
  }
  if (findings.length > 0) return findings
  const state = log === ours.at(-1) ? 'in use' : 'of an earlier time'
  return [ok(where, `is the ${kind.name} ${state} (log id ${id}...)`)]
}

function checkKeyMembers(entry: LogEntry, key: PublicKey): readonly TrustFinding[] {
  const { where, hashAlgorithm, keyDetails, logId } = entry
  const findings: TrustFinding[] = []
  if (hashAlgorithm !== undefined && hashAlgorithm !== HASH_ALGORITHM) {
    const problem = `is ${quoted(hashAlgorithm)}, which no client takes: write ${HASH_ALGORITHM}`
    findings.push(error(`${where}.hashAlgorithm`, problem))
  }
  const details = readDetails(key)
  if (details === undefined) {
    const problem = 'is of a kind that has no name in a trusted root: remove the entry'
    findings.push(error(`${where}.publicKey.rawBytes`, problem))
  } else if (keyDetails !== undefined && keyDetails !== details) {
    const problem = `is ${quoted(keyDetails)}, which is not what the key is: write ${details}`
    findings.push(error(`${where}.publicKey.keyDetails`, problem))
  }
  const wanted = logIdOf(key)
  if (logId !== undefined && !equalBytes(logId, wanted)) {
    const problem = `is not SHA-256 of the key, so that no entry is found by it: write ${encodeBase64(wanted)}`
    findings.push(error(`${where}.logId.keyId`, problem))
  }
  return findings
}

function checkBaseUrl(
  { where, baseUrl }: LogEntry,
  log: TrustedLog,
  { needsHost }: LogKind
): readonly TrustFinding[] {
  if (baseUrl === undefined) {
    const problem = `is missing, and sigstore-js wants it: write ${log.baseUrl}`
    return [warning(`${where}.baseUrl`, problem)]
  }
  const difference = compareUrl(baseUrl, log.baseUrl)
  if (difference === undefined) return []
  const isFatal = needsHost && (difference.kind === 'host' || difference.kind === 'malformed')
  return [(isFatal ? error : warning)(`${where}.baseUrl`, difference.message)]
}

function readKey(spki: Uint8Array): PublicKey | undefined {
  return orUndefined(() => parsePublicKey(spki))
}

function readDetails(key: PublicKey): string | undefined {
  return orUndefined(() => keyDetailsOf(key))
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (err) {
    if (isLogError(err)) return undefined
    throw err
  }
}
