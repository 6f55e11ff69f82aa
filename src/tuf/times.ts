import { formatUtcTime } from '../encoding/utc-time.js'
import { LogError } from '../errors.js'

/** Last second of the year 9999: the format has four digits for the year. */
const MAX_SECONDS = 253_402_300_799

/**
 * Time as TUF writes it: whole seconds, UTC, `Z`.
 *
 * @throws LogError `invalid_request` unless it is a whole number of seconds from 1970 to 9999
 * @see TUF specification section 4.2.1
 */
export function formatTime(seconds: number): string {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > MAX_SECONDS) {
    throw new LogError('invalid_request', `no time that TUF can write: ${seconds} s`)
  }
  return formatUtcTime(seconds)
}

/** Seconds since the epoch of a time as formatTime writes it. @throws LogError `invalid_request` */
export function parseTime(text: string): number {
  const seconds = Date.parse(text) / 1000
  if (!Number.isSafeInteger(seconds) || formatTime(seconds) !== text) {
    throw new LogError('invalid_request', `not a time in whole seconds with Z: ${text}`)
  }
  return seconds
}

/** @throws LogError `verification_failed` unless `expires` is in the future */
export function assertNotExpired(expires: string, nowSeconds: number, what: string): void {
  if (parseTime(expires) <= nowSeconds) {
    throw new LogError('verification_failed', `${what} expired at ${expires}`)
  }
}
