import type { FastifyReply, FastifyRequest } from 'fastify'
import { isLogError } from '../errors.js'
import { TSA_MESSAGES } from '../tsa/client-messages.js'
import { sendJson } from './json-reply.js'
import { unsupportedMediaType } from './negotiation.js'
import { RefusedRequest } from './refused-request.js'

/** What the API reads. */
export const TSA_MEDIA_TYPES = {
  der: 'application/timestamp-query',
  json: 'application/json'
} as const

interface RenderedError {
  readonly status: number
  readonly code: number
  readonly message: string
}

const RETRY_AFTER_SECONDS = 1

/**
 * Answers a failed request with `{code, message}`, never with a rejection of RFC 3161: clients look at the status only. The
 * texts are upstream's; what exactly was wrong is in the log of the server.
 *
 * @see ct-and-tsa §C1
 */
export function sendTsaError(err: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, code, message } = render(err, request)
  if (status >= 500 && !isLogError(err, 'overloaded')) {
    request.log.error({ err }, 'request failed')
  } else {
    request.log.info({ reason: (err as Error).message }, 'timestamp refused')
  }
  if (isLogError(err, 'overloaded')) {
    reply.header('retry-after', String(err.details.retryAfterSeconds ?? RETRY_AFTER_SECONDS))
  }
  sendJson(reply.code(status), { code, message })
}

function render(err: unknown, request: FastifyRequest): RenderedError {
  if (err instanceof RefusedRequest) return err
  if (isLogError(err)) {
    switch (err.code) {
      case 'invalid_request':
        return bare(400, TSA_MESSAGES.general)
      case 'unsupported':
      case 'verification_failed':
        return bare(400, err.message)
      case 'overloaded':
        return bare(503, err.message)
      default:
        return bare(500, TSA_MESSAGES.general)
    }
  }
  const { code, statusCode, message } = err as {
    code?: string
    statusCode?: number
    message?: string
  }
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType(request.headers, Object.values(TSA_MEDIA_TYPES))
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bare(400, TSA_MESSAGES.tooLarge)
    default:
      // What Fastify itself refuses, such as a body shorter than announced.
      return statusCode !== undefined && statusCode >= 400 && statusCode < 500
        ? bare(statusCode, message ?? 'bad request')
        : bare(500, TSA_MESSAGES.general)
  }
}

function bare(status: number, message: string): RenderedError {
  return { status, code: status, message }
}
