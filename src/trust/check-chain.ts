import { equalBytes } from '../encoding/bytes.js'
import { isLogError } from '../errors.js'
import { type Certificate, parseCertificate } from '../x509/certificate.js'
import type { TrustedAuthority } from './contract.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { error, type TrustFinding, warning } from './finding.js'

export interface CheckedChain {
  /** The authority of ours it is meant to be. */
  readonly authority: TrustedAuthority | undefined
  readonly findings: readonly TrustFinding[]
}

export interface ChainOptions {
  /** Where the chain stands, and a certificate of it. */
  readonly where: string
  readonly whereOf: (index: number) => string
  /** How the authority is called. */
  readonly name: string
  /** A file to take instead. */
  readonly file: string
  /** How bad it is when some of the chain is missing. */
  readonly incomplete: 'error' | 'warning'
  /** Fewest certificates clients take. */
  readonly minimum: 1 | 2
  /** Undefined where old certificates are to be expected. */
  readonly nowSeconds: number | undefined
}

/**
 * A chain beside ours: whose it is, whether it is whole and in order, whether its certificates are valid. Signatures are not
 * checked: a certificate that is not one of ours, byte for byte, is a stranger's anyway.
 */
export function checkChain(
  chain: readonly Uint8Array[],
  ours: readonly TrustedAuthority[],
  options: ChainOptions
): CheckedChain {
  const certificates: Certificate[] = []
  for (const [i, der] of chain.entries()) {
    const certificate = readCertificate(der)
    if (certificate === undefined) {
      const problem = `is no certificate that can be read: take ${options.file} from this server`
      return { authority: undefined, findings: [error(options.whereOf(i), problem)] }
    }
    certificates.push(certificate)
  }
  const authority = findAuthority(chain, ours)
  const shape =
    authority === undefined
      ? checkStranger(certificates, options)
      : checkBesideOurs(chain, authority.chain, options)
  return { authority, findings: [...shape, ...checkTimes(certificates, options)] }
}

/** The newest one that has this chain; else its issuing certificate; else any of its certificates. */
function findAuthority(
  chain: readonly Uint8Array[],
  ours: readonly TrustedAuthority[]
): TrustedAuthority | undefined {
  const newestFirst = ours.toReversed()
  return (
    newestFirst.find((authority) => isSameChain(chain, authority.chain)) ??
    newestFirst.find((authority) => includes(chain, authority.chain[0])) ??
    newestFirst.find((authority) => authority.chain.some((der) => includes(chain, der)))
  )
}

function checkBesideOurs(
  chain: readonly Uint8Array[],
  ours: readonly Uint8Array[],
  { where, name, file, incomplete, minimum }: ChainOptions
): readonly TrustFinding[] {
  if (isSameChain(chain, ours)) return []
  const take = `take ${file} from this server`
  if (isSameChain(chain, ours.toReversed())) {
    return [error(where, `has the root first: turn it round, or ${take}`)]
  }
  const missing = ours.filter((der) => !includes(chain, der)).length
  const added = chain.filter((der) => !includes(ours, der)).length
  if (added > 0) {
    return [error(where, `is not the chain of the ${name} here, some of it differs: ${take}`)]
  }
  if (missing === 0) return [error(where, `is not in the order of issuing: ${take}`)]
  const which = includes(chain, ours[0] ?? new Uint8Array()) ? 'above the first' : 'that sign'
  const few = chain.length < minimum ? ', and sigstore-python wants two at least' : ''
  const problem = `is incomplete, ${missing} of ${ours.length} certificates ${which} are missing${few}: ${take}`
  return [(incomplete === 'error' ? error : warning)(where, problem)]
}

/** What can be said of any chain. */
function checkStranger(
  chain: readonly Certificate[],
  { where, name, minimum }: ChainOptions
): readonly TrustFinding[] {
  const findings = [
    warning(
      where,
      `is the chain of another ${name}, not of this server: remove it unless you trust that one too`
    )
  ]
  const problem = findDisorder(chain)
  if (problem !== undefined) findings.push(error(where, problem))
  else if (chain.length < minimum) {
    const few = 'has one certificate only, and sigstore-python wants two: add those above it'
    findings.push(error(where, few))
  }
  return findings
}

function findDisorder(chain: readonly Certificate[]): string | undefined {
  if (isLinked(chain)) {
    const root = chain.at(-1)
    const isWhole = root === undefined || equalBytes(root.issuer, root.subject)
    return isWhole ? undefined : 'ends without a root: add the certificates above the last one'
  }
  return isLinked(chain.toReversed())
    ? 'has the root first: turn it round'
    : 'has certificates that do not issue each other: put the issuing one first, the root last'
}

function isLinked(chain: readonly Certificate[]): boolean {
  return chain.every((certificate, i) => {
    const issuer = chain[i + 1]
    return issuer === undefined || equalBytes(certificate.issuer, issuer.subject)
  })
}

function checkTimes(
  chain: readonly Certificate[],
  { nowSeconds, whereOf, file }: ChainOptions
): readonly TrustFinding[] {
  if (nowSeconds === undefined) return []
  return chain.flatMap(({ notBeforeSeconds, notAfterSeconds }, i) => {
    if (nowSeconds > notAfterSeconds) {
      const problem = `expired at ${formatUtcTime(notAfterSeconds)}: take ${file} from this server again`
      return [error(whereOf(i), problem)]
    }
    if (nowSeconds >= notBeforeSeconds) return []
    const problem = `is valid only from ${formatUtcTime(notBeforeSeconds)}: look at the clock of this machine`
    return [error(whereOf(i), problem)]
  })
}

function readCertificate(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der)
  } catch (err) {
    if (isLogError(err)) return undefined
    throw err
  }
}

function includes(chain: readonly Uint8Array[], der: Uint8Array): boolean {
  return chain.some((candidate) => equalBytes(candidate, der))
}

function isSameChain(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((der, i) => equalBytes(der, b[i] ?? new Uint8Array()))
}
