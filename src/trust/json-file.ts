import { formatUtcTime } from '../encoding/utc-time.js'
import { LogError } from '../errors.js'
import { encodeUtf8 } from '../encoding/text.js'
import type { Validity } from './contract.js'

/** Last second of the year 9999, the last that a protobuf timestamp can tell. */
const MAX_SECONDS = 253_402_300_799

/** A window as protobuf's JSON has it. */
export interface ValidForJson {
  readonly start: string
  readonly end?: string
}

/** JSON as we publish it: two spaces, members in the order given, a newline at the end. */
export function encodeJsonFile(value: object): Uint8Array {
  return encodeUtf8(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** @throws LogError `internal` for times that are not whole seconds, and for an end before the start */
export function encodeValidity({ startSeconds, endSeconds }: Validity): ValidForJson {
  if (endSeconds === undefined) return { start: formatTime(startSeconds) }
  if (endSeconds < startSeconds) {
    throw new LogError('internal', 'trust: something is to be believed until before it begins')
  }
  return { start: formatTime(startSeconds), end: formatTime(endSeconds) }
}

/** Whole seconds, always in UTC, such as `2026-01-01T00:00:00Z`. */
function formatTime(seconds: number): string {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > MAX_SECONDS) {
    throw new LogError('internal', `trust: ${seconds} is not a time in whole seconds`)
  }
  return formatUtcTime(seconds)
}
