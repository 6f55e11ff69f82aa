import { METHODS } from 'node:http'
import type { Socket } from 'node:net'
import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync
} from 'fastify'
import type { ApiRequest } from '../metrics.js'
import type { RekorService } from '../rekor/service.js'
import type { BodyReader } from './body-task.js'
import type { Contract } from './contract.js'
import { addCors } from './cors.js'
import { addNoRoute, type FamilyContract } from './no-route.js'
import { sendRekorError } from './rekor-errors.js'
import { rekorV1, type RekorOperation } from './rekor-v1.js'
import { addRequestLog } from './request-log.js'
import { requestIdOf } from './request-id.js'
import { serverPages, type Health } from './server-pages.js'

export interface AppOptions {
  readonly logger: FastifyBaseLogger
  readonly contract: Contract
  readonly rekor: RekorService
  readonly enabledOperations: readonly RekorOperation[]
  /** Larger bodies are answered with 413. */
  readonly maxRequestBodyBytes: number
  /** Reads large bodies, on other threads. Without it they are read as small ones are. */
  readonly bodies?: BodyReader
  /** Whether the write path works. Asked on every `/healthz`. Without this and the next there are no pages. */
  readonly health?: () => Health
  /** Text of the home page. */
  readonly homePage?: () => string
  readonly onRequestDone?: (request: ApiRequest) => void
  /** Further APIs, each in a scope of its own. */
  readonly plugins?: readonly FastifyPluginAsync[]
  /** Their documents, for answers where no route matches. */
  readonly families?: readonly FamilyContract[]
}

/** For reading a request, and for a silent connection. Rekor's own. */
const TIMEOUT_MS = 30_000
/** Longer than the minute after which load balancers drop idle connections, so that they are the ones to close. */
const KEEP_ALIVE_MS = 65_000
/** Go takes a megabyte, Node 16 KiB: the longest token of a certificate authority must fit beside everything else. */
const MAX_HEADER_BYTES = 80 * 1024
/** Well above the 80 digits of an entry ID: what is longer still reaches the schema, which names the mistake. */
const MAX_PATH_PARAMETER_CHARS = 4096

/** The HTTP server of all APIs, not listening yet. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { contract, rekor, maxRequestBodyBytes, bodies, onRequestDone } = options
  const app: FastifyInstance = fastify({
    loggerInstance: options.logger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'requestId'
    }),
    genReqId: requestIdOf,
    requestIdHeader: false,
    trustProxy: false,
    bodyLimit: maxRequestBodyBytes,
    requestTimeout: TIMEOUT_MS,
    connectionTimeout: TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    exposeHeadRoutes: false,
    // What still comes in on open connections while we stop is answered; the log refuses what it cannot take any more.
    return503OnClosing: false,
    routerOptions: {
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      maxParamLength: MAX_PATH_PARAMETER_CHARS
    },
    // What is verified must be what was sent: nothing coerced, dropped or filled in.
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false
      }
    },
    frameworkErrors: (err, request, reply) => {
      reply.header('vary', 'Origin') // no hook sees these requests
      sendRekorError(err, request, reply, { maxRequestBodyBytes, operation: undefined })
    },
    clientErrorHandler: answerUnreadableRequest
  })
  // So that the rarest method gets the same 405 as DELETE does.
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method) && method !== 'CONNECT') {
      app.addHttpMethod(method, { hasBody: false })
    }
  }
  // No body is parsed unless a plugin says how, not even on the way to a 404.
  app.removeAllContentTypeParsers()
  addRequestLog(app)
  addCors(app)
  addNoRoute(app, [{ family: 'rekor', contract }, ...(options.families ?? [])])
  app.setErrorHandler((err, request, reply) => {
    sendRekorError(err, request, reply, { maxRequestBodyBytes, operation: undefined })
  })

  await app.register(rekorV1, {
    contract,
    rekor,
    enabledOperations: options.enabledOperations,
    maxRequestBodyBytes,
    ...(bodies === undefined ? {} : { bodies }),
    ...(onRequestDone === undefined ? {} : { onRequestDone })
  })
  const { health, homePage } = options
  if (health !== undefined && homePage !== undefined) {
    await app.register(serverPages, { contract, rekor, health, homePage })
  }
  for (const plugin of options.plugins ?? []) await app.register(plugin)
  await app.ready()
  return app
}

/** Bytes that are not HTTP, or headers beyond Node's limits: no request exists to reply to. */
function answerUnreadableRequest(err: Error & { code?: string }, socket: Socket): void {
  if (err.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, reason] = UNREADABLE[err.code ?? ''] ?? [400, 'Bad Request']
  const body = `${JSON.stringify({ code: status, message: reason })}\n`
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
  )
}

const UNREADABLE: Readonly<Record<string, readonly [number, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large']
}
