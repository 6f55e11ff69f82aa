import { setTimeout as sleep } from 'node:timers/promises'
import { isLogError } from '../errors.js'
import type { ClockReading, NtpServer } from './sntp-client.js'

/** What a round of questions came to. `too_few` says nothing about the clock. */
export type NtpVerdict = 'agrees' | 'too_few' | 'invalid_time'

export type NtpEvent =
  | {
      readonly type: 'answer'
      readonly host: string
      readonly failed: boolean
      /** Of the answer, or until we gave up. */
      readonly seconds: number
    }
  | { readonly type: 'verdict'; readonly verdict: NtpVerdict }

export interface NtpMonitorOptions {
  readonly servers: readonly NtpServer[]
  /** Servers asked in a round, drawn anew each time. */
  readonly serversPerRound: number
  /** Times each is asked before it counts as silent. */
  readonly attempts: number
  /** Answers that must agree with our clock. */
  readonly threshold: number
  readonly maxDeltaSeconds: number
  readonly periodSeconds: number
  /** Whether no timestamps are issued while servers disagree with the clock, or it is only told. */
  readonly onDisagreement: 'report' | 'refuse'
  /** Asks one server once. @throws LogError */
  readonly query: (server: NtpServer, signal: AbortSignal) => Promise<ClockReading>
  readonly monotonicMs: () => number
  /** A whole number from 0 up to and excluding `limit`. */
  readonly randomBelow: (limit: number) => number
  /** Told when servers agree with our clock. */
  readonly onAgreement: () => void
  readonly observer: (event: NtpEvent) => void
}

/** Compares our clock with time servers, round after round. */
export interface NtpMonitor {
  /** Of the last round; undefined before the first is over. */
  verdict(): NtpVerdict | undefined
  /** Why no timestamps may be issued now, if that is so. */
  problem(): string | undefined
  close(): Promise<void>
}

/**
 * Begins with a round at once. A server that cannot be reached is no disagreement: otherwise whoever cuts the wire decides
 * whether there are timestamps.
 *
 * @see ct-and-tsa §C6
 */
export function startNtpMonitor(options: NtpMonitorOptions): NtpMonitor {
  const { threshold, maxDeltaSeconds, onDisagreement, observer } = options
  const stop = new AbortController()
  let verdict: NtpVerdict | undefined
  let isDisagreeing = false

  async function round(): Promise<void> {
    const servers = draw(options.servers, options.serversPerRound, options.randomBelow)
    const answers = await Promise.all(servers.map((server) => ask(server, options, stop.signal)))
    if (stop.signal.aborted) return
    const readings = answers.filter((reading) => reading !== undefined)
    const good = readings.filter(({ offsetMs }) => Math.abs(offsetMs) <= maxDeltaSeconds * 1000)
    verdict =
      readings.length < threshold ? 'too_few' : good.length < threshold ? 'invalid_time' : 'agrees'
    if (verdict !== 'too_few') isDisagreeing = verdict === 'invalid_time'
    if (verdict === 'agrees') options.onAgreement()
    observer({ type: 'verdict', verdict })
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await round()
      try {
        await sleep(options.periodSeconds * 1000, undefined, { signal: stop.signal, ref: false })
      } catch {
        return // closed
      }
    }
  }

  const running = run()
  return {
    verdict: () => verdict,
    problem: () =>
      isDisagreeing && onDisagreement === 'refuse'
        ? `time servers disagree with the clock by more than ${maxDeltaSeconds} seconds: set it right`
        : undefined,
    async close() {
      stop.abort()
      await running
    }
  }
}

async function ask(
  server: NtpServer,
  { attempts, query, monotonicMs, observer }: NtpMonitorOptions,
  signal: AbortSignal
): Promise<ClockReading | undefined> {
  const startedMs = monotonicMs()
  const tell = (failed: boolean): void => {
    const seconds = (monotonicMs() - startedMs) / 1000
    observer({ type: 'answer', host: server.host, failed, seconds })
  }
  for (let attempt = 0; attempt < attempts && !signal.aborted; attempt++) {
    try {
      const reading = await query(server, signal)
      tell(false)
      return reading
    } catch (err) {
      if (!isLogError(err)) throw err
    }
  }
  if (!signal.aborted) tell(true)
  return undefined
}

/** Some of the items, each once, all equally likely. */
function draw<Item>(
  items: readonly Item[],
  count: number,
  randomBelow: (limit: number) => number
): readonly Item[] {
  const rest = [...items]
  const drawn: Item[] = []
  while (rest.length > 0 && drawn.length < count) {
    drawn.push(...rest.splice(randomBelow(rest.length), 1))
  }
  return drawn
}
