import { LogError } from '../errors.js'
import { MAX_CLOCK_STEP_BACK_SECONDS } from '../log/leaf-time.js'

/** The time of one certificate log. */
export interface LogClock {
  /**
   * Milliseconds since the epoch, never less than before: what is signed must not seem to be older than what it contains.
   * A small step back of the clock repeats the last time.
   *
   * @throws LogError `internal` when the clock is further behind
   */
  nowMs(): number
}

/**
 * @param now the clock, milliseconds since the epoch
 * @param lastMs the latest time the log signed
 */
export function createLogClock(now: () => number, lastMs: number): LogClock {
  let latest = lastMs
  return {
    nowMs() {
      const time = Math.floor(now())
      if (latest - time > MAX_CLOCK_STEP_BACK_SECONDS * 1000) {
        throw new LogError(
          'internal',
          `the clock is ${Math.round((latest - time) / 1000)} seconds behind what the certificate log signed last: ` +
            'set it right'
        )
      }
      latest = Math.max(latest, time)
      return latest
    }
  }
}
