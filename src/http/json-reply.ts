import type { FastifyReply } from 'fastify'

/** Sends JSON as Rekor does: no HTML escapes, a newline at the end, no charset parameter. */
export function sendJson(reply: FastifyReply, value: unknown, mediaType = 'application/json') {
  return sendJsonBytes(reply, Buffer.from(`${JSON.stringify(value)}\n`, 'utf8'), mediaType)
}

/** Sends JSON that is written already. As bytes, because Fastify adds a charset to the media type of text. */
export function sendJsonBytes(reply: FastifyReply, json: Buffer, mediaType = 'application/json') {
  return reply.header('content-type', mediaType).send(json)
}
