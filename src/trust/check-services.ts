import { nearestUrl } from './check-url.js'
import type { ServiceUrl, TrustState } from './contract.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { error, ok, quoted, type TrustFinding, warning } from './finding.js'
import type { ServiceEntry, SigningConfigDocument } from './read-signing-config.js'

interface Options {
  /** Of the list in the file. */
  readonly list: string
  readonly name: string
  readonly operator: string
  readonly nowSeconds: number
}

/** Every address of a signing config beside ours, then what is missing of ours. */
export function checkServices(
  config: SigningConfigDocument,
  { services, operator }: TrustState,
  { prefix, nowSeconds }: { readonly prefix: string; readonly nowSeconds: number }
): readonly TrustFinding[] {
  const check = (
    member: 'caUrls' | 'oidcUrls' | 'rekorTlogUrls' | 'tsaUrls',
    ours: readonly ServiceUrl[],
    name: string
  ): readonly TrustFinding[] =>
    checkList(config[member], ours, { list: `${prefix}${member}`, name, operator, nowSeconds })
  return [
    ...check('caUrls', services.fulcio, 'certificate authority'),
    ...check('oidcUrls', services.oidc, 'issuer'),
    ...check('rekorTlogUrls', services.rekor, 'log'),
    ...check('tsaUrls', services.tsa, 'timestamp authority')
  ]
}

function checkList(
  entries: readonly ServiceEntry[],
  ours: readonly ServiceUrl[],
  options: Options
): readonly TrustFinding[] {
  const reached = new Set<ServiceUrl>()
  const findings: TrustFinding[] = []
  for (const entry of entries) {
    const { service, found } = checkEntry(entry, ours, options)
    if (service !== undefined) reached.add(service)
    findings.push(...found)
    if (found.length === 0) {
      findings.push(ok(entry.where, `is the address of the ${options.name}`))
    }
  }
  const active = ours.at(-1)
  if (active !== undefined && !reached.has(active)) {
    const problem = `is without the ${options.name} in use: add ${active.url}, or fetch the file again`
    findings.push(error(options.list, problem))
  }
  return findings
}

function checkEntry(
  entry: ServiceEntry,
  ours: readonly ServiceUrl[],
  options: Options
): { readonly service: ServiceUrl | undefined; readonly found: readonly TrustFinding[] } {
  const { where, url, majorApiVersion, operator } = entry
  if (url === undefined) return { service: undefined, found: [] } // told by the reader
  const isUnknownVersion =
    majorApiVersion !== undefined && !ours.some((one) => one.majorApiVersion === majorApiVersion)
  if (ours.length > 0 && isUnknownVersion) {
    return { service: undefined, found: [reportVersion(entry, majorApiVersion, options.name)] }
  }
  const sameVersion = ours.filter((one) => one.majorApiVersion === majorApiVersion)
  const candidates = sameVersion.length > 0 ? sameVersion : ours
  const match = nearestUrl(url, candidates, (one) => one.url)
  if (match === undefined) {
    const problem = `is ${quoted(url)}, and this server has no ${options.name}: remove the entry`
    return { service: undefined, found: [error(`${where}.url`, problem)] }
  }
  const { nearest, difference } = match
  const found: TrustFinding[] = [
    ...(difference === undefined ? [] : [error(`${where}.url`, difference.message)]),
    ...checkTimes(entry, nearest, options.nowSeconds)
  ]
  if (operator !== undefined && operator !== options.operator) {
    const problem = `is ${quoted(operator)}, and clients may use two services of different operators at once: write ${options.operator}`
    found.push(warning(`${where}.operator`, problem))
  }
  return { service: nearest, found }
}

function reportVersion({ where }: ServiceEntry, version: number, name: string): TrustFinding {
  if (name === 'log' && version === 2) {
    return error(
      where,
      'is a Rekor of version 2, which this server has not, and clients prefer it: remove the entry'
    )
  }
  return error(
    `${where}.majorApiVersion`,
    `is ${version}, and the ${name} here has no such version: take the entry from this server`
  )
}

function checkTimes(
  { where, window }: ServiceEntry,
  ours: ServiceUrl,
  nowSeconds: number
): readonly TrustFinding[] {
  const { startSeconds, endSeconds } = window
  const [at, own] = [`${where}.validFor`, ours.validity]
  if (startSeconds !== undefined && endSeconds !== undefined && endSeconds < startSeconds) {
    return [error(at, 'ends before it starts: take both times from this server')]
  }
  const found: TrustFinding[] = []
  if (startSeconds !== undefined && startSeconds > nowSeconds) {
    const problem = `is ${formatUtcTime(startSeconds)}, which is in the future, and sigstore-js goes there already`
    found.push(error(`${at}.start`, `${problem}: write ${formatUtcTime(own.startSeconds)}`))
  }
  const remedy = 'fetch the file again'
  if (endSeconds !== undefined && endSeconds < (own.endSeconds ?? Infinity)) {
    const problem = `is ${formatUtcTime(endSeconds)}, and this server answers there longer`
    found.push((endSeconds < nowSeconds ? error : warning)(`${at}.end`, `${problem}: ${remedy}`))
  } else if (own.endSeconds !== undefined && (endSeconds ?? Infinity) > own.endSeconds) {
    const problem = `is not ${formatUtcTime(own.endSeconds)}, when the address is given up`
    found.push(
      (own.endSeconds < nowSeconds ? error : warning)(`${at}.end`, `${problem}: ${remedy}`)
    )
  }
  return found
}
