import type { FastifyReply } from 'fastify'
import { encodeUtf8 } from '../encoding/text.js'

/**
 * Sends JSON as Rekor does: no HTML escapes, a newline at the end, no charset parameter. As bytes, because Fastify
 * adds a charset to the media type of text.
 */
export function sendJson(reply: FastifyReply, value: unknown, mediaType = 'application/json') {
  return reply.header('content-type', mediaType).send(encodeUtf8(`${JSON.stringify(value)}\n`))
}
