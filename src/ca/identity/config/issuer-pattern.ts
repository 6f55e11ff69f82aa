/**
 * Expression for the issuers a pattern means: each `*` stands for one or more of `-_a-zA-Z0-9`, so for part of a host label or
 * path segment. Anchored at both ends: without that, `http://localhost?issuer=https://…` would match and make this server
 * fetch from there (GHSA-59jp-pj84-45mr).
 *
 * @see fulcio §8.3
 */
export function issuerExpression(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  return new RegExp(`^${parts.join('[-_a-zA-Z0-9]+')}$`)
}
