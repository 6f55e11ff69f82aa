import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Contract } from './contract.js'
import { sendCtProblem } from './ct-errors.js'
import { GRPC_CODES, sendGrpcError } from './fulcio-errors.js'
import { sendJson } from './json-reply.js'

/** Whose words the refusals of a path are in. */
export type ApiFamily = 'rekor' | 'fulcio' | 'ct' | 'tsa' | 'trust'

export interface FamilyContract {
  readonly family: ApiFamily
  readonly contract: Contract
}

/**
 * Answers where no route matches: 405 when the path exists for other methods, else 404. A hook rather than a
 * not-found handler, because Fastify reads and judges the body before it calls that.
 */
export function addNoRoute(app: FastifyInstance, contracts: readonly FamilyContract[]): void {
  const paths = contracts.flatMap(({ family, contract }) =>
    contract.operations.map(({ method, path }) => ({ family, method, pattern: patternOf(path) }))
  )
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) {
      done()
      return
    }
    const [path = ''] = request.url.split('?')
    const clean = path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
    const matching = paths.filter(({ pattern }) => pattern.test(clean))
    const [first] = matching
    if (first === undefined) {
      sendJson(reply.code(404), { code: 404, message: `path ${path} was not found` })
      return
    }
    const methods = [...new Set(matching.map(({ method }) => method))]
    REFUSE_METHOD[first.family](reply, request.method, methods)
  })
}

type RefuseMethod = (reply: FastifyReply, method: string, allowed: readonly string[]) => void

const refuseMethodAsGoSwagger: RefuseMethod = (reply, method, allowed) => {
  const message = `method ${method} is not allowed, but [${allowed.join()}] are`
  sendJson(reply.code(405).header('allow', allowed.join()), { code: 405, message })
}

const REFUSE_METHOD: Readonly<Record<ApiFamily, RefuseMethod>> = {
  rekor: refuseMethodAsGoSwagger,
  tsa: refuseMethodAsGoSwagger,
  trust: refuseMethodAsGoSwagger,
  // So does Fulcio, where a gateway translates what gRPC knows nothing of.
  fulcio: (reply, _method, allowed) => {
    reply.header('allow', allowed.join())
    sendGrpcError(reply, 501, GRPC_CODES.unimplemented, 'Method Not Allowed')
  },
  ct: (reply, method, allowed) => {
    reply.header('allow', allowed.join())
    sendCtProblem(reply, 405, `method ${method} is not allowed, but ${allowed.join()} is`)
  }
}

function patternOf(path: string): RegExp {
  const literals = path.split(/\{\w+\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literals.join('[^/]+')}$`)
}
