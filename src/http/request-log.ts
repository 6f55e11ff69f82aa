import type { FastifyInstance, FastifyReply } from 'fastify'

/** nginx's number for a client that hung up. Only ever in the log and the metrics: nobody is there to read it. */
const CLIENT_CLOSED_REQUEST = 499

/** One line a request, when it is over, under its request id. */
export function addRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const code = outcomeOf(reply)
    const line = {
      method: request.method,
      path: request.url,
      code,
      ms: Math.round(reply.elapsedTime * 1000) / 1000,
      remote: request.ip
    }
    request.log.info(line, 'request')
    done()
  })
}

/** Status of an answer as it went: 499 when the client left before it was written. */
export function outcomeOf(reply: FastifyReply): number {
  return reply.raw.writableFinished ? reply.statusCode : CLIENT_CLOSED_REQUEST
}
