import { LogError } from '../errors.js'
import type { GenTimeRecord, TimestampEvent } from './contract.js'

/** A time for one timestamp. */
export interface GenTime {
  /** Whole seconds since the epoch, never less than before. */
  readonly seconds: number
  /** Resolves once no restart can forget that this time was used. Nothing may leave before that. */
  readonly recorded: Promise<void>
}

/** The time of a timestamp authority. */
export interface TimestampClock {
  /** @throws LogError `internal` while the clock shows less than it should */
  next(): GenTime
  /** Looks at the clock without using it. To be called now and then, so that an idle authority notices too. */
  check(): void
  /** Somebody who knows says that the clock is right. What was issued still bounds it from below. */
  confirm(): void
}

export interface TimestampClockOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds that only ever grow, by no clock anybody sets. */
  readonly monotonicMs: () => number
  readonly record: GenTimeRecord
  /** Smaller steps back repeat the last time. */
  readonly maxStepBackSeconds: number
  readonly observer: (event: TimestampEvent) => void
}

/** Larger steps forward are told to the operator. A computer that slept makes them too, so that nothing is refused. */
const NOTABLE_STEP_FORWARD_SECONDS = 10

/**
 * A clock that refuses to be set back. Two things say what time it must be at least: the last timestamp, which survives a
 * restart, and how long the monotonic clock says that we have been running, which also covers idle hours.
 *
 * The first timestamp of every second waits until its time is durable, and the others of that second with it: one write a
 * second at most.
 *
 * @see ct-and-tsa §C6
 */
export async function createTimestampClock({
  now,
  monotonicMs,
  record,
  maxStepBackSeconds,
  observer
}: TimestampClockOptions): Promise<TimestampClock> {
  let lastSeconds = (await record.read()) ?? 0
  let recordedSeconds = lastSeconds
  let recording: { readonly seconds: number; readonly done: Promise<void> } | undefined
  // The last pair of readings that fitted: wall clock minus monotonic clock.
  let offsetMs = now() - monotonicMs()
  let isBehind = false

  /** Seconds the clock is behind of what it must show at least; negative when it is ahead. */
  function behindSeconds(): number {
    const wallMs = now()
    const expectedMs = Math.max(offsetMs + monotonicMs(), lastSeconds * 1000)
    return (expectedMs - wallMs) / 1000
  }

  function check(): number {
    const behind = behindSeconds()
    if (behind > maxStepBackSeconds) {
      if (!isBehind) observer({ type: 'clock_stepped_back', seconds: behind })
      isBehind = true
      return behind
    }
    if (isBehind) observer({ type: 'clock_recovered' })
    isBehind = false
    const stepMs = now() - monotonicMs() - offsetMs
    if (stepMs / 1000 > NOTABLE_STEP_FORWARD_SECONDS) {
      observer({ type: 'clock_stepped_forward', seconds: stepMs / 1000 })
    }
    // Small steps are what keeps a clock right; they must not add up.
    offsetMs += stepMs
    return behind
  }

  async function writeRecord(seconds: number): Promise<void> {
    await record.write(seconds)
    recordedSeconds = Math.max(recordedSeconds, seconds)
  }

  function recordUpTo(seconds: number): Promise<void> {
    if (seconds <= recordedSeconds) return Promise.resolve()
    if (recording === undefined || recording.seconds < seconds) {
      const done = writeRecord(seconds).finally(() => {
        if (recording?.done === done) recording = undefined
      })
      recording = { seconds, done }
    }
    return recording.done
  }

  return {
    next() {
      const behind = check()
      if (isBehind) {
        throw new LogError(
          'internal',
          `the clock is ${Math.ceil(behind)} seconds behind what it must show: set it right. If it is right and was ` +
            'ahead before, wait that long; a restart is enough unless timestamps were issued then'
        )
      }
      lastSeconds = Math.max(lastSeconds, Math.floor(now() / 1000))
      return { seconds: lastSeconds, recorded: recordUpTo(lastSeconds) }
    },
    check,
    confirm() {
      offsetMs = now() - monotonicMs()
      check()
    }
  }
}
