import type { FastifyInstance } from 'fastify'

/**
 * Hands the bodies of this scope on as bytes, whatever their media type says, if it says anything: the API reads all as JSON.
 * Fastify would judge the header before any parser, so it is not shown to it.
 */
export function ignoreMediaTypes(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    request.raw.headers['content-type'] = 'application/json'
    done()
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
}
