import { LogError } from '../errors.js'

/**
 * How far the clock may fall behind the last leaf before the log waits for it no longer. NTP corrects by fractions of
 * a second; more is a wrong clock, now or then, and what it says would go into signatures for ever.
 */
export const MAX_CLOCK_STEP_BACK_SECONDS = 60

/**
 * Time of integration for the next leaves: the clock in whole seconds, but never before the last leaf of the tree. A
 * small step back of the clock repeats the last time.
 *
 * @param nowMs the clock, milliseconds since the epoch
 * @param lastSeconds time of the last leaf of the tree; undefined for an empty tree
 * @throws LogError `internal` when the clock is further behind
 */
export function nextLeafTime(nowMs: number, lastSeconds: number | undefined): number {
  const seconds = Math.floor(nowMs / 1000)
  if (lastSeconds === undefined || seconds >= lastSeconds) return seconds
  if (lastSeconds - seconds > MAX_CLOCK_STEP_BACK_SECONDS) {
    throw new LogError(
      'internal',
      `the clock is ${lastSeconds - seconds} seconds behind the last entry: set it right. ` +
        'If that entry was written with a wrong clock, open a new shard'
    )
  }
  return lastSeconds
}
