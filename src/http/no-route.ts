import type { FastifyInstance } from 'fastify'
import type { Contract } from './contract.js'
import { sendJson } from './json-reply.js'

/**
 * Answers where no route matches: 405 when the path exists for other methods, else 404. A hook rather than a
 * not-found handler, because Fastify reads and judges the body before it calls that.
 */
export function addNoRoute(app: FastifyInstance, contracts: readonly Contract[]): void {
  const paths = contracts.flatMap(({ operations }) =>
    operations.map(({ method, path }) => ({ method, pattern: patternOf(path) }))
  )
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) {
      done()
      return
    }
    const [path = ''] = request.url.split('?')
    const clean = path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
    const methods = [...new Set(paths.filter((p) => p.pattern.test(clean)).map((p) => p.method))]
    if (methods.length === 0) {
      sendJson(reply.code(404), { code: 404, message: `path ${path} was not found` })
      return
    }
    const allowed = methods.join(',')
    const message = `method ${request.method} is not allowed, but [${allowed}] are`
    sendJson(reply.code(405).header('allow', allowed), { code: 405, message })
  })
}

function patternOf(path: string): RegExp {
  const literals = path.split(/\{\w+\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literals.join('[^/]+')}$`)
}
