import { LogError } from '../../errors.js'

/**
 * The refusal of a token. The message says which check failed, for the log and for `explain`; Fulcio's clients are shown
 * one text for all of these, `CLIENT_MESSAGES.identityToken`.
 */
export function refuseIdentity(reason: string, cause?: unknown): LogError {
  return new LogError('unauthenticated', reason, { cause })
}

/**
 * The refusal of what a certificate would say, found only when it is built, after the proof of possession. Clients are
 * shown this text as it is.
 */
export function refuseCertificate(reason: string): LogError {
  return new LogError('invalid_request', reason)
}
