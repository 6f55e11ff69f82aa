import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ProposedEntry } from '../entries/entry-type.js'
import type { ApiRequest } from '../metrics.js'
import type { LogQuery } from '../rekor/retrieve.js'
import type { IndexQuery } from '../rekor/search.js'
import type { RekorService, LoggedEntry } from '../rekor/service.js'
import {
  assertFewLookups,
  type BodyOperation,
  type BodyOutcome,
  type BodyReader
} from './body-task.js'
import type { Contract, Operation } from './contract.js'
import { compileBinding, type BoundInput } from './go-binding.js'
import { sendJson, sendJsonBytes } from './json-reply.js'
import { entryLocation } from './locations.js'
import { encodeLogEntries, encodeLogEntry } from './log-entry-json.js'
import { assertAcceptable } from './negotiation.js'
import { RefusedRequest } from './refused-request.js'
import { sendRekorError } from './rekor-errors.js'
import {
  collectBodies,
  createBodyAllowance,
  type CollectedBody,
  type LargeBody
} from './request-body.js'
import { onRequestOver } from './request-log.js'
import { createTurns } from './turns.js'

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
  /** Reads large bodies, on other threads. Without it they are read as small ones are. */
  readonly bodies?: BodyReader
  /** Told of every request that reached an enabled operation, once it is over. */
  readonly onRequestDone?: (request: ApiRequest) => void
}

/** What large bodies may hold at once: eight of them as large as they may be by default. */
const MAX_HELD_BYTES = 256 * 1024 * 1024

/**
 * Uploads that are read before what was read of others goes on: at 64 connections a tenth more than with all at once, at 2,000
 * the slowest wait less.
 */
const UPLOADS_A_TURN = 16

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

  const { bodies, maxRequestBodyBytes } = options

  // Bodies stay bytes until the binding reads them: malformed JSON is worded differently from operation to operation.
  collectBodies(app, {
    maxBytes: maxRequestBodyBytes,
    allowance: bodies && createBodyAllowance(Math.max(MAX_HELD_BYTES, maxRequestBodyBytes))
  })

  onRequestOver(app, ({ request, code, seconds }) => {
    const { operation } = request.routeOptions.config
    if (operation === undefined) return
    options.onRequestDone?.({ path: operation.path, method: operation.method, code, seconds })
  })

  /** Reads a large body on another thread. @throws RefusedRequest and what the reader throws */
  async function readLarge<Type extends BodyOutcome['type']>(
    operation: BodyOperation,
    { pieces, release }: LargeBody,
    type: Type
  ): Promise<Extract<BodyOutcome, { type: Type }>> {
    let outcome: BodyOutcome
    try {
      if (bodies === undefined) throw new Error('a large body and nobody to read it')
      outcome = await bodies({ operation, pieces })
    } finally {
      release()
    }
    if (outcome.type === 'refused') {
      throw new RefusedRequest(outcome.status, outcome.code, outcome.message)
    }
    if (outcome.type !== type) throw new Error('the reader of bodies mixed up its answers')
    return outcome as Extract<BodyOutcome, { type: Type }> // just compared
  }

  function route(
    operationId: RekorOperation,
    handle: Handle,
    handleLarge?: (body: LargeBody, reply: FastifyReply) => Promise<unknown>
  ): void {
    const operation = contract.operation(operationId)
    const bind = compileBinding(operation, contract.resolve)
    const isEnabled = enabled.has(operationId)
    const turn = operationId === 'createLogEntry' ? createTurns(UPLOADS_A_TURN) : undefined
    const notEnabled = `${REKOR_OPERATIONS[operationId]} not enabled in this Rekor instance`
    app.route({
      ...contract.route(operationId, async (request, reply) => {
        const wait = turn?.()
        if (wait !== undefined) await wait
        const body = request.body as CollectedBody | undefined // see collectBodies
        if (body !== undefined && !(body instanceof Uint8Array)) {
          request.body = undefined // so that its memory can go as soon as it was read
          if (isEnabled && handleLarge !== undefined) return handleLarge(body, reply)
          body.release()
          throw new RefusedRequest(501, 501, notEnabled)
        }
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

  route(
    'createLogEntry',
    async ({ body }, reply, bodyBytes) => {
      return sendCreated(reply, await rekor.submit(body as ProposedEntry, bodyBytes)) // as the document has it
    },
    async (body, reply) => {
      const { leaf } = await readLarge('createLogEntry', body, 'entry')
      return sendCreated(reply, await rekor.submitVerified(leaf))
    }
  )

  route('getLogEntryByIndex', async ({ parameters }, reply) => {
    return sendEntry(reply, await rekor.entryByIndex(Number(parameters.logIndex)))
  })

  route('getLogEntryByUUID', async ({ parameters }, reply) => {
    return sendEntry(reply, await rekor.entryById(String(parameters.entryUUID)))
  })

  route(
    'searchLogQuery',
    async ({ body }, reply, bodyBytes) => {
      const query = body as LogQuery // as the document has it
      assertFewLookups(query)
      return sendJsonBytes(reply, encodeLogEntries(await rekor.retrieve(query, bodyBytes)))
    },
    async (body, reply) => {
      const { lookups } = await readLarge('searchLogQuery', body, 'lookups')
      return sendJsonBytes(reply, encodeLogEntries(await rekor.retrieveLookups(lookups)))
    }
  )

  route(
    'searchIndex',
    async ({ body }, reply) => {
      return sendJson(reply, await rekor.searchIndex(body as IndexQuery)) // as the document has it
    },
    async (body, reply) => {
      const { keys, operator } = await readLarge('searchIndex', body, 'keys')
      return sendJson(reply, await rekor.searchKeys(keys, operator))
    }
  )

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

function sendCreated(reply: FastifyReply, logged: LoggedEntry): FastifyReply {
  reply.code(201).header('etag', logged.entryId).header('location', entryLocation(logged.entryId))
  return sendJsonBytes(reply, encodeLogEntry(logged))
}

function sendEntry(reply: FastifyReply, logged: LoggedEntry | undefined): FastifyReply {
  // No body and no media type, unlike every other refusal (rekor-v1 §1.4).
  if (logged === undefined) return reply.code(404).send()
  return sendJsonBytes(reply, encodeLogEntry(logged))
}

function textOf(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}
