import type { FastifyInstance } from 'fastify'
import { loadTsaContract } from '../../src/http/contract.js'
import { tsa, type TsaOptions } from '../../src/http/tsa.js'
import type { GenTimeRecord, TimestampAuthority, TimestampEvent } from '../../src/tsa/contract.js'
import {
  createTimestampAuthority,
  type TimestampAuthorityOptions
} from '../../src/tsa/timestamp-authority.js'
import { createTimestampClock, type TimestampClock } from '../../src/tsa/timestamp-clock.js'
import { createInjectChecked, type InjectChecked } from './inject-checked.js'
import { stubApp } from './stub-app.js'
import { OWN_TIME_SECONDS, ownTimestampSigner } from './tsa-vectors.js'

export const DEFAULT_POLICY = '1.3.6.1.4.1.57264.2'

/** A record in memory, with all that was written. */
export function memoryRecord(start?: number): GenTimeRecord & { readonly written: number[] } {
  const written: number[] = []
  return {
    written,
    read: async () => written.at(-1) ?? start,
    write: async (seconds) => {
      written.push(seconds)
    }
  }
}

/** Two clocks to set by hand. */
export interface TestClock {
  readonly clock: TimestampClock
  readonly events: TimestampEvent[]
  /** Milliseconds since the epoch; what the wall shows. */
  wallMs: number
  monotonicMs: number
  /** Both move on. */
  pass(seconds: number): void
}

export async function createTestClock(record: GenTimeRecord = memoryRecord()): Promise<TestClock> {
  const time = { wallMs: OWN_TIME_SECONDS * 1000, monotonicMs: 5000 }
  const events: TimestampEvent[] = []
  const clock = await createTimestampClock({
    now: () => time.wallMs,
    monotonicMs: () => time.monotonicMs,
    record,
    maxStepBackSeconds: 2,
    observer: (event) => events.push(event)
  })
  return Object.assign(time, {
    clock,
    events,
    pass: (seconds: number) => {
      time.wallMs += seconds * 1000
      time.monotonicMs += seconds * 1000
    }
  })
}

/** The test authority of the vectors, with its clock standing still unless told otherwise. */
export async function createOwnAuthority(
  options: Partial<TimestampAuthorityOptions> = {}
): Promise<TimestampAuthority> {
  const signer = await ownTimestampSigner()
  const { clock } = await createTestClock()
  let serial = 0
  return createTimestampAuthority({
    authority: () => signer,
    policies: { defaultOid: DEFAULT_POLICY, acceptedOids: [] },
    accuracySeconds: 1,
    allowExtensions: false,
    limits: { maxPending: 100 },
    clock,
    randomBytes: (length) => new Uint8Array(length).fill(++serial % 256),
    ...options
  })
}

/** The API of an authority beside that of a log that is none. */
export async function tsaApp(
  authority: TsaOptions['authority'],
  options: Partial<TsaOptions> = {}
): Promise<{ app: FastifyInstance; inject: InjectChecked }> {
  const contract = loadTsaContract()
  const { app } = await stubApp(
    {},
    {
      plugins: [
        (scope) =>
          tsa(scope, {
            contract,
            authority,
            maxRequestBodyBytes: 1024 * 1024,
            successStatus: 200,
            ...options
          })
      ],
      families: [{ family: 'tsa', contract }]
    }
  )
  return { app, inject: createInjectChecked(app, contract) }
}
