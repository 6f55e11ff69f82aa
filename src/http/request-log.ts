import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** nginx's number for a client that hung up. Only ever in the log and the metrics: nobody is there to read it. */
const CLIENT_CLOSED_REQUEST = 499

/** What became of one request. */
export interface RequestOutcome {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Status as it went, 499 when the client left before there was one. */
  readonly code: number
  /** From the first byte of the request to the end of the answer. */
  readonly seconds: number
}

/**
 * Calls `tell` once for every request of this scope, when it is over. Fastify's own hook waits for the handler when the
 * client has left, and stays silent when there was nobody to answer; `close` always comes, and once.
 */
export function onRequestOver(app: FastifyInstance, tell: (outcome: RequestOutcome) => void): void {
  app.addHook('onRequest', (request, reply, done) => {
    const startedMs = performance.now()
    reply.raw.on('close', () => {
      const code = reply.raw.writableEnded ? reply.statusCode : CLIENT_CLOSED_REQUEST
      tell({ request, reply, code, seconds: (performance.now() - startedMs) / 1000 })
    })
    done()
  })
}

/** One line a request, when it is over, under its request id. */
export function addRequestLog(app: FastifyInstance): void {
  onRequestOver(app, ({ request, code, seconds }) => {
    const ms = Math.round(seconds * 1e6) / 1e3
    const { method, url: path, ip: remote } = request
    request.log.info({ method, path, code, ms, remote }, 'request')
  })
}
