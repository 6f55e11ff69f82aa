import { checkChain } from './check-chain.js'
import { compareUrl } from './check-url.js'
import { checkWindow, isOpenAt } from './check-window.js'
import type { TrustedAuthority } from './contract.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { error, ok, type TrustFinding, warning } from './finding.js'
import type { AuthorityEntry } from './read-trusted-root.js'

/** How an authority of this kind is called. */
export interface AuthorityKind {
  /** Of the list in the file. */
  readonly list: string
  readonly name: string
  /** Fewest certificates clients take. */
  readonly minimum: 1 | 2
}

const FILE = 'trusted_root.json'

/** Every entry of a list of authorities beside ours, then what is missing of ours. */
export function checkAuthorities(
  entries: readonly AuthorityEntry[],
  ours: readonly TrustedAuthority[],
  { kind, nowSeconds }: { readonly kind: AuthorityKind; readonly nowSeconds: number }
): readonly TrustFinding[] {
  const listed = new Set<TrustedAuthority>()
  const findings: TrustFinding[] = []
  const active = ours.at(-1)
  for (const entry of entries) {
    const { where, chain, window, uri } = entry
    if (chain.length === 0) continue // told by the reader
    const checked = checkChain(chain, ours, {
      where: `${where}.certChain`,
      whereOf: (i) => `${where}.certChain.certificates[${i}]`,
      name: kind.name,
      file: FILE,
      incomplete: 'error',
      minimum: kind.minimum,
      nowSeconds: isOpenAt(window, nowSeconds) ? nowSeconds : undefined
    })
    const { authority } = checked
    const found = [
      ...checked.findings,
      ...checkWindow(`${where}.validFor`, window, { ours: authority?.validity, nowSeconds }),
      ...(authority === undefined ? [] : checkUri(`${where}.uri`, uri, authority.url))
    ]
    if (authority !== undefined) listed.add(authority)
    if (found.length > 0) findings.push(...found)
    else {
      const state = authority === active ? 'in use' : 'of an earlier time'
      findings.push(ok(where, `is the ${kind.name} ${state}`))
    }
  }
  const absent = ours.filter((authority) => !listed.has(authority))
  return [...findings, ...absent.map((one) => reportAbsent(one, one === active, kind))]
}

function reportAbsent(
  { validity }: TrustedAuthority,
  isActive: boolean,
  { list, name }: AuthorityKind
): TrustFinding {
  if (isActive) {
    return error(
      list,
      `is without the ${name} in use: fetch the file again, what is signed now is refused`
    )
  }
  const { startSeconds, endSeconds } = validity
  const until = endSeconds === undefined ? '' : ` to ${formatUtcTime(endSeconds)}`
  return warning(
    list,
    `is without the ${name} from ${formatUtcTime(startSeconds)}${until}: ` +
      'fetch the file again, what was signed then is refused'
  )
}

function checkUri(where: string, uri: string | undefined, ours: string): readonly TrustFinding[] {
  if (uri === undefined) return [warning(where, `is missing: write ${ours}`)]
  const difference = compareUrl(uri, ours)
  return difference === undefined ? [] : [warning(where, difference.message)]
}
