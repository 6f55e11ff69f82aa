/** Something that will not be believed any more after a moment. */
export interface Expiring {
  /** What it is, as an operator calls it: the same from one day to the next. */
  readonly what: string
  readonly expiresSeconds: number
  /** How long it is good for in all, where the server renews it by itself; absent where somebody has to do it. */
  readonly renewedLifetimeSeconds?: number
}

export interface CalendarEntry {
  readonly what: string
  readonly expiresSeconds: number
  /** Whole days, rounded down; negative once it has expired. */
  readonly daysLeft: number
  readonly state: 'ok' | 'soon' | 'expired'
}

const DAY_SECONDS = 86_400

/** How long before the end somebody is told. */
const NOTICE_SECONDS = 30 * DAY_SECONDS

/**
 * Everything that can expire, what ends first in front.
 *
 * What the server renews by itself is told of only when that has failed: when less than half of its life is left.
 */
export function expiryCalendar(
  things: readonly Expiring[],
  nowSeconds: number
): readonly CalendarEntry[] {
  return things
    .map(({ what, expiresSeconds, renewedLifetimeSeconds }): CalendarEntry => {
      const left = expiresSeconds - nowSeconds
      const notice = Math.min(NOTICE_SECONDS, (renewedLifetimeSeconds ?? Infinity) / 2)
      return {
        what,
        expiresSeconds,
        daysLeft: Math.floor(left / DAY_SECONDS),
        state: left < 0 ? 'expired' : left < notice ? 'soon' : 'ok'
      }
    })
    .sort((a, b) => a.expiresSeconds - b.expiresSeconds)
}

/** What an operator should read first; undefined when nothing is near its end. */
export function calendarProblem(calendar: readonly CalendarEntry[]): string | undefined {
  const problems = calendar.filter(({ state }) => state !== 'ok')
  if (problems.length === 0) return undefined
  return problems
    .map(({ what, daysLeft, state }) =>
      state === 'expired' ? `${what} has expired` : `${what} expires in ${daysLeft} days`
    )
    .join(', ')
}
