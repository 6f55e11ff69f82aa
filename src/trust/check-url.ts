import { quoted } from './finding.js'

/** How an address differs from ours, from what hurts most to what hurts least. */
export interface UrlDifference {
  readonly kind: 'malformed' | 'host' | 'scheme' | 'path' | 'slash'
  readonly message: string
}

/**
 * @param ours with scheme, no slash at the end
 * @returns undefined when both are the same, letter by letter
 */
export function compareUrl(theirs: string, ours: string): UrlDifference | undefined {
  if (theirs === ours) return undefined
  const remedy = `: write ${ours}`
  const url = parseUrl(theirs)
  if (url === undefined) {
    return { kind: 'malformed', message: `is ${quoted(theirs)}, which is no URL${remedy}` }
  }
  const own = new URL(ours)
  if (url.host !== own.host && !(url.protocol !== own.protocol && url.hostname === own.hostname)) {
    return { kind: 'host', message: `is ${quoted(theirs)}, another host than here${remedy}` }
  }
  if (url.protocol !== own.protocol) {
    const [found, wanted] = [url.protocol.slice(0, -1), own.protocol.slice(0, -1)]
    return { kind: 'scheme', message: `has ${quoted(found)} instead of ${wanted}${remedy}` }
  }
  if (theirs.replace(/\/+$/, '') === ours) {
    return { kind: 'slash', message: `has a slash at the end, clients add another${remedy}` }
  }
  if (url.pathname === '/' && own.pathname !== '/') {
    return { kind: 'path', message: `is without a path, and clients take it as it is${remedy}` }
  }
  return { kind: 'path', message: `is ${quoted(theirs)}, another path than here${remedy}` }
}

/** The one of ours that an address is meant to be: the same, or else the nearest. */
export function nearestUrl<T>(
  theirs: string,
  candidates: readonly T[],
  urlOf: (candidate: T) => string
): { readonly nearest: T; readonly difference: UrlDifference | undefined } | undefined {
  const kinds: readonly (UrlDifference['kind'] | undefined)[] = [
    undefined,
    'slash',
    'path',
    'scheme',
    'host',
    'malformed'
  ]
  const compared = candidates
    .map((nearest) => ({ nearest, difference: compareUrl(theirs, urlOf(nearest)) }))
    .toReversed() // of equals the newest
  return compared.sort(
    (a, b) => kinds.indexOf(a.difference?.kind) - kinds.indexOf(b.difference?.kind)
  )[0]
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
