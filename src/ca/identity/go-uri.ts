import { LogError } from '../../errors.js'

// How Go's net/url reads and writes URIs, as far as identities need it. The URL of the web platform will not do: it
// changes double slashes, default ports, the case of hosts and more, and what it gives would be another identity.
//
// Characters Go would percent-encode although a stranger may send them as they are, such as blanks and letters beyond
// ASCII, stay as they are here; `principal.ts` refuses them. Two spellings of one identity would be the alternative.

/** The parts of a URI, unchanged but for the scheme, which is in lower case. */
export interface GoUri {
  /** Empty for a relative reference. */
  readonly scheme: string
  /** With the port; empty when there is no authority. */
  readonly host: string
  /** Whether there is a `//`, be the host as empty as it may. */
  readonly hasAuthority: boolean
  /** Path, or what stands there in a URI such as `mailto:a@b`. */
  readonly path: string
  /** With its question mark. */
  readonly query: string
  /** With its number sign. */
  readonly fragment: string
}

/**
 * Reads a URI. User information (`https://user@host/`), which nobody needs and which only misleads readers, is refused.
 *
 * @throws LogError `invalid_request` with the text of Go where that is known
 */
export function parseGoUri(text: string): GoUri {
  if (/[\0-\x1f\x7f]/.test(text)) throw invalid('net/url: invalid control character in URL')
  const [beforeFragment, fragment] = splitAt(text, text.indexOf('#'))
  const { scheme, rest } = splitScheme(beforeFragment)
  const [hierarchy, query] = splitAt(rest, rest.indexOf('?'))
  if (scheme === '' && /^[^/]*:/.test(hierarchy)) {
    throw invalid('first path segment in URL cannot contain colon')
  }
  const hasAuthority = hierarchy.startsWith('//') && (scheme !== '' || !hierarchy.startsWith('///'))
  const slash = hasAuthority ? hierarchy.indexOf('/', 2) : 0
  const [authority, path] = splitAt(hierarchy, slash)
  const host = authority.slice(2)
  assertHost(host)
  assertEscapes(path)
  assertEscapes(fragment)
  return { scheme, host, hasAuthority, path, query, fragment }
}

/** Host without port and brackets. */
export function hostnameOf({ host }: GoUri): string {
  return host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
}

/** The URI as Go writes it. */
export function formatGoUri(uri: GoUri): string {
  const scheme = uri.scheme === '' ? '' : `${uri.scheme}:`
  const isRooted = uri.hasAuthority || uri.path.startsWith('/') || uri.scheme === ''
  return (
    scheme +
    (uri.hasAuthority ? `//${uri.host}` : '') +
    (isRooted ? escapeLikeGo(uri.path, PATH) : uri.path) +
    uri.query +
    uri.fragment.slice(0, 1) +
    escapeLikeGo(uri.fragment.slice(1), FRAGMENT)
  )
}

/**
 * `base` with elements joined to its path: `.`, `..` and double slashes are resolved, a slash at the end is kept, and
 * nothing leads above the root.
 *
 * @throws LogError `invalid_request` on a `%` that begins no escape
 */
export function joinGoPath(base: GoUri, ...elements: readonly string[]): GoUri {
  const all = [base.path.startsWith('/') ? base.path : `/${base.path}`, ...elements]
  const joined = all.filter((element) => element !== '').join('/')
  const segments: string[] = []
  for (const segment of joined.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const cleaned = `/${segments.join('/')}`
  const keepsSlash = all[all.length - 1]?.endsWith('/') === true && !cleaned.endsWith('/')
  const path = keepsSlash ? `${cleaned}/` : cleaned
  assertEscapes(path)
  return { ...base, path: escapeLikeGo(path, PATH) }
}

function splitAt(text: string, at: number): readonly [string, string] {
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)]
}

function splitScheme(text: string): { readonly scheme: string; readonly rest: string } {
  if (text.startsWith(':')) throw invalid('missing protocol scheme')
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]
  if (scheme === undefined) return { scheme: '', rest: text }
  return { scheme: scheme.toLowerCase(), rest: text.slice(scheme.length + 1) }
}

const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=\u0080-\uffff-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/

function assertHost(authority: string): void {
  if (authority.includes('@')) throw invalid('URI with user information')
  if (!HOST.test(authority)) {
    throw invalid(`invalid host ${JSON.stringify(authority)} in URL`)
  }
}

function assertEscapes(text: string): void {
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text)?.[0]
  if (wrong !== undefined) throw invalid(`invalid URL escape ${JSON.stringify(wrong)}`)
}

interface EscapeRules {
  /** ASCII that Go leaves alone when nothing in the text wants escaping … */
  readonly plain: RegExp
  /** … and all that it escapes when something does: more than it would have had to. */
  readonly escaped: RegExp
}

const PATH: EscapeRules = {
  plain: /^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/%]*$/,
  escaped: /[!"#'()*<>?[\\\]^`{|}]/g
}
const FRAGMENT: EscapeRules = {
  plain: /^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/?%]*$/,
  escaped: /["#'<>[\\\]^`{|}]/g
}

function escapeLikeGo(text: string, { plain, escaped }: EscapeRules): string {
  // Characters that are refused later are not to change how the others are written.
  if (plain.test(text.replace(/[^\x21-\x7e]/g, ''))) return text
  // Go decodes what is escaped before it escapes all anew.
  return text
    .replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
      const code = Number.parseInt(hex, 16)
      return code > 0x20 && code < 0x7f && code !== PERCENT
        ? String.fromCharCode(code)
        : escape.toUpperCase()
    })
    .replace(escaped, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

const PERCENT = 0x25

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
