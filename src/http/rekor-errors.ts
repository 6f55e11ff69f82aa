import type { FastifyReply, FastifyRequest } from 'fastify'
import { isLogError, type ErrorCode, type LogError } from '../errors.js'
import type { Operation } from './contract.js'
import { sendJson } from './json-reply.js'
import { entryLocation } from './locations.js'
import { unsupportedMediaType } from './negotiation.js'
import { RefusedRequest } from './refused-request.js'

/** Status of each code in the Rekor v1 API (style: the usual ones). */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  unsupported: 400,
  verification_failed: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  proof_invalid: 422,
  too_large: 413,
  log_frozen: 405,
  overloaded: 503,
  upstream: 502,
  timeout: 504,
  integrity: 500,
  internal: 500
}

/** Where the refusal does not know better: queues drain within a second or the machine is too slow. */
const RETRY_AFTER_SECONDS = 1

/** What a failure becomes on the wire. */
interface RenderedError {
  readonly status: number
  readonly code: number
  readonly message: string
}

export interface ErrorContext {
  /** For the 413 message. */
  readonly maxRequestBodyBytes: number
  /** Undefined outside the API: unknown paths, pages. */
  readonly operation: Operation | undefined
}

/**
 * Answers a failed request with Rekor's `{code, message}`. Below 500 the message tells what was wrong with the
 * request. From 500 on it is a fixed text with the request id, and the rest goes to the log.
 */
export function sendRekorError(
  err: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  context: ErrorContext
): void {
  const { status, code, message } = render(err, request, context)
  if (status >= 500 && status !== 501 && !isLogError(err, 'overloaded')) {
    request.log.error({ err }, 'request failed')
  } else {
    request.log.debug({ err }, 'request refused')
  }
  if (isLogError(err, 'overloaded')) {
    reply.header('retry-after', String(err.details.retryAfterSeconds ?? RETRY_AFTER_SECONDS))
  }
  if (isLogError(err, 'already_exists') && err.details.entryId !== undefined) {
    reply.header('location', entryLocation(String(err.details.entryId)))
  }
  sendJson(reply.code(status), { code, message }, errorMediaType(err, context.operation))
}

function render(err: unknown, request: FastifyRequest, context: ErrorContext): RenderedError {
  if (err instanceof RefusedRequest) return err
  if (isLogError(err)) return renderLogError(err, request, context.operation)
  const { code, statusCode, message } = err as {
    code?: string
    statusCode?: number
    message?: string
  }
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType(request.headers, context.operation?.requestBody?.mediaTypes ?? [])
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bare(413, `Request Entity Too Large. Limit set to ${context.maxRequestBodyBytes}`)
    default:
      // What Fastify itself refuses, such as an undecodable URL or a body shorter than announced.
      return statusCode !== undefined && statusCode >= 400 && statusCode < 500
        ? bare(statusCode, message ?? 'bad request')
        : bare(500, `${fixedText(context.operation)} (request ${request.id})`)
  }
}

function renderLogError(
  err: LogError,
  request: FastifyRequest,
  operation: Operation | undefined
): RenderedError {
  const status = STATUS[err.code]
  if (status < 500 || err.code === 'overloaded') return bare(status, err.message)
  return bare(status, `${fixedText(operation)} (request ${request.id})`)
}

/** Rekor's words for a failure that is not the client's. */
function fixedText(operation: Operation | undefined): string {
  switch (operation?.operationId) {
    case 'createLogEntry':
      return 'unexpected result from transparency log'
    case 'searchIndex':
      return 'unexpected result from searching index'
    default:
      return 'unexpected error communicating with transparency log'
  }
}

/** Rekor's key operation sends JSON under the media type of the key, except what its framework refused before. */
function errorMediaType(err: unknown, operation: Operation | undefined): string {
  if (operation?.operationId !== 'getPublicKey') return 'application/json'
  const isFramework = err instanceof RefusedRequest && (err.status === 422 || err.status === 406)
  return isFramework ? 'application/json' : 'application/x-pem-file'
}

function bare(status: number, message: string): RenderedError {
  return { status, code: status, message }
}
