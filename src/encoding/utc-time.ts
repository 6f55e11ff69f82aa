/**
 * A time as RFC 3339 has it, in UTC and with Z, such as `2026-01-01T00:00:00Z`. Parts of a second are shown when there are
 * some.
 *
 * @param seconds since the epoch
 */
export function formatUtcTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
