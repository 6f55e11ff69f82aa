// RFC 3339 as Go's time.Time reads it from JSON: upper case, any number of digits after the point, no leap second.
const TIME =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** The time of a Go variable nobody has set. */
export const ZERO_TIME_MS = Date.parse('0001-01-01T00:00:00Z')

/** Milliseconds since the epoch; undefined for what Go does not read. */
export function parseGoTime(text: string): number | undefined {
  const [, day] = TIME.exec(text) ?? []
  // Where Go refuses the 30th of February, Date.parse goes on to March.
  if (day === undefined || !new Date(day).toISOString().startsWith(day)) return undefined
  return Date.parse(text)
}

/** As Go prints a time in UTC, without parts of a second. */
export function formatGoTime(ms: number): string {
  return `${new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace('T', ' ')} +0000 UTC`
}
