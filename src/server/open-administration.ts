import { defaultPublicUrl } from '../config/parse.js'
import type { Config } from '../config/schema.js'
import { readVersion } from '../config/version.js'
import { createMetrics } from '../metrics.js'
import type { Administration } from '../site/administration.js'
import { closeAll, closeOnce, type Closers } from './closing.js'
import { openCore } from './core.js'
import type { ServerOptions } from './foundation.js'

/** What commands do to a data directory on which no server runs. */
export interface OpenAdministration {
  readonly administration: Administration
  close(): Promise<void>
}

/**
 * Opens a data directory as a server would, but for the listeners. The address that clients were told of stays, unless
 * configuration names one: a command that was only told where to listen may not know what the server is started with.
 *
 * @throws LogError with a sentence that says what to do; nothing stays open then
 */
export async function openAdministration(
  config: Config,
  options: ServerOptions
): Promise<OpenAdministration> {
  const closers: Closers = []
  try {
    const metrics = createMetrics({ version: readVersion(), paths: [] })
    // The name of the active tree is its own: the configured one may be for the tree to come.
    const opened = { ...config, log: { ...config.log, hostname: undefined } }
    const { administration, trust } = await openCore(opened, options, metrics, closers, {
      canMissKeys: true
    })
    if (config.publicUrl === defaultPublicUrl(config.listen)) await trust?.stayAtPublishedUrl()
    return { administration, close: closeOnce(() => closeAll(closers)) }
  } catch (err) {
    await closeAll(closers)
    throw err
  }
}
