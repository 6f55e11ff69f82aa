import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ProposedEntry } from '../entries/entry-type.js'
import type { ApiRequest } from '../metrics.js'
import type { LogQuery } from '../rekor/retrieve.js'
import type { IndexQuery } from '../rekor/search.js'
import type { RekorService, LoggedEntry } from '../rekor/service.js'
import type { Contract, Operation } from './contract.js'
import { compileBinding, type BoundInput } from './go-binding.js'
import { sendJson, sendJsonBytes } from './json-reply.js'
import { entryLocation } from './locations.js'
import { encodeLogEntries, encodeLogEntry } from './log-entry-json.js'
import { assertAcceptable } from './negotiation.js'
import { RefusedRequest } from './refused-request.js'
import { sendRekorError } from './rekor-errors.js'
import { onRequestOver } from './request-log.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What requests of this route are counted as; absent where they are not. */
    operation?: Operation | undefined
  }
}

/** Operations that can be switched off, and what Rekor calls them when they are (rekor-v1 §1.6). */
export const REKOR_OPERATIONS = {
  createLogEntry: 'Create Entry API',
  getLogEntryByIndex: 'Get Log Entry by Index API',
  getLogEntryByUUID: 'Get Log Entry by UUID API',
  searchLogQuery: 'Search Log Query API',
  getLogInfo: 'Get Log Info API',
  getPublicKey: 'Get Public Key API',
  getLogProof: 'Get Log Proof API',
  searchIndex: 'Search Index API'
} as const

export type RekorOperation = keyof typeof REKOR_OPERATIONS

export interface RekorV1Options {
  readonly contract: Contract
  readonly rekor: RekorService
  /** The others answer 501. */
  readonly enabledOperations: readonly RekorOperation[]
  readonly maxRequestBodyBytes: number
  /** Told of every request that reached an enabled operation, once it is over. */
  readonly onRequestDone?: (request: ApiRequest) => void
}

/** Lookups in one query over all three lists: as many as one request may cost us. */
const MAX_LOOKUPS = 10

const NO_CACHE = {
  'cache-control': 'no-cache, no-store, no-transform, must-revalidate, private, max-age=0',
  pragma: 'no-cache',
  expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
  'x-accel-expires': '0'
}

type Handle = (input: BoundInput, reply: FastifyReply, bodyBytes: number) => Promise<unknown>

/** Rekor v1 API. Paths and schemas live in openapi/rekor-v1.yaml. */
export async function rekorV1(app: FastifyInstance, options: RekorV1Options): Promise<void> {
  const { contract, rekor } = options
  const enabled = new Set<string>(options.enabledOperations)

  // Bodies stay bytes until the binding reads them: malformed JSON is worded differently from operation to operation.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })

  onRequestOver(app, ({ request, code, seconds }) => {
    const { operation } = request.routeOptions.config
    if (operation === undefined) return
    options.onRequestDone?.({ path: operation.path, method: operation.method, code, seconds })
  })

  function route(operationId: RekorOperation, handle: Handle): void {
    const operation = contract.operation(operationId)
    const bind = compileBinding(operation, contract.resolve)
    const isEnabled = enabled.has(operationId)
    const notEnabled = `${REKOR_OPERATIONS[operationId]} not enabled in this Rekor instance`
    const { maxRequestBodyBytes } = options
    app.route({
      ...contract.route(operationId, async (request, reply) => {
        const body = request.body as Uint8Array | undefined // see the content type parser
        // As upstream: what came with a JSON body gets JSON back, whatever it says it accepts.
        if (body === undefined) assertAcceptable(request.headers.accept, operation.produces)
        const input = bind(request)
        if (!isEnabled) throw new RefusedRequest(501, 501, notEnabled)
        return handle(input, reply, body?.length ?? 0)
      }),
      errorHandler: (err, request, reply) => {
        sendRekorError(err, request, reply, { maxRequestBodyBytes, operation })
      },
      onRequest: (_request, reply, done) => {
        if (operation.method === 'GET') reply.headers(NO_CACHE)
        done()
      },
      config: { operation: isEnabled ? operation : undefined }
    })
  }

  route('createLogEntry', async ({ body }, reply, bodyBytes) => {
    const logged = await rekor.submit(body as ProposedEntry, bodyBytes) // as the document has it
    reply.code(201).header('etag', logged.entryId).header('location', entryLocation(logged.entryId))
    return sendJsonBytes(reply, encodeLogEntry(logged))
  })

  route('getLogEntryByIndex', async ({ parameters }, reply) => {
    return sendEntry(reply, await rekor.entryByIndex(Number(parameters.logIndex)))
  })

  route('getLogEntryByUUID', async ({ parameters }, reply) => {
    return sendEntry(reply, await rekor.entryById(String(parameters.entryUUID)))
  })

  route('searchLogQuery', async ({ body }, reply, bodyBytes) => {
    const query = body as LogQuery // as the document has it
    const { entries = [], entryUUIDs = [], logIndexes = [] } = query
    if (entries.length + entryUUIDs.length + logIndexes.length > MAX_LOOKUPS) {
      throw new RefusedRequest(422, 422, `more than max allowed ${MAX_LOOKUPS} entries in request`)
    }
    const found = await rekor.retrieve(query, bodyBytes)
    return sendJsonBytes(reply, encodeLogEntries(found))
  })

  route('searchIndex', async ({ body }, reply) => {
    return sendJson(reply, await rekor.searchIndex(body as IndexQuery)) // as the document has it
  })

  route('getLogInfo', async (_input, reply) => sendJson(reply, await rekor.logInfo()))

  route('getPublicKey', async ({ parameters }, reply) => {
    const pem = rekor.publicKey(textOf(parameters.treeID))
    // Rekor has no words for it either.
    if (pem === undefined) throw new RefusedRequest(400, 400, 'Bad Request')
    return reply.header('content-type', 'application/x-pem-file').send(pem)
  })

  route('getLogProof', async ({ parameters }, reply) => {
    const { firstSize = 1, lastSize, treeID } = parameters
    const proof = await rekor.proof(Number(firstSize), Number(lastSize), textOf(treeID))
    return sendJson(reply, proof)
  })
}

function sendEntry(reply: FastifyReply, logged: LoggedEntry | undefined): FastifyReply {
  // No body and no media type, unlike every other refusal (rekor-v1 §1.4).
  if (logged === undefined) return reply.code(404).send()
  return sendJsonBytes(reply, encodeLogEntry(logged))
}

function textOf(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}
