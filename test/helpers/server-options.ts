import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import type { ServerOptions } from '../../src/server/foundation.js'

/** The world as it is, and a log that nobody reads. */
export function serverOptions(replaced: Partial<ServerOptions> = {}): ServerOptions {
  return {
    logger: pino({ level: 'silent' }),
    now: Date.now,
    monotonicMs: () => performance.now(),
    randomBytes: (length) => Uint8Array.from(randomBytes(length)),
    ...replaced
  }
}
