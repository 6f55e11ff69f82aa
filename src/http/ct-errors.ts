import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, isLogError } from '../errors.js'

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  unsupported: 400,
  verification_failed: 400,
  proof_invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  log_frozen: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  too_large: 413,
  overloaded: 503,
  upstream: 502,
  timeout: 504,
  integrity: 500,
  internal: 500
}

/** A queue drains within a second or the machine is too slow. */
const RETRY_AFTER_SECONDS = 1

export interface CtErrorContext {
  /** For the 413 message. */
  readonly maxBodyBytes: number
}

/** Answers a failed request as certificate logs do: in plain text, a line with the status, then what was wrong. */
export function sendCtError(
  err: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { maxBodyBytes }: CtErrorContext
): void {
  const { status, detail } = render(err, maxBodyBytes)
  if (status === 503) {
    const seconds = isLogError(err) ? err.details.retryAfterSeconds : undefined
    reply.header('retry-after', String(seconds ?? RETRY_AFTER_SECONDS))
  } else if (status >= 500) {
    request.log.error({ err }, 'request failed')
  } else {
    request.log.debug({ err }, 'request refused')
  }
  const isOurs = status >= 500 && status !== 503
  sendCtProblem(reply, status, isOurs ? `unexpected error (request ${request.id})` : detail)
}

/** A problem as text. */
export function sendCtProblem(reply: FastifyReply, status: number, detail: string): void {
  reply
    .code(status)
    .header('content-type', 'text/plain; charset=utf-8')
    .send(`${STATUS_CODES[status] ?? String(status)}\n${detail}\n`)
}

function render(
  err: unknown,
  maxBodyBytes: number
): { readonly status: number; readonly detail: string } {
  if (isLogError(err)) return { status: STATUS[err.code], detail: err.message }
  const { code, statusCode, message } = err as {
    code?: string
    statusCode?: number
    message?: string
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { status: 413, detail: `the body is larger than ${maxBodyBytes} bytes` }
  }
  const isClients = statusCode !== undefined && statusCode >= 400 && statusCode < 500
  return { status: isClients ? statusCode : 500, detail: message ?? 'bad request' }
}
