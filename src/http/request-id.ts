import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

// What a stranger sends goes into the log and into messages of failures: one short word, nothing else.
const ACCEPTED = /^[\w.:-]{1,128}$/

/** The id under which the log speaks of a request: the caller's `X-Request-Id`, or a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID()
}
