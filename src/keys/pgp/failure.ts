import { isLogError, LogError } from '../../errors.js'

// What a bad packet costs depends on what is wrong with it, and clients of the log re-read keys with the same three
// classes: an unsupported packet is passed over, a malformed one costs the key it belongs to, and anything else (such as
// data that ends too early) costs the whole ring.

const STRUCTURAL = 'openpgp: invalid data: '

/** Malformed contents: the key they belong to cannot be used. */
export function structuralFailure(problem: string): LogError {
  return new LogError('invalid_request', STRUCTURAL + problem)
}

/** Well-formed contents we do not know how to read: the packet is passed over. */
export function unsupportedFailure(feature: string): LogError {
  return new LogError('unsupported', `openpgp: unsupported feature: ${feature}`)
}

/** Whether `err` was made by `structuralFailure`. */
export function isStructuralFailure(err: unknown): err is LogError {
  return isLogError(err, 'invalid_request') && err.message.startsWith(STRUCTURAL)
}

/** Whether `err` was made by `unsupportedFailure`. */
export function isUnsupportedFailure(err: unknown): err is LogError {
  return isLogError(err, 'unsupported')
}

/** `err` with a word on what was being read in front, and the same code. What is not a LogError is a bug: unchanged. */
export function labelled(label: string, err: unknown): unknown {
  return isLogError(err) ? new LogError(err.code, `${label}: ${err.message}`, { cause: err }) : err
}
