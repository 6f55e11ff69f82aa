import type { FastifyInstance } from 'fastify'
import type { RekorService } from '../rekor/service.js'
import type { Contract } from './contract.js'
import { compileBinding } from './go-binding.js'
import { sendJson } from './json-reply.js'
import { RefusedRequest } from './refused-request.js'

/** Whether the write path works, and why not. */
export interface Health {
  readonly isHealthy: boolean
  /** For the operator; shown to strangers. */
  readonly reason?: string
  /** What will need the operator soon although everything works; shown to strangers. */
  readonly degraded?: string
}

export interface ServerPagesOptions {
  readonly contract: Contract
  readonly rekor: Pick<RekorService, 'statement'>
  readonly health: () => Health
  readonly homePage: () => string
}

/** What is not Rekor's API: health, the home page, the API document, the statements of the log. */
export async function serverPages(
  app: FastifyInstance,
  { contract, rekor, health, homePage }: ServerPagesOptions
): Promise<void> {
  const documentJson = contract.document

  app.route(
    contract.route('getHomePage', async (_request, reply) =>
      reply.header('content-type', 'text/html; charset=utf-8').send(homePage())
    )
  )
  app.route(
    contract.route('ping', async (_request, reply) =>
      reply.header('content-type', 'text/plain').send('.')
    )
  )
  app.route(contract.route('pingHead', async (_request, reply) => reply.send()))
  app.route(
    contract.route('getHealth', async (_request, reply) => {
      const { isHealthy, reason, degraded } = health()
      if (!isHealthy) return sendJson(reply.code(503), { status: 'failing', reason })
      const status = degraded === undefined ? 'ok' : 'degraded'
      return sendJson(reply.code(200), { status, reason: degraded })
    })
  )
  app.route(
    contract.route('getApiDocument', async (_request, reply) =>
      reply.header('content-type', 'application/yaml').send(contract.yaml)
    )
  )
  app.route(
    contract.route('getApiDocumentAsJson', async (_request, reply) => sendJson(reply, documentJson))
  )
  const bindStatement = compileBinding(contract.operation('getLogStatement'), contract.resolve)
  app.route(
    contract.route('getLogStatement', async (request, reply) => {
      const treeId = String(bindStatement(request).parameters.treeId)
      const statement = rekor.statement(treeId)
      if (statement === undefined) {
        throw new RefusedRequest(404, 404, `there is no tree ${treeId}`)
      }
      return reply.header('content-type', 'text/plain; charset=utf-8').send(statement)
    })
  )
}
