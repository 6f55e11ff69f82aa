import { LogError } from '../errors.js'

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const PREFIX = 'Log frozen — '

/** Last second of the year 9999. */
const LAST_SECOND = 253_402_300_799

/**
 * Extension line of the last checkpoint of a log that takes no more entries, such as
 * `Log frozen — Thu Jan  1 00:00:00 UTC 2026`. Size and root hash stay what they were.
 *
 * @param seconds since the epoch
 * @throws LogError `invalid_request` unless they are whole, not negative and before the year 10,000
 * @see rekor-v2-and-tiles §1.15
 */
export function formatFrozenLine(seconds: number): string {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > LAST_SECOND) {
    throw new LogError('invalid_request', `no time a log can be frozen at: ${seconds} seconds`)
  }
  const date = new Date(seconds * 1000)
  const day = DAYS[date.getUTCDay()] as string // 0 to 6
  const month = MONTHS[date.getUTCMonth()] as string // 0 to 11
  const dayOfMonth = String(date.getUTCDate()).padStart(2)
  const time = date.toISOString().slice(11, 19)
  return `${PREFIX}${day} ${month} ${dayOfMonth} ${time} UTC ${date.getUTCFullYear()}`
}

/** Whether the extension lines of a checkpoint say that its log is frozen. */
export function saysFrozen(extensionLines: readonly string[]): boolean {
  return extensionLines.some((line) => line.startsWith(PREFIX))
}
