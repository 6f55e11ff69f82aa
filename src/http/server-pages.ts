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
      const { isHealthy, reason } = health()
      const status = isHealthy ? 'ok' : 'failing'
      return sendJson(reply.code(isHealthy ? 200 : 503), { status, reason })
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
