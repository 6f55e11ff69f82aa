import { pino } from 'pino'
import type { Config } from '../../src/config/schema.js'
import { createMetrics, type Metrics } from '../../src/metrics.js'
import { closeAll, closeOnce, type Closers } from '../../src/server/closing.js'
import { type Core, openCore } from '../../src/server/core.js'
import type { ServerOptions } from '../../src/server/foundation.js'
import type { Rotating } from '../../src/server/rotation.js'
import type { Database } from '../../src/store/log-store.js'
import type { Teardown } from './cli.js'
import { serverOptions } from './server-options.js'

/** All services of a data directory, without a listener. */
export interface TestCore {
  readonly core: Core
  readonly metrics: Metrics
  /** Parsed lines of its log. */
  readonly lines: readonly Record<string, unknown>[]
  /** What `rotate` works on, with some of it replaced. */
  rotating(replaced?: {
    readonly database?: Partial<Database>
    readonly parts?: Partial<Rotating['parts']>
  }): Rotating
  close(): Promise<void>
}

/** Opened like a server's, trust published at the address of the configuration. */
export async function openTestCore(
  t: Teardown,
  config: Config,
  replaced: Partial<ServerOptions> = {}
): Promise<TestCore> {
  const lines: Record<string, unknown>[] = []
  const logger = pino(
    { level: 'debug' },
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) }
  )
  const options = serverOptions({ logger, ...replaced })
  const closers: Closers = []
  const close = closeOnce(() => closeAll(closers))
  t.teardown(close)
  const metrics = createMetrics({ version: '0', paths: [], now: options.now })
  try {
    const core = await openCore(config, options, metrics, closers)
    await core.trust?.publish(config.publicUrl)
    const { foundation, trust } = core
    return {
      core,
      metrics,
      lines,
      close,
      rotating: ({ database = {}, parts = {} } = {}) => ({
        parts: {
          ...core,
          foundation: { ...foundation, database: { ...foundation.database, ...database } },
          ...parts
        },
        trust,
        site: { config, paths: foundation.paths, database: foundation.database, world: options }
      })
    }
  } catch (err) {
    await close()
    throw err
  }
}
