import { isLogError, LogError, type ErrorCode, type ErrorDetails } from '../errors.js'

/** A failure as plain data: a structured clone of a LogError would arrive as a bare Error. */
export interface SentError {
  /** Absent for what is no LogError: a mistake of ours. */
  readonly code?: ErrorCode
  readonly details?: ErrorDetails
  readonly message: string
  readonly stack?: string | undefined
  readonly cause?: SentError | undefined
}

/** How many causes are sent along: whoever reads the log has the reason by then. */
const MAX_CAUSES = 8

export function sendableError(err: unknown, causes = MAX_CAUSES): SentError {
  if (!(err instanceof Error)) return { message: String(err) }
  const { message, stack, cause } = err
  return {
    ...(isLogError(err) ? { code: err.code, details: err.details } : {}),
    message,
    stack,
    cause: cause === undefined || causes === 0 ? undefined : sendableError(cause, causes - 1)
  }
}

/** The failure as it was in the other thread, stack and causes included. */
export function receivedError({ code, details = {}, message, stack, cause }: SentError): Error {
  const inner = cause === undefined ? {} : { cause: receivedError(cause) }
  const err =
    code === undefined
      ? new Error(message, inner)
      : new LogError(code, message, { details, ...inner })
  if (stack !== undefined) err.stack = stack
  return err
}
