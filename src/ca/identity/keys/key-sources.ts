import { LogError } from '../../../errors.js'
import type { MatchedIssuer } from '../config/find-issuer.js'
import { createDiscoveredKeySource } from './discovered-keys.js'
import type { FetchBytes } from './fetch.js'
import type { KeySource } from './key-source.js'
import { createPinnedKeySource, type ReadFile } from './pinned-keys.js'

/** Issuers matched by patterns whose keys are kept, the last ones used. @see fulcio §7 */
const MAX_PATTERN_SOURCES = 100

/** Requests to such issuers under way at once: their addresses are made up by whoever sends tokens. */
const MAX_PATTERN_REQUESTS = 8

export interface KeySourceOptions {
  readonly fetchBytes: FetchBytes
  readonly readFile: ReadFile
  readonly nowSeconds: () => number
  /** Told of what an operator should look at and what stops nothing. */
  readonly onProblem: (problem: string) => void
}

/** Key sources by issuer, made when first wanted: those of fixed issuers stay, those of patterns go when unused. */
export function createKeySources(options: KeySourceOptions): (matched: MatchedIssuer) => KeySource {
  const fixed = new Map<string, KeySource>()
  // In the order of last use, which is what a Map keeps when a key is deleted and set again.
  const recent = new Map<string, KeySource>()
  const patternOptions = { ...options, fetchBytes: limitRequests(options.fetchBytes) }
  return ({ issuer, pattern }) => {
    if (pattern === undefined) {
      let source = fixed.get(issuer.issuerUrl)
      if (source === undefined) {
        source =
          issuer.jwksFile === ''
            ? createDiscoveredKeySource({ issuer, ...options })
            : createPinnedKeySource({ file: issuer.jwksFile, ...options })
        fixed.set(issuer.issuerUrl, source)
      }
      return source
    }
    const source =
      recent.get(issuer.issuerUrl) ?? createDiscoveredKeySource({ issuer, ...patternOptions })
    recent.delete(issuer.issuerUrl)
    recent.set(issuer.issuerUrl, source)
    const [oldest] = recent.keys()
    if (recent.size > MAX_PATTERN_SOURCES && oldest !== undefined) recent.delete(oldest)
    return source
  }
}

function limitRequests(fetchBytes: FetchBytes): FetchBytes {
  let underWay = 0
  return async (address, options) => {
    if (underWay >= MAX_PATTERN_REQUESTS) {
      throw new LogError('overloaded', 'too many issuers are being asked for their keys')
    }
    underWay++
    try {
      return await fetchBytes(address, options)
    } finally {
      underWay--
    }
  }
}
