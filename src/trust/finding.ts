/**
 * One line about a file. `error`: something fails, or must not be used so; `warning`: it works, and should be put right; `ok`:
 * what is as it should be.
 */
export interface TrustFinding {
  readonly severity: 'error' | 'warning' | 'ok'
  /** Path of a member such as `tlogs[0].publicKey.validFor`, a block such as `PEM block 1`, or `file`. */
  readonly where: string
  /** What is the case and, unless it is ok, what to do. No private key, and no control characters. */
  readonly message: string
}

/** Longest piece of a stranger's file in a message, in characters. */
const MAX_QUOTED = 120

export function error(where: string, message: string): TrustFinding {
  return { severity: 'error', where, message }
}

export function warning(where: string, message: string): TrustFinding {
  return { severity: 'warning', where, message }
}

export function ok(where: string, message: string): TrustFinding {
  return { severity: 'ok', where, message }
}

/** A text out of a file, safe for a terminal: printable ASCII in quotes, not too long, no password of an URL. */
export function quoted(text: string): string {
  const shown = text.slice(0, MAX_QUOTED).replace(/\/\/[^/@]*@/g, '//...@')
  const safe = shown.replace(/[^ -~]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)
  return `"${safe}${text.length > MAX_QUOTED ? '...' : ''}"`
}
