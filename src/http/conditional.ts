import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

export const NO_CACHE = 'no-cache'
export const CACHE_FOREVER = 'public, max-age=31536000, immutable'

export interface Representation {
  readonly bytes: Uint8Array
  readonly mediaType: string
  /** `Cache-Control`. */
  readonly cacheControl: string
  /** Of the answer with the content only. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Answers a GET or HEAD with bytes, or with 304 when the client has them already. The tag is their SHA-256, so it holds for as
 * long as they do, over restarts and for every instance.
 *
 * @see RFC 9110 section 13.1.2
 */
export function sendRepresentation(
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, mediaType, cacheControl, headers = {} }: Representation
): FastifyReply {
  const tag = `"${createHash('sha256').update(bytes).digest('hex')}"`
  reply.header('etag', tag).header('cache-control', cacheControl)
  if (hasTag(request.headers['if-none-match'], tag)) return reply.code(304).send()
  return reply
    .headers({ 'x-content-type-options': 'nosniff', ...headers })
    .header('content-type', mediaType)
    .send(bytes)
}

/** Weak comparison: a proxy that compressed an answer may have made its tag weak. */
function hasTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some((text) => text.trim().replace(/^W\//, '') === tag)
}
