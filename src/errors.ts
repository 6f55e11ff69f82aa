/**
 * Closed list of error codes that formats and services throw on purpose. What HTTP status a code becomes is
 * decided in `http/`, per API family, because the bodies differ.
 */
export const ERROR_CODES = [
  'invalid_request',
  'unsupported',
  'verification_failed',
  'unauthenticated',
  'forbidden',
  'not_found',
  'already_exists',
  'conflict',
  'proof_invalid',
  'too_large',
  'log_frozen',
  'overloaded',
  'upstream',
  'timeout',
  'integrity',
  'internal'
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

export type ErrorDetails = Readonly<Record<string, string | number>>

/** The only error class services and formats throw on purpose. Status codes are decided in http/. */
export class LogError extends Error {
  readonly code: ErrorCode
  /** Values that may be shown to a stranger. */
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {}
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LogError'
    this.code = code
    this.details = options.details ?? {}
  }
}

/** Whether `value` is a LogError, optionally with one of the given codes. */
export function isLogError(value: unknown, ...codes: readonly ErrorCode[]): value is LogError {
  return value instanceof LogError && (codes.length === 0 || codes.includes(value.code))
}
