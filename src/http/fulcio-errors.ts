import type { FastifyReply, FastifyRequest } from 'fastify'
import { CLIENT_MESSAGES } from '../ca/client-messages.js'
import { isLogError } from '../errors.js'
import { sendJson } from './json-reply.js'

/** Codes of gRPC, which Fulcio's bodies carry. */
export const GRPC_CODES = {
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  unimplemented: 12,
  internal: 13
} as const

interface RenderedError {
  readonly status: number
  readonly code: number
  readonly message: string
}

/** What a client is told of a failure that is ours. @see fulcio §5 */
const FAILURES: Readonly<Record<string, string>> = {
  ctLog: 'Error entering certificate in CTL',
  signer: 'error communicating with CA backend',
  trustBundle: 'error retrieving trust bundle from CA backend',
  configuration: 'error loading fulcio configuration'
}

/** Reasons name what a token says, and that is of a stranger's choosing: the log does not take all of it. */
const MAX_REASON_CHARS = 500

/**
 * Answers a failed request with Fulcio's `{code, message, details}`. Everything that is the client's fault is 400, tokens
 * included; what exactly was wrong with a token is for the log of the server only.
 */
export function sendFulcioError(err: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, code, message } = render(err, request)
  if (status >= 500) {
    request.log.error({ err }, 'request failed')
  } else if (isLogError(err)) {
    const { check, reason = err.message } = err.details
    // Never the token: an operator needs to know which check failed, and what it found instead.
    const bounded = String(reason).slice(0, MAX_REASON_CHARS)
    request.log.info({ code: err.code, check, reason: bounded }, 'certificate refused')
  }
  sendGrpcError(reply, status, code, message)
}

/** @param code of gRPC */
export function sendGrpcError(
  reply: FastifyReply,
  status: number,
  code: number,
  message: string
): void {
  sendJson(reply.code(status), { code, message, details: [] })
}

function render(err: unknown, request: FastifyRequest): RenderedError {
  if (isLogError(err)) {
    switch (err.code) {
      case 'unauthenticated':
        return refusal(CLIENT_MESSAGES.identityToken)
      case 'invalid_request':
      case 'unsupported':
      case 'verification_failed':
      case 'too_large':
        return refusal(err.message)
      default: {
        const message = FAILURES[String(err.details.failed)]
        if (message !== undefined) return { status: 500, code: GRPC_CODES.internal, message }
      }
    }
  }
  const { code, statusCode, message } = err as {
    code?: string
    statusCode?: number
    message?: string
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refusal('http: request body too large')
  // What Fastify itself refuses, such as a body shorter than announced.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return refusal(message ?? 'bad request')
  }
  return {
    status: 500,
    code: GRPC_CODES.unknown,
    message: `unexpected error (request ${request.id})`
  }
}

function refusal(message: string): RenderedError {
  return { status: 400, code: GRPC_CODES.invalidArgument, message }
}
