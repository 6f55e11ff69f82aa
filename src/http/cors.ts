import type { FastifyInstance } from 'fastify'

/** Methods other origins may use. */
const METHODS = ['GET', 'POST', 'HEAD']
/** Request headers other origins may set beyond those a browser always allows. */
const HEADERS = ['accept', 'content-type', 'x-requested-with']

/**
 * Lets pages of every origin read every answer, as Rekor does: the log is public and knows no cookies. Preflights
 * are answered here for every path, listed or not. The search pages of the Sigstore project depend on it.
 */
export function addCors(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    // An answer to a request without Origin must not be cached for one that has it.
    reply.header('vary', 'Origin')
    const { origin } = request.headers
    const asked = request.headers['access-control-request-method']
    if (request.method === 'OPTIONS' && asked !== undefined) {
      reply.header('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
      const names = listOf(request.headers['access-control-request-headers'])
      const isAllowed =
        origin !== undefined &&
        METHODS.includes(asked.toUpperCase()) &&
        names.every((name) => HEADERS.includes(name))
      if (isAllowed) {
        reply.header('access-control-allow-origin', '*')
        reply.header('access-control-allow-methods', asked.toUpperCase())
        if (names.length > 0) reply.header('access-control-allow-headers', names.join(', '))
      }
      reply.code(204).send()
      return
    }
    if (origin !== undefined) reply.header('access-control-allow-origin', '*')
    done()
  })
}

function listOf(header: string | undefined): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
}
